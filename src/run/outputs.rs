//! The wanted outputs, written as soon as the run is over.

use std::{collections::BTreeMap, path::PathBuf};

use talkgraph_cache::{Digest, Read};

use super::{host::Stop, tally::Tally};
use crate::{
    engine::Request,
    events::{Event, Events},
    outputs::{Outputs, What},
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

/// Writes those wanted outputs that are known. False when a blob was lost: it was forgotten and must be made again.
pub fn write(
    board: &Board<'_>,
    request: &Request,
    events: &Events,
    tally: &mut Tally,
    written: &mut Written,
    files: &Outputs,
    cancel: &Stop,
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
        // Written by an earlier plan of this run: a pipe must not get it twice.
        if written.0.get(name).is_some_and(|(_, known)| *known == digest) {
            continue;
        }
        match board.store.read(&digest) {
            Ok(Read::Found(blob)) => {
                if let Some(path) = path {
                    let what = What::Output(name.clone());
                    if let Err(error) = files.write(&what, &blob, &|| cancel.stopped()) {
                        tally.fatal.get_or_insert(error);
                        continue;
                    }
                    events.send(&Event::Written { output: name.clone(), path: path.clone() });
                }
                let path = path.cloned().unwrap_or_else(|| board.store.path(&digest));
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
                tally.fatal.get_or_insert(error.into());
            }
        }
    }
    whole
}
