//! What ends a plan or a run early, with the exit status that scripts see.

use std::{
    error::Error,
    io::{self, ErrorKind as Kind},
};

use talkgraph_cache::CacheError;
use talkgraph_nodes::error::NodeError;

use crate::{outputs::What, place::Place};

/// Why a plan or a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The request does not fit the graph: unknown names, missing inputs.
    #[error("{message}")]
    Usage {
        /// One line.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A node cannot be prepared or failed.
    #[error("{0}")]
    Node(#[from] Box<NodeFailure>),
    /// The store or an output file cannot be read or written.
    #[error("{0}")]
    Store(#[from] CacheError),
    /// An output file cannot be written.
    #[error("{what}: {message}")]
    Output {
        /// What was to be written.
        what: What,
        /// One line.
        message: String,
        /// What to do.
        hint: Option<String>,
        /// The system's answer.
        source: Option<io::Error>,
    },
    /// Cancelled by the user.
    #[error("interrupted")]
    Interrupted,
    /// Blobs kept being lost or damaged while they were read.
    #[error("the store lost blobs {0} times in a row while they were being used")]
    Unstable(usize),
    /// A defect of talkgraph.
    #[error("internal error: {0}")]
    Internal(String),
}

/// A node that cannot be prepared or failed.
#[derive(Debug, thiserror::Error)]
#[error("{place}: node `{node}`: {source}")]
pub struct NodeFailure {
    /// Its name.
    pub node: String,
    /// Where it is defined.
    pub place: Place,
    /// Whether it failed before any work.
    pub setup: bool,
    /// The cause.
    pub source: NodeError,
}

impl RunError {
    /// A usage error with a hint.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// The error's line without its place.
    pub fn line(&self) -> String {
        match self {
            Self::Node(failure) => format!("node `{}`: {}", failure.node, failure.source),
            other => other.to_string(),
        }
    }

    /// Where in the graph file it is.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Node(failure) => Some(&failure.place),
            _ => None,
        }
    }

    /// The exit status of the process.
    pub fn status(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::Node(failure) if failure.setup => 2,
            Self::Node(failure) if disk_trouble(&failure.source) => 3,
            Self::Node(_) | Self::Internal(_) => 1,
            Self::Store(_) | Self::Output { .. } | Self::Unstable(_) => 3,
            Self::Interrupted => 130,
        }
    }

    /// What the user can do, where something is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::Output { hint, .. } => hint.clone(),
            Self::Node(failure) => hint_in_chain(&failure.source),
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Unstable(_) => Some(
                "check the disk, then `talkgraph cache verify`; or choose another folder with --cache".into(),
            ),
            Self::Interrupted => Some("run the same command again to go on from here".into()),
            Self::Internal(_) => None,
        }
    }

    /// The causes, outermost first, without this error's own line.
    pub fn causes(&self) -> Vec<String> {
        let mut causes = vec![];
        let mut next = match self {
            Self::Node(failure) => failure.source.source(),
            Self::Store(error) => error.source(),
            other => other.source(),
        };
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }
}

/// The first hint along a chain of causes.
fn hint_in_chain(error: &NodeError) -> Option<String> {
    if let Some(hint) = error.hint_text() {
        return Some(hint.to_owned());
    }
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(hint) = cause.downcast_ref::<NodeError>().and_then(NodeError::hint_text) {
            return Some(hint.to_owned());
        }
        if let Some(hint) = cause.downcast_ref::<CacheError>().and_then(CacheError::hint) {
            return Some(hint.to_owned());
        }
        next = cause.source();
    }
    None
}

/// Whether a node failed because a disk is full or cannot be written to.
fn disk_trouble(error: &NodeError) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(Kind::StorageFull | Kind::QuotaExceeded | Kind::ReadOnlyFilesystem) = kind {
            return true;
        }
        next = cause.source();
    }
    false
}
