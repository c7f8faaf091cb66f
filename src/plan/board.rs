//! The board: what is known of every node, chunk and output while a graph is planned and run.
//!
//! A node's work comes in *units*: one for value and reduce nodes, one a chunk for map and scan nodes. Each output port
//! has *slots*, one a chunk. Nodes are held in topological order, so an index doubles as a rank.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    sync::Arc,
};

use talkgraph_cache::{Digest, Fingerprint, Key, Store};
use talkgraph_nodes::{
    artifact::{Artifact, ArtifactType},
    contract::{Arity, Pool, Rate, Time},
};

use super::{
    lazy::Lazy,
    unit::{NodeIx, UnitRef},
};
use crate::{
    graph::{Graph, NodeId},
    place::Place,
};

/// Everything known while a graph is planned and run.
pub struct Board<'g> {
    pub graph: &'g Graph,
    pub store: Store,
    pub nodes: Vec<NodeState>,
    /// Wanted outputs.
    pub outputs: Vec<Wanted>,
    /// Compare blobs with their digests before relying on them: set once damage was met.
    pub verify: bool,
    /// Pending consequences of what became known.
    pub(super) work: VecDeque<Task>,
    /// Units that may have become ready to start; the scheduler takes them.
    pub touched: Vec<UnitRef>,
    /// Nodes whose unconsumed chunks became fewer; the scheduler takes them.
    pub drained: Vec<NodeIx>,
    /// Blobs found missing or damaged: node, digest, whether damaged.
    pub lost: Vec<(NodeIx, Digest, bool)>,
    /// Units whose actions were found recorded; the scheduler takes them.
    pub found: Vec<UnitRef>,
    /// Nodes whose number of chunks became known; the scheduler takes them.
    pub measured: Vec<NodeIx>,
    /// Chunk counts that disagree: node and message.
    pub faults: Vec<(NodeIx, String)>,
    /// Blobs that are known to be in the store.
    pub(super) present: HashSet<Digest>,
}

/// An output that the user wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Name in the graph.
    pub name: String,
    /// The row that wants it, by its index, in a graph of many.
    pub row: Option<usize>,
    /// What gives it.
    pub node: NodeIx,
    /// Its port.
    pub port: usize,
}

/// A consequence to work out.
#[derive(Debug)]
pub enum Task {
    /// The chunked inputs of this node grew or ended.
    Grow(NodeIx),
    /// An input of this unit became known.
    Resolve(UnitRef),
}

/// One node.
pub struct NodeState {
    pub id: NodeId,
    pub name: Arc<str>,
    pub ty: Arc<str>,
    pub place: Place,
    pub time: Time,
    pub pool: Pool,
    /// The fields of the key that do not depend on inputs.
    pub fields: Vec<(String, String)>,
    pub inputs: Vec<InPort>,
    /// Files of the user's that its bodies read, as they were when their digests entered keys.
    pub files: Arc<[Arc<Fingerprint>]>,
    pub outputs: Vec<OutPort>,
    /// Output ports as bodies see them.
    pub specs: Arc<Vec<PortSpec>>,
    /// Frame rate of the chunked inputs; without any, of the whole sequences that come in.
    pub rate: Option<Rate>,
    /// Run again although results are known.
    pub refresh: bool,
    /// Only rows that are not worked on yet need it: it may read from the store what others hold in memory.
    pub later: bool,
    pub units: Vec<Unit>,
    /// Whether `units` is final.
    pub complete: bool,
    /// Units that are neither found nor done.
    pub unfinished: usize,
    /// Chunks that a reduce node has eaten.
    pub eaten: usize,
    /// Whether a reduce node has begun, perhaps before its key is known.
    pub begun: bool,
}

/// What a worker needs to know of an output port.
#[derive(Clone, Debug)]
pub struct PortSpec {
    pub name: String,
    pub ty: ArtifactType,
    pub sequence: bool,
    pub stored: bool,
}

/// A connected input port.
pub struct InPort {
    pub name: Arc<str>,
    pub arity: Arity,
    pub feed: Feed,
}

/// Where an input comes from.
pub enum Feed {
    /// The user's file.
    File { artifact: Artifact, digest: Digest },
    /// A graph input that was not given (only in plans).
    Absent,
    /// An output port of another node.
    Port(NodeIx, usize),
}

/// An output port.
pub struct OutPort {
    /// Someone asks for it: a consumer on the board or the user.
    pub wanted: bool,
    /// New slots are wanted in memory or in the store.
    pub want_values: bool,
    pub slots: Vec<Slot>,
    /// Whether `slots` is final.
    pub complete: bool,
    /// Slots whose digest is known.
    pub known: usize,
    /// Slots of a sequence held in memory.
    pub live: usize,
    /// Digest of the list of slots, once all are known.
    pub list: Option<Digest>,
    pub consumers: Vec<(NodeIx, usize)>,
}

