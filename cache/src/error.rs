//! What can go wrong with a store.

use std::{io, path::PathBuf};

/// Result of a store operation.
pub type Result<T, E = CacheError> = std::result::Result<T, E>;

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Reading or writing failed.
    #[error("{}: cannot {verb}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb with its object.
        verb: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// Something else is where the store should be.
    #[error("{}: expected a store folder, found a file", .0.display())]
    NotAFolder(PathBuf),
    /// A pipe, a device or a socket is where a file should be: what it gives can be read only once.
    #[error("{}: expected a file, found a pipe, a device or a socket", .0.display())]
    NotAFile(PathBuf),
    /// No file has a name that fits a pattern.
    #[error("{}: no file fits this pattern", .0.display())]
    NoMatch(PathBuf),
    /// What asks for files by their names is no pattern.
    #[error("{}: not a pattern of file names: {reason}", path.display())]
    BadPattern {
        /// The pattern.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file or folder is not what it was when the run began.
    #[error("{}: changed while it was in use", .0.display())]
    Changed(PathBuf),
    /// Another process works on the store, so nothing may be removed from it now.
    #[error("{}: the store is in use by another process", .0.display())]
    InUse(PathBuf),
}

impl CacheError {
    pub(crate) fn io(path: impl Into<PathBuf>, verb: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, verb, source }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    /// What the user can do, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
                    "free space with `talkgraph cache gc --max-size 1GiB`, or choose another folder with --cache",
                ),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Some("choose a folder that you may write to with --cache")
                }
                _ => None,
            },
            Self::NotAFolder(_) => Some("choose a folder with --cache"),
            Self::NotAFile(_) => Some("save what it gives in a file first, and name that"),
            Self::NoMatch(_) => {
                Some("`*` and `?` stand for parts of a name, `**` for folders; put the pattern in quotes")
            }
            Self::BadPattern { .. } => Some("`*`, `?` and `[…]` stand for parts of a name, `**` for folders"),
            Self::Changed(_) => Some("run again once nothing writes to it; what was made of it is not kept"),
            Self::InUse(_) => Some("try again when no run is active"),
        }
    }
}
