//! What happened in a run, kept over all plans that it took.

use std::collections::{BTreeMap, HashMap, HashSet};

use talkgraph_cache::Digest;

use super::rows::RowEnd;
use crate::{
    failure::RunError,
    plan::{board::NodeState, unit::NodeIx},
};

/// What happened so far.
#[derive(Default)]
pub struct Tally {
    /// Units that ran, by node and digest of their action.
    pub ran: HashMap<String, HashSet<Digest>>,
    /// Time of bodies by node.
    pub seconds: BTreeMap<NodeIx, f64>,
    /// Nodes that failed.
    pub failures: Vec<(NodeIx, RunError)>,
    /// Nodes that could not run since another failed.
    pub skipped: HashSet<NodeIx>,
    /// Rows of a graph of many jobs that are over.
    pub rows: BTreeMap<usize, RowEnd>,
    /// Blobs that were missing or damaged.
    pub lost: Vec<(String, Digest, bool)>,
    /// What ended the run as a whole.
    pub fatal: Option<RunError>,
}

impl Tally {
    /// A unit ran.
    pub fn ran(&mut self, ix: NodeIx, node: &NodeState, k: usize, seconds: f64) {
        if let Some(key) = node.units.get(k).and_then(|unit| unit.key.as_ref()) {
            self.ran.entry(node.name.to_string()).or_default().insert(key.digest);
        }
        self.add_seconds(ix, seconds);
    }

    /// Whether the action `key` ran for the node called `node`.
    pub fn has_run(&self, node: &str, key: &Digest) -> bool {
        self.ran.get(node).is_some_and(|keys| keys.contains(key))
    }

    /// Adds time to a node.
    pub fn add_seconds(&mut self, node: NodeIx, seconds: f64) {
        *self.seconds.entry(node).or_default() += seconds;
    }
}
