//! The wanted outputs, written as soon as the run is over; those of a graph of many jobs as soon as their row is.

use std::{collections::BTreeMap, path::PathBuf};

use talkgraph_cache::{Digest, Read};

use super::tally::Tally;
use crate::{
    engine::Request,
    events::{Event, Events},
    failure::RunError,
    graph::Graph,
    outputs::{Outputs, What},
    plan::board::Board,
};

/// Outputs that are there: name, file and digest.
#[derive(Debug, Default)]
pub struct Written(pub BTreeMap<String, (Option<PathBuf>, Digest)>);

/// What writing needs besides the board.
pub(super) struct Desk<'a> {
    pub graph: &'a Graph,
    pub request: &'a Request,
    pub files: &'a mut Outputs,
    pub written: &'a mut Written,
}

/// How it went with one output.
pub(super) enum Put {
    /// It is there, and in the user's file where one was named.
    There,
    /// It was not made.
    Absent,
    /// Its blob was lost; it was forgotten and must be made again.
    Lost,
    /// It cannot be read or written.
    Refused(RunError),
}

impl Written {
    /// Wanted outputs that are not there.
    pub fn missing(&self, board: &Board<'_>) -> Vec<String> {
        let wanted = board.outputs.iter().map(|wanted| &wanted.name);
        wanted.filter(|name| !self.0.contains_key(*name)).cloned().collect()
    }

    /// Writes those wanted outputs that are known. False when a blob was lost: it was forgotten and must be made again.
    pub fn put_all(
        &mut self,
        board: &Board<'_>,
        request: &Request,
        events: &Events,
        tally: &mut Tally,
        files: &Outputs,
        stopped: &dyn Fn() -> bool,
    ) -> bool {
        let mut whole = true;
        for index in 0..board.outputs.len() {
            match self.put(board, index, request, events, tally, files, stopped) {
                Put::There | Put::Absent => {}
                Put::Lost => whole = false,
                Put::Refused(error) => {
                    tally.fatal.get_or_insert(error);
                }
            }
        }
        whole
    }

    /// Writes one wanted output if it is there.
    #[expect(clippy::too_many_arguments, reason = "the one place where an output leaves the store")]
    pub(super) fn put(
        &mut self,
        board: &Board<'_>,
        index: usize,
        request: &Request,
        events: &Events,
        tally: &mut Tally,
        files: &Outputs,
        stopped: &dyn Fn() -> bool,
    ) -> Put {
        let wanted = &board.outputs[index];
        let name = &wanted.name;
        let Some(digest) = board.there(wanted) else { return Put::Absent };
        let node = &board.nodes[wanted.node];
        if node.specs[wanted.port].sequence {
            self.0.insert(name.clone(), (None, digest));
            return Put::There;
        }
        // Written by an earlier plan of this run: a pipe must not get it twice.
        if self.0.get(name).is_some_and(|(_, known)| *known == digest) {
            return Put::There;
        }
        let blob = match board.store.read(&digest) {
            Ok(Read::Found(blob)) => blob,
            Ok(lost) => {
                let damaged = matches!(lost, Read::Corrupt);
                events.send(&Event::Lost { node: node.name.clone(), digest, damaged });
                tally.lost.push((node.name.to_string(), digest, damaged));
                let forgotten = node.units[0].key.as_ref().map(|key| board.store.forget(&key.digest));
                return match forgotten {
                    Some(Err(error)) => Put::Refused(error.into()),
                    _ => Put::Lost,
                };
            }
            Err(error) => return Put::Refused(error.into()),
        };
        let path = request.outputs.get(name);
        if let Some(path) = path {
            let what = What::Output(board.graph.shown(name));
            // Of many rows most may be as they were: files that others watch are left alone.
            let same = wanted.row.is_some() && files.holds(&what, &blob);
            if !same && let Err(error) = files.write(&what, &blob, stopped) {
                return Put::Refused(error);
            }
            events.send(&Event::Written { output: name.clone(), path: path.clone() });
        }
        let path = path.cloned().unwrap_or_else(|| board.store.path(&digest));
        self.0.insert(name.clone(), (Some(path), digest));
        Put::There
    }
}
