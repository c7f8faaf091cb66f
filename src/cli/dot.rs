//! `talkgraph dot GRAPH`

use talkgraph_nodes::registry::Registry;

use super::{Outcome, args::GraphArgs, print, print_json};
use crate::{
    check,
    dot::{self, Marks},
    error::Failure,
};

/// Flags of `dot`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    graph: GraphArgs,
    /// Language of the drawing
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Graphviz
    Dot,
    /// Mermaid flowchart
    Mermaid,
    /// Picture, drawn by Graphviz
    Svg,
    /// Nodes and edges
    Json,
}

/// Draws the graph to standard output.
pub fn run(args: &Args) -> Outcome {
    let graph = check::load(&args.graph.graph, &Registry::builtin(), &args.graph.settings())
        .map_err(Failure::usage)?;
    let marks = Marks::new();
    match args.format {
        Format::Dot => print(dot::dot(&graph, &marks)),
        Format::Mermaid => print(dot::mermaid(&graph, &marks)),
        Format::Svg => print(dot::svg(&graph, &marks).map_err(Failure::store)?),
        Format::Json => print_json(&dot::json(&graph, &marks)),
    }
}
