//! Graphs and packs by name: a path, or what is in the current folder or installed.

use std::path::{Path, PathBuf};

use talkgraph_nodes::layout::{BUNDLED_PACK, Layout};

use crate::{
    error::{Diagnostic, Failure},
    suggest,
};

/// Endings of graph files.
const ENDINGS: [&str; 2] = ["yaml", "yml"];

/// The graph file that `given` names: itself where it exists or is a path; else a graph of that name, with or without its ending, in the
/// current folder, in `graphs`, or among the installed ones.
///
/// # Errors
/// When there is no graph of that name.
pub fn graph(given: &Path) -> Result<PathBuf, Failure> {
    let is_path = given.components().count() != 1 || given.is_file();
    if is_path {
        return Ok(given.to_owned());
    }
    let mut folders = vec![PathBuf::new(), "graphs".into()];
    folders.extend(Layout::find().graphs());
    let spellings = [given.to_owned()].into_iter().chain(ENDINGS.map(|ending| {
        let mut name = given.as_os_str().to_owned();
        name.push(format!(".{ending}"));
        PathBuf::from(name)
    }));
    let spellings: Vec<_> = spellings.collect();
    let mut candidates = folders.iter().flat_map(|folder| spellings.iter().map(|name| folder.join(name)));
    candidates.find(|path| path.is_file()).ok_or_else(|| {
        let names = names(&folders);
        let name = given.file_stem().unwrap_or_default().to_string_lossy();
        let message = format!("{}: no such file, and no graph of that name", given.display());
        let hint = suggest::hint(&name, names.iter().map(String::as_str), "name a graph file");
        Failure::usage(Diagnostic::error(message).hint(hint))
    })
}

/// Names of the graphs in `folders`, sorted.
fn names(folders: &[PathBuf]) -> Vec<String> {
    let files = folders.iter().filter_map(|folder| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        folder.read_dir().ok()
    });
    let paths = files.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let graphs = paths
        .filter(|path| path.extension().is_some_and(|found| ENDINGS.iter().any(|ending| found == *ending)));
    let mut names: Vec<String> =
        graphs.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names.dedup();
    names
}

/// The folder of the pack: of the name or path `given`, else of the bundled pack, if it is there.
pub fn pack(given: Option<&Path>) -> Option<PathBuf> {
    let Some(given) = given else { return Layout::find().pack(BUNDLED_PACK) };
    let by_name = || given.to_str().filter(|_| given.components().count() == 1 && !given.is_dir());
    Some(by_name().and_then(|name| Layout::find().pack(name)).unwrap_or_else(|| given.to_owned()))
}