/// One artifact of an output port.
#[derive(Default)]
pub struct Slot {
    pub digest: Option<Digest>,
    /// The artifact in memory, or being read.
    pub data: Option<Arc<Lazy>>,
    pub value_wanted: bool,
    /// Made in this run, rather than only known from a record.
    pub made: bool,
}

/// How far a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Some input is not known yet.
    Unknown,
    /// The action is recorded.
    Hit,
    /// The action is not recorded.
    Miss,
    /// Its body runs.
    Running,
    /// It ran in this run.
    Done,
    /// It failed, or cannot run since another failed.
    Failed,
}

/// Why a unit is no hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No action of this key is recorded.
    NoAction,
    /// Asked for by `--refresh` or `cache: refresh`.
    Refresh,
    /// Recorded without storing an output that is to be stored now.
    NotStored,
    /// A blob of the recorded action is missing or damaged.
    Lost,
    /// Recorded, but its outputs are not stored and someone needs them.
    Unstored,
}

/// One unit of work.
pub struct Unit {
    pub key: Option<Arc<Key>>,
    pub phase: Phase,
    pub why: Option<Why>,
    /// Whether an action of this key is recorded.
    pub recorded: bool,
    /// Whether it is to run.
    pub go: bool,
    /// State after this chunk of a scan: in the store under this digest.
    pub state: Option<Digest>,
    /// The same state in memory.
    pub state_data: Option<Arc<Lazy>>,
    pub notes: serde_json::Value,
}

impl Unit {
    pub fn new() -> Self {
        Self {
            key: None,
            phase: Phase::Unknown,
            why: None,
            recorded: false,
            go: false,
            state: None,
            state_data: None,
            notes: serde_json::Value::Null,
        }
    }

    /// Whether nothing more is expected of it.
    pub fn finished(&self) -> bool {
        match self.phase {
            Phase::Done | Phase::Failed => true,
            Phase::Hit => !self.go,
            Phase::Unknown | Phase::Miss | Phase::Running => false,
        }
    }
}

impl NodeState {
    /// Chunks made but not yet consumed that are held in memory.
    pub fn live(&self) -> usize {
        self.outputs.iter().map(|port| port.live).max().unwrap_or(0)
    }

    /// Whether its units are chunks.
    pub fn is_chunked(&self) -> bool {
        matches!(self.time, Time::Map | Time::Scan)
    }

    /// Whether all its units are finished and no more will come.
    pub fn finished(&self) -> bool {
        self.complete && self.unfinished == 0
    }

    /// Input ports that are taken chunk by chunk, with where they come from.
    pub fn chunked(&self) -> impl Iterator<Item = (&InPort, NodeIx, usize)> {
        self.inputs.iter().filter(|port| port.arity == Arity::Chunk).filter_map(|port| match port.feed {
            Feed::Port(node, output) => Some((port, node, output)),
            Feed::File { .. } | Feed::Absent => None,
        })
    }
}

impl OutPort {
    /// Whether all digests are known and no slot will be added.
    pub fn settled(&self) -> bool {
        self.complete && self.known == self.slots.len()
    }
}

impl Board<'_> {
    pub fn unit(&self, (node, unit): UnitRef) -> &Unit {
        &self.nodes[node].units[unit]
    }

    pub fn unit_mut(&mut self, (node, unit): UnitRef) -> &mut Unit {
        &mut self.nodes[node].units[unit]
    }

    /// The digest of a wanted output that is there, in the store, or whose parts all are.
    pub fn there(&self, wanted: &Wanted) -> Option<Digest> {
        let node = &self.nodes[wanted.node];
        let port = &node.outputs[wanted.port];
        if node.specs[wanted.port].sequence {
            return port.list.filter(|_| node.finished());
        }
        let unit = &node.units[0];
        port.slots[0].digest.filter(|_| unit.recorded && !unit.go)
    }

    /// The nodes that these need, themselves among them, each once.
    pub fn needed(&self, nodes: impl IntoIterator<Item = NodeIx>) -> Vec<NodeIx> {
        let mut needed: BTreeSet<NodeIx> = BTreeSet::new();
        let mut open: Vec<NodeIx> = nodes.into_iter().collect();
        while let Some(ix) = open.pop() {
            if needed.insert(ix) {
                let feeds = self.nodes[ix].inputs.iter().map(|port| &port.feed);
                open.extend(feeds.filter_map(|feed| match feed {
                    Feed::Port(from, _) => Some(*from),
                    Feed::File { .. } | Feed::Absent => None,
                }));
            }
        }
        needed.into_iter().collect()
    }

    /// The unit that fills slot `k` of a port of `node`.
    pub fn maker(&self, node: NodeIx, k: usize) -> UnitRef {
        match self.nodes[node].time {
            Time::Map | Time::Scan => (node, k),
            Time::Value | Time::Reduce => (node, 0),
        }
    }
}
