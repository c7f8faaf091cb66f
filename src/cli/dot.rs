//! `talkgraph dot GRAPH`

use talkgraph_nodes::registry::Registry;

use super::{Outcome, args::GraphArgs, find, parts::Parts, print, print_json, run::failure, tell};
use crate::{
    check,
    dot::{self, Marks, Picture},
    error::{Diagnostic, Diagnostics, Failure},
    graph::Graph,
    plan,
};

/// Mermaid's own bound on the edges of a drawing, unless a viewer is told otherwise.
const MERMAID_EDGES: usize = 500;

/// Flags of `dot`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub graph: GraphArgs,
    /// Language of the drawing
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
    /// Colour nodes by what a run with these flags would do
    #[arg(long)]
    plan: bool,
    /// Draw every part as one node
    #[arg(long)]
    collapse: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Graphviz
    Dot,
    /// Mermaid flowchart
    Mermaid,
    /// Picture
    Svg,
    /// Nodes and edges
    Json,
}

/// Draws the graph to standard output.
pub fn run(args: &Args) -> Outcome {
    let (graph, marks) = if args.plan { planned(&args.graph)? } else { (plain(&args.graph)?, Marks::new()) };
    let picture = Picture::new(&graph, &marks, args.collapse);
    match args.format {
        Format::Dot => print(dot::dot(&picture)),
        Format::Mermaid => {
            print(dot::mermaid(&picture))?;
            let edges = picture.edges();
            if edges > MERMAID_EDGES {
                let message =
                    format!("{edges} edges: viewers refuse Mermaid drawings of more than {MERMAID_EDGES}");
                let hint = "raise `maxEdges` in the viewer, or draw with --format svg";
                tell(&Diagnostics(vec![Diagnostic::warning(message).hint(hint)]));
            }
            Ok(())
        }
        Format::Svg => print(dot::svg(&picture)),
        Format::Json => print_json(&dot::json(&picture)),
    }
}

fn plain(args: &GraphArgs) -> Result<Graph, Failure> {
    check::load(&find::graph(&args.graph)?, &Registry::builtin(), &args.settings()).map_err(Failure::usage)
}

fn planned(args: &GraphArgs) -> Result<(Graph, Marks), Failure> {
    let parts = Parts::open(args)?;
    let graph = parts.graph(args)?;
    let plan = plan::plan(&graph, &parts.engine(), &args.request()?).map_err(|error| failure(&error))?;
    let marks = dot::marks(&graph, &plan);
    Ok((graph, marks))
}
