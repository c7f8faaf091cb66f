//! From a graph file to a validated [`Graph`]. All mistakes are collected; none stops the search for others.

mod defaults;
mod edges;
mod named;
mod nodes;
pub(crate) mod params;
mod rate;
mod settings;
mod shape;

use std::path::Path;

use talkgraph_nodes::registry::Registry;

pub use defaults::defaults;
pub(crate) use params::FPS;
pub use settings::{Assignment, PackDefault, Settings, Stands};

use crate::{
    error::{Diagnostic, Diagnostics, Severity},
    graph::Graph,
    spec::{self, GraphSpec, Mistakes, Names},
};

/// Reads and checks the graph file at `path`. A node or input that no output needs is a warning, kept in
/// [`Graph::warnings`]: it does not run.
///
/// # Errors
/// Every mistake and every warning, in file order, when there is at least one mistake.
pub fn load(path: &Path, registry: &Registry, settings: &Settings<'_>) -> Result<Graph, Diagnostics> {
    check(path, &read(path)?, registry, settings)
}

/// The text of the graph file at `path`.
///
/// # Errors
/// When it cannot be read or is no text.
pub(crate) fn read(path: &Path) -> Result<String, Diagnostics> {
    let bytes = talkgraph_yaml::read(path).map_err(|error| {
        let message = format!("{}: cannot read the graph", path.display());
        Diagnostic::error(message).caused_by(&error)
    })?;
    let text = spec::decode(bytes).map_err(|found| {
        Diagnostic::error(format!("{}: {found}", path.display())).hint("save the graph as UTF-8")
    })?;
    Ok(text)
}

/// What a graph file and those of its parts say, not yet checked against node types; `None` where it is no graph at all. The mistakes of
/// reading come with it.
pub(crate) fn written(file: &Path, text: &str) -> (Option<GraphSpec>, Mistakes) {
    let mut mistakes = Mistakes::new(file);
    let spec = spec::read(file, text, &mut mistakes).map(|written| spec::expand(written, &mut mistakes));
    (spec, mistakes)
}

/// Checks the text of a graph file; `file` is its name in messages, and its folder is what file parameters are relative
/// to.
///
/// # Errors
/// As [`load`].
pub fn check(
    file: &Path,
    text: &str,
    registry: &Registry,
    settings: &Settings<'_>,
) -> Result<Graph, Diagnostics> {
    let (spec, mut mistakes) = written(file, text);
    let Some(spec) = spec else { return Err(mistakes.finish()) };
    let names = Names::new(&spec);
    let drafts = nodes::drafts(&spec, &names, registry, settings, &mut mistakes);
    let wiring = edges::connect(&spec, &names, &drafts, registry, &mut mistakes);
    let graph = shape::build(&spec, drafts, wiring, &mut mistakes);
    let found = mistakes.finish();
    match graph {
        Some(mut graph) if !found.has_errors() => {
            graph.warnings = found.0;
            debug_assert!(graph.warnings.iter().all(|one| one.severity == Severity::Warning));
            Ok(graph)
        }
        _ => Err(found),
    }
}
