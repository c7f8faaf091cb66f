//! Stopping running models.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use ort::session::RunOptions;

use crate::error::{NodeError, Result};

/// Ends runs from another thread: running models stop between two of their operators, later runs fail at once.
#[derive(Default)]
pub(super) struct Interrupt {
    stopped: AtomicBool,
    sessions: Mutex<Vec<Arc<RunOptions>>>,
}

impl Interrupt {
    /// Takes care of a session's runs from now on.
    pub(super) fn watch(&self, options: Arc<RunOptions>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if self.stopped.load(Ordering::SeqCst) {
            terminate(&options);
        }
        sessions.push(options);
    }

    /// Stops everything.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        let sessions = self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        sessions.iter().for_each(|options| terminate(options));
    }

    /// Fails once stopped.
    pub(super) fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::SeqCst) { Err(NodeError::cancelled()) } else { Ok(()) }
    }
}

fn terminate(options: &RunOptions) {
    if let Err(error) = options.terminate() {
        tracing::warn!("a model could not be stopped: {error}");
    }
}
