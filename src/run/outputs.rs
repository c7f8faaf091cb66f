//! The user's output files: checked before any work, written whole after it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use talkgraph_cache::{Digest, Read};

use super::tally::Tally;
use crate::{
    engine::Request,
    events::{Event, Events},
    failure::RunError,
    graph::Graph,
    plan::board::Board,
};

/// Outputs that are there: name, file and digest.
#[derive(Debug, Default)]
pub struct Written(pub BTreeMap<String, (Option<PathBuf>, Digest)>);

impl Written {
    /// Wanted outputs that are not there.
    pub fn missing(&self, board: &Board<'_>) -> Vec<String> {
        let wanted = board.outputs.iter().map(|(name, ..)| name);
        wanted.filter(|name| !self.0.contains_key(*name)).cloned().collect()
    }
}

/// Fails when an output cannot be written where it is wanted.
pub fn check(graph: &Graph, request: &Request) -> Result<(), RunError> {
    for output in &graph.outputs {
        let Some(path) = request.outputs.get(&output.name) else { continue };
        let contract = &graph.dag[output.node].contract;
        if contract.find_output(&output.port).is_some_and(|port| port.sequence.is_some()) {
            return Err(RunError::usage(
                format!("{}: output `{}` is a sequence, not one file", output.place, output.name),
                "add a node that makes a file of it, and take that node's output",
            ));
        }
        writable(&output.name, path)?;
    }
    Ok(())
}

fn writable(name: &str, path: &Path) -> Result<(), RunError> {
    let fail = |message: String, hint: &str, source| RunError::Output {
        name: name.to_owned(),
        message,
        hint: Some(hint.to_owned()),
        source,
    };
    if path.is_dir() {
        let message = format!("{}: expected a file name, found a folder", path.display());
        return Err(fail(message, "name a file in it", None));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let message = format!("{}: the folder `{}` does not exist", path.display(), folder.display());
        return Err(fail(message, "create the folder first", None));
    }
    let probe = tempfile::Builder::new().prefix(".talkgraph-").tempfile_in(folder);
    probe.map(drop).map_err(|error| {
        let message = format!("{}: cannot be written", path.display());
        // The kind alone: the text names the temporary file.
        fail(message, "choose a folder that you may write to", Some(error.kind().into()))
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes those wanted outputs that are known. False when a blob was lost: it was forgotten and must be made again.
pub fn write(
    board: &Board<'_>,
    request: &Request,
    events: &Events,
    tally: &mut Tally,
    written: &mut Written,
) -> bool {
    let mut whole = true;
    for (name, ix, p) in &board.outputs {
        let node = &board.nodes[*ix];
        if node.specs[*p].sequence {
            if let Some(list) = node.outputs[*p].list.filter(|_| node.finished()) {
                written.0.insert(name.clone(), (None, list));
            }
            continue;
        }
        let unit = &node.units[0];
        let Some(digest) = node.outputs[*p].slots[0].digest.filter(|_| unit.recorded && !unit.go) else {
            continue;
        };
        let path = request.outputs.get(name);
        let found = match path {
            Some(path) => board.store.export(&digest, path),
            None => board.store.read(&digest),
        };
        match found {
            Ok(Read::Found(_)) => {
                let path = path.cloned().unwrap_or_else(|| board.store.path(&digest));
                if request.outputs.contains_key(name) {
                    events.send(&Event::Written { output: name.clone(), path: path.clone() });
                }
                written.0.insert(name.clone(), (Some(path), digest));
            }
            Ok(lost) => {
                let damaged = matches!(lost, Read::Corrupt);
                events.send(&Event::Lost { node: node.name.clone(), digest, damaged });
                tally.lost.push((node.name.to_string(), digest, damaged));
                if let Some(key) = &unit.key
                    && let Err(error) = board.store.forget(&key.digest)
                {
                    tally.fatal.get_or_insert(error.into());
                }
                whole = false;
            }
            Err(error) => {
                tally.fatal.get_or_insert(output_error(name, path, error));
            }
        }
    }
    whole
}

fn output_error(name: &str, path: Option<&PathBuf>, error: talkgraph_cache::CacheError) -> RunError {
    match path {
        None => error.into(),
        Some(_) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let message = format!("{error}{}", cause.unwrap_or_default());
            RunError::Output {
                name: name.to_owned(),
                message,
                hint: Some("it is kept in the store: run again with another path".into()),
                source: None,
            }
        }
    }
}

/// Writes `bytes` beside `path` and renames.
pub fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let file = tempfile::Builder::new().prefix(".talkgraph-").tempfile_in(folder_of(path))?;
    fs::write(file.path(), bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}
