//! What the engine does for a running body.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use talkgraph_cache::{Digest, Fingerprint, Store};
use talkgraph_nodes::{
    body::Host,
    error::{NodeError, Result},
};
use tempfile::TempDir;

use crate::events::{Event, Events};

/// A switch that ends a run early; clones share it.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The engine as one unit's body sees it (all of a reduce node's units share one).
pub struct UnitHost {
    pub node: Arc<str>,
    pub action: Digest,
    pub store: Store,
    /// Files of the user's that the body reads.
    files: Arc<[Arc<Fingerprint>]>,
    pub events: Events,
    /// Ctrl-C.
    pub cancel: Stop,
    /// This run ends early for another reason.
    pub halt: Stop,
    notes: Mutex<serde_json::Map<String, serde_json::Value>>,
    scratch: OnceLock<Option<TempDir>>,
    nowhere: PathBuf,
}

impl UnitHost {
    /// A host for the action `action` of `node`.
    pub fn new(
        node: Arc<str>,
        action: Digest,
        store: Store,
        files: Arc<[Arc<Fingerprint>]>,
        events: Events,
        cancel: Stop,
        halt: Stop,
    ) -> Self {
        let nowhere = store.root().join("scratch").join("unavailable");
        Self {
            node,
            action,
            store,
            files,
            events,
            cancel,
            halt,
            notes: Mutex::default(),
            scratch: OnceLock::new(),
            nowhere,
        }
    }

    /// Fails when a file that the body reads is not what the keys say any more. Asked before each of its outputs, so that nothing is
    /// kept, or handed on, that was made of other bytes.
    pub fn ensure_unchanged(&self) -> Result<()> {
        self.files.iter().try_for_each(|file| file.check()).map_err(|error| {
            let hint = error.hint().unwrap_or("run again");
            NodeError::input(error.to_string()).hint(hint)
        })
    }

    /// The body's notes so far.
    pub fn take_notes(&self) -> serde_json::Value {
        let notes = std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        if notes.is_empty() { serde_json::Value::Null } else { serde_json::Value::Object(notes) }
    }
}

impl Host for UnitHost {
    fn cancelled(&self) -> bool {
        self.cancel.stopped() || self.halt.stopped()
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.events.send(&Event::Progress { node: self.node.clone(), done, total });
    }

    fn note(&self, name: &str, value: serde_json::Value) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    fn warn(&self, message: &str) {
        self.events.send(&Event::Warning { node: self.node.clone(), message: message.to_owned() });
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        self.store
            .checkpoint(&self.action)
            .map_err(|error| NodeError::io("the checkpoint cannot be read").caused_by(error))
    }

    fn save_checkpoint(&self, bytes: &[u8]) -> Result<()> {
        self.store
            .save_checkpoint(&self.action, bytes)
            .map_err(|error| NodeError::io("the checkpoint cannot be written").caused_by(error))
    }

    fn scratch(&self) -> &Path {
        // A folder that cannot be made shows as the failing write of the body, with this path.
        let folder = self.scratch.get_or_init(|| self.store.scratch().ok());
        folder.as_ref().map_or(&self.nowhere, |folder| folder.path())
    }

    fn action(&self) -> Digest {
        self.action
    }
}
