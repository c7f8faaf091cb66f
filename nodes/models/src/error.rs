//! The error of node bodies: what failed, what to do about it, and the chain of causes.

use std::{error::Error, fmt};

/// What kind of trouble a node met; decides the exit status and whether a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The media, tensors or parameters are at fault.
    Input,
    /// A model file, the pack or ONNX Runtime is at fault.
    Model,
    /// Reading or writing failed (missing file, full disk).
    Io,
    /// The run was cancelled; nothing is at fault.
    Cancelled,
}

/// A node's failure: one line, at most one hint, and the chain of causes.
#[derive(Debug)]
pub struct NodeError {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Result of a node body.
pub type Result<T, E = NodeError> = std::result::Result<T, E>;

impl NodeError {
    /// An error of `kind`; `message` is lower case, place first, actual against expected.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    /// Bad media, tensors or parameters.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// A bad model, pack or runtime.
    pub fn model(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Model, message)
    }

    /// Failed reading or writing.
    pub fn io(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Io, message)
    }

    /// The body noticed that the run was cancelled.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// Adds the one thing that the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error with the place that it was met at in front.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The same error with the port that it was met at in front.
    #[must_use]
    pub fn at_port(self, port: &str) -> Self {
        self.at(format_args!("port `{port}`"))
    }

    /// What kind of trouble this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The hint, if there is one.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for NodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
