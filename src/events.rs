//! The one stream of events that everything a user sees listens to: progress, lines, report, trace.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Serialize, Serializer};
use talkgraph_cache::Digest;

/// Something that happened in a run.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The plan is made. Sent again when it had to be made anew.
    Planned {
        /// Nodes in topological order.
        nodes: Vec<PlannedNode>,
    },
    /// The number of a node's chunks is known.
    Length {
        /// The node.
        node: Arc<str>,
        /// Its chunks.
        chunks: usize,
    },
    /// A body starts on a unit.
    Started {
        /// The node.
        node: Arc<str>,
        /// The chunk, for nodes that work in chunks.
        chunk: Option<usize>,
        /// The thread, counted from zero.
        lane: usize,
        /// The device, where several share the work.
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<Arc<str>>,
    },
    /// A body tells how far it is.
    Progress {
        /// The node.
        node: Arc<str>,
        /// Units done, of the body's own.
        done: u64,
        /// Units in all, if known.
        total: Option<u64>,
    },
    /// A body has finished a unit.
    Finished {
        /// The node.
        node: Arc<str>,
        /// The chunk, for nodes that work in chunks.
        chunk: Option<usize>,
        /// The thread, counted from zero.
        lane: usize,
        /// The device, where several share the work.
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<Arc<str>>,
        /// Time of the body, with reading and storing.
        seconds: f64,
    },
    /// A unit was found in the store after the plan was made.
    Found {
        /// The node.
        node: Arc<str>,
        /// The chunk, for nodes that work in chunks.
        chunk: Option<usize>,
    },
    /// Another process, or another run in this one, is doing the same; its result will be taken.
    Waiting {
        /// The node.
        node: Arc<str>,
    },
    /// A body warns.
    Warning {
        /// The node.
        node: Arc<str>,
        /// One line.
        message: String,
    },
    /// A blob was missing or damaged. What made it runs again.
    Lost {
        /// The node that made it.
        node: Arc<str>,
        /// The blob.
        digest: Digest,
        /// Damaged, or else missing.
        damaged: bool,
    },
    /// A node failed.
    Failed {
        /// The node.
        node: Arc<str>,
        /// The error and its causes.
        message: String,
    },
    /// A file was written for the user.
    Written {
        /// Name of the graph output.
        output: String,
        /// The file.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
    },
    /// One of many jobs is over.
    Row {
        /// Its number, from one.
        row: usize,
        /// What it is called: its place in a file, or its number.
        name: Arc<str>,
        /// `done` or `failed`.
        status: &'static str,
        /// How many are over.
        ended: usize,
        /// How many there are.
        total: usize,
    },
    /// Everything is over.
    Ended {
        /// `done`, `failed` or `interrupted`.
        status: &'static str,
    },
}

/// A path as text, whatever its bytes.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// A node as a plan found it.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedNode {
    /// Its name.
    pub node: Arc<str>,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Arc<str>,
    /// Whether it works in chunks.
    pub chunked: bool,
    /// Chunks in all, where known; one for nodes that do not work in chunks.
    pub total: Option<usize>,
    /// Chunks that need no work.
    pub cached: usize,
}

/// Someone who wants to hear of events. Called from several threads; must be quick.
pub trait Listener: Send + Sync {
    /// `at` is the time since the run began.
    fn event(&self, at: Duration, event: &Event);
}

/// The stream.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    start: Instant,
    listeners: Vec<Box<dyn Listener>>,
}

impl Events {
    /// A stream to `listeners` that begins now.
    pub fn new(listeners: Vec<Box<dyn Listener>>) -> Self {
        Self(Arc::new(Inner { start: Instant::now(), listeners }))
    }

    /// Tells every listener.
    pub fn send(&self, event: &Event) {
        let at = self.0.start.elapsed();
        for listener in &self.0.listeners {
            listener.event(at, event);
        }
    }

    /// Time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.0.start.elapsed()
    }
}
