//! `talkgraph check GRAPH…`

use std::path::PathBuf;

use talkgraph_nodes::registry::Registry;

use super::{Outcome, find};
use crate::{
    check::{self, Assignment, Settings},
    error::{Diagnostics, Failure},
};

/// Flags of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graphs: files, or names of those in `graphs` or installed
    #[arg(value_name = "GRAPH", required = true)]
    graphs: Vec<PathBuf>,
    /// Parameter of a node, in place of the graph's; `fps=RATE`: frames a second of the whole graph
    #[arg(long, value_name = "NODE.PARAM=VALUE")]
    set: Vec<Assignment>,
}

/// Checks all graphs; warnings fail too.
pub fn run(args: &Args) -> Outcome {
    let registry = Registry::builtin();
    let settings = Settings { set: args.set.clone(), ..Settings::default() };
    let mut found = Diagnostics::default();
    for path in &args.graphs {
        let graph = find::graph(path).map_err(|failure| failure.diagnostics);
        match graph.and_then(|path| check::load(&path, &registry, &settings)) {
            Ok(graph) => found.0.extend(graph.warnings),
            Err(diagnostics) => found.0.extend(diagnostics.0),
        }
    }
    if found.0.is_empty() { Ok(()) } else { Err(Failure::usage(found)) }
}
