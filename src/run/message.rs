//! What workers tell the scheduler.

use std::sync::mpsc::SyncSender;

use talkgraph_cache::{ActionRecord, CacheError, Digest};
use talkgraph_nodes::{
    artifact::Artifact,
    body::{ReduceBody, ScanBody},
    error::NodeError,
};

use super::emit::Made;
use crate::plan::{lazy::LostBlob, unit::UnitRef};

/// News from a worker.
pub enum Message {
    /// A value body gave an output; `go_on` lets it go on.
    Emitted {
        /// The unit.
        unit: UnitRef,
        /// The output.
        made: Made,
        /// Lets the body go on; dropped, the body is cancelled.
        go_on: SyncSender<()>,
    },
    /// The unit waits for another run that does the same action.
    Waiting,
    /// It waits no more.
    Resumed,
    /// The job is over.
    Ended {
        /// The unit.
        unit: UnitRef,
        /// The body, for its next chunk.
        body: Option<KeptBody>,
        /// How it went.
        result: Result<Ending, Failure>,
    },
}

/// A body that lives from chunk to chunk.
pub enum KeptBody {
    /// Of a scan node.
    Scan(Box<dyn ScanBody>),
    /// Of a reduce node.
    Reduce(Box<dyn ReduceBody>),
}

/// How a job ended well.
pub enum Ending {
    /// The unit ran.
    Ran {
        /// Outputs that were not emitted before.
        made: Vec<Made>,
        /// State after the chunk of a scan.
        state: Option<(Digest, Artifact)>,
        /// The body's notes.
        notes: serde_json::Value,
        /// Time of the body, with reading and storing.
        seconds: f64,
    },
    /// Another run has recorded the action meanwhile.
    Found(Box<ActionRecord>),
    /// A reduce body has eaten one chunk.
    Eaten {
        /// Time of the body, with reading.
        seconds: f64,
    },
}

/// How a job failed.
pub enum Failure {
    /// The body, or what it needs.
    Node(NodeError),
    /// A defect: the body panicked.
    Panic(String),
    /// The store.
    Store(CacheError),
    /// A blob is missing or damaged.
    Lost(LostBlob),
    /// Cancelled while waiting.
    Cancelled,
}
