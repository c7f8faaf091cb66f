//! From a graph file to a validated [`Graph`]. All mistakes are collected; none stops the search for others.

mod defaults;
mod edges;
mod named;
mod nodes;
pub(crate) mod params;
mod rate;
mod settings;
mod shape;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use talkgraph_nodes::{contract::Contract, registry::Registry};

pub use defaults::defaults;
pub(crate) use params::FPS;
pub use settings::{Assignment, PackDefault, Settings, Stands};

use crate::{
    error::{Diagnostic, Diagnostics, Severity},
    graph::Graph,
    spec::{self, GraphSpec, Mistakes, Names, Unsaved},
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
    written_beside(file, text, &|_| None)
}

fn written_beside(file: &Path, text: &str, unsaved: Unsaved<'_>) -> (Option<GraphSpec>, Mistakes) {
    let mut mistakes = Mistakes::new(file);
    let spec = spec::read(file, text, &mut mistakes);
    let spec = spec.map(|written| spec::expand(written, &mut mistakes, unsaved));
    (spec, mistakes)
}

/// Everything that is known of a graph file, be it right or wrong.
pub(crate) struct Survey {
    /// What it says; `None` where it is no graph at all.
    pub spec: Option<GraphSpec>,
    /// Files that spots are in: its own and those of its parts.
    pub files: Vec<PathBuf>,
    /// Contracts of nodes and graph inputs by name, of those that have one.
    pub contracts: HashMap<String, Contract>,
    /// The validated graph, where nothing is wrong.
    pub graph: Option<Graph>,
    /// Mistakes and warnings, in file order.
    pub found: Diagnostics,
}

/// Reads and checks the text of a graph file. `unsaved` gives the text of files that are being edited.
pub(crate) fn survey(
    file: &Path,
    text: &str,
    registry: &Registry,
    settings: &Settings<'_>,
    unsaved: Unsaved<'_>,
) -> Survey {
    let (spec, mut mistakes) = written_beside(file, text, unsaved);
    let (mut contracts, mut graph) = (HashMap::new(), None);
    if let Some(spec) = &spec {
        let names = Names::new(spec);
        let drafts = nodes::drafts(spec, &names, registry, settings, &mut mistakes);
        let known = drafts.iter().filter_map(|draft| Some((draft.id.value.clone(), draft.contract.clone()?)));
        contracts = known.collect();
        let wiring = edges::connect(spec, &names, &drafts, registry, &mut mistakes);
        graph = shape::build(spec, drafts, wiring, &mut mistakes);
    }
    let files = mistakes.files().to_vec();
    let found = mistakes.finish();
    Survey { spec, files, contracts, graph: graph.filter(|_| !found.has_errors()), found }
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
    let Survey { graph, found, .. } = survey(file, text, registry, settings, &|_| None);
    let Some(mut graph) = graph else { return Err(found) };
    graph.warnings = found.0;
    debug_assert!(graph.warnings.iter().all(|one| one.severity == Severity::Warning));
    Ok(graph)
}
