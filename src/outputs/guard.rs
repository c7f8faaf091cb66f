//! What must not be written over: everything that a run reads.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use talkgraph_cache::{is_pattern, listed};
use talkgraph_nodes::contract::{ParamKind, ParamValue};

use super::target::{Identity, Refusal, Target, folder_of};
use crate::{
    engine::{Engine, Request},
    graph::Graph,
};

/// Files and folders that a run reads.
#[derive(Debug, Default)]
pub struct Guard {
    /// What each file is to the run.
    files: HashMap<Identity, String>,
    /// Folders without links: nothing is written below these.
    trees: Vec<(PathBuf, String)>,
    /// Folders of inputs without links: each visible file in them is part of the input.
    folders: Vec<(PathBuf, String)>,
    /// Patterns of inputs.
    patterns: Vec<Pattern>,
}

/// The last part of a pattern of files, and the folders without links in which it found some.
#[derive(Debug)]
struct Pattern {
    name: glob::Pattern,
    folders: BTreeSet<PathBuf>,
    what: String,
}

impl Pattern {
    fn new(path: &Path, files: &[PathBuf], what: &str) -> Option<Self> {
        let name = glob::Pattern::new(path.file_name()?.to_str()?).ok()?;
        let folders = files.iter().filter_map(|file| fs::canonicalize(folder_of(file)).ok()).collect();
        Some(Self { name, folders, what: what.to_owned() })
    }

    fn takes(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| self.name.matches(name))
            && path.parent().is_some_and(|folder| self.folders.contains(folder))
    }
}

impl Guard {
    /// Everything that a run of `graph` reads. What does not exist is left out: its absence is reported elsewhere.
    pub fn of(graph: &Graph, engine: &Engine, request: &Request) -> Self {
        let mut guard = Self::default();
        guard.file(&graph.file, "the graph");
        graph.parts.iter().for_each(|part| guard.file(&part.file, "a part of the graph"));
        if let Some(table) = &request.table {
            guard.file(table, "the table of jobs");
        }
        for (name, path) in &request.inputs {
            let what = format!("input {}", graph.shown(name));
            guard.file(path, &what);
            if let Ok(Some(files)) = listed(path) {
                files.iter().for_each(|file| guard.file(file, &what));
                if is_pattern(path) {
                    guard.patterns.extend(Pattern::new(path, &files, &what));
                } else {
                    guard.folders.extend(fs::canonicalize(path).ok().map(|folder| (folder, what.clone())));
                }
            }
        }
        let folder = folder_of(&graph.file);
        for node in graph.dag.node_weights() {
            for param in node.contract.params.iter().filter(|param| param.kind == ParamKind::File) {
                if let Some(ParamValue::Text(path)) = node.params.0.get(param.name.as_ref())
                    && !path.is_empty()
                {
                    guard.file(
                        &folder.join(path),
                        &format!("node {}, parameter `{}`", graph.shown(&node.id), param.name),
                    );
                }
            }
        }
        guard.tree(engine.store.root(), "the cache");
        if let Ok(pack) = engine.models.pack() {
            guard.tree(pack.folder(), "the model pack");
            pack.models().for_each(|model| guard.file(&model.path, "the model pack"));
        }
        guard
    }

    fn file(&mut self, path: &Path, what: &str) {
        if let Ok(meta) = fs::metadata(path) {
            let named = || format!("`{}` ({what})", path.display());
            self.files.entry(Identity::from(&meta)).or_insert_with(named);
        }
    }

    fn tree(&mut self, folder: &Path, what: &str) {
        self.trees.extend(fs::canonicalize(folder).ok().map(|folder| (folder, what.to_owned())));
    }

    /// Refuses a target that a run reads.
    ///
    /// # Errors
    /// What it is to the run.
    pub fn allow(&self, target: &Target) -> Result<(), Refusal> {
        if let Some(what) = target.identity().and_then(|identity| self.files.get(&identity)) {
            let message = format!("it is the same file as {what}");
            return Err(Refusal::new(
                message,
                "nothing that a run reads is written over: choose another name",
            ));
        }
        let Target::File { path, .. } = target else { return Ok(()) };
        if let Some((folder, what)) = self.trees.iter().find(|(folder, _)| path.starts_with(folder)) {
            let message = format!("it would lie in `{}` ({what})", folder.display());
            return Err(Refusal::new(message, "choose another folder"));
        }
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let folder = self.folders.iter().find(|(folder, _)| !hidden && path.parent() == Some(folder));
        let pattern = self.patterns.iter().find(|pattern| !hidden && pattern.takes(path));
        let folder = folder.map(|(folder, what)| (folder.as_path(), what));
        match folder.or_else(|| pattern.and_then(|pattern| Some((path.parent()?, &pattern.what)))) {
            Some((folder, what)) => {
                let message = format!("in `{}` it would become a part of {what}", folder.display());
                Err(Refusal::new(message, "choose another folder"))
            }
            None => Ok(()),
        }
    }
}
