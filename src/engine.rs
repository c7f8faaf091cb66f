//! What plans and runs stand on, and what is asked of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    thread,
};

use talkgraph_cache::Store;
use talkgraph_nodes::{models::Models, registry::Registry};

use crate::graph;

/// How many bodies of each pool run at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Bodies that compute without ONNX Runtime.
    pub cpu: usize,
    /// Bodies that run models, on each device. ONNX Runtime uses several threads for each; a second body works while the first is between its runs.
    pub model: usize,
    /// Bodies that wait for disks and codecs.
    pub io: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self { cpu: thread::available_parallelism().map_or(2, usize::from), model: 2, io: 4 }
    }
}

/// The parts that every plan and run uses.
#[derive(Clone)]
pub struct Engine {
    /// Node types.
    pub registry: Arc<Registry>,
    /// Blobs and actions.
    pub store: Store,
    /// The pack and the ONNX Runtime sessions.
    pub models: Arc<Models>,
    /// The same on further devices, which share the work of units that run models.
    pub others: Vec<Arc<Models>>,
    /// Sizes of the pools.
    pub slots: Slots,
}

/// What is asked of a graph.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Files of the graph's inputs, by name.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Where to write the graph's outputs, by name. None at all: every output is computed and stays in the store.
    pub outputs: BTreeMap<String, PathBuf>,
    /// The table that the rows of a graph of many jobs are from.
    pub table: Option<PathBuf>,
    /// Where the run's report will be written, by the caller.
    pub report: Option<PathBuf>,
    /// Where the run's trace will be written, by the caller.
    pub trace: Option<PathBuf>,
    /// Where the times of the models' operators will be written, by the caller.
    pub operators: Option<PathBuf>,
    /// Nodes to run again although their results are known, and parts of which all nodes are.
    pub refresh: BTreeSet<String>,
    /// Whether missing folders of the user's files are made.
    pub parents: bool,
    /// Whether branches that do not depend on a failed node go on.
    pub keep_going: bool,
    /// Most rows of a graph of many jobs that are worked on at a time; 0: as many as the engine thinks right.
    pub jobs: usize,
}

impl Request {
    /// Whether the node `id` is to run again.
    pub fn refreshes(&self, id: &str) -> bool {
        self.refresh.iter().any(|name| graph::is_in(id, name))
    }
}
