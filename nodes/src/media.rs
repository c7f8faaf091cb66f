//! The media process, as node types use it.

use talkgraph_media::{Error, Kind};

use crate::error::{ErrorKind, NodeError, Result};

/// Stands in keys where the program is missing: nothing is found under them, and the node that runs says what is wrong.
const MISSING: &str = "missing";

/// The versions of those of the program's libraries that `names` a node's results depend on.
pub(crate) fn facts(names: &[&'static str]) -> Vec<(&'static str, String)> {
    let libraries = talkgraph_media::libraries();
    let version = |name: &str| {
        let libraries = libraries.as_ref().ok()?;
        libraries.iter().find(|(library, _)| library == name).map(|(_, version)| version.clone())
    };
    names.iter().map(|&name| (name, version(name).unwrap_or_else(|| MISSING.to_owned()))).collect()
}

/// FFmpeg's libraries that decide what comes out.
pub(crate) const FFMPEG: [&str; 2] = ["libavcodec", "libavformat"];

/// The library of HEIC and AVIF.
pub(crate) const HEIF: &str = "libheif";

/// Results of the media process as those of nodes: neither crate knows the other, so that `?` alone cannot tell.
pub(crate) trait Told<T> {
    /// The same, a failure as a node's.
    fn told(self) -> Result<T>;
}

impl<T> Told<T> for Result<T, Error> {
    fn told(self) -> Result<T> {
        self.map_err(failed)
    }
}

fn failed(error: Error) -> NodeError {
    let kind = match error.kind() {
        Kind::Input => ErrorKind::Input,
        Kind::Io => ErrorKind::Io,
        Kind::Cancelled => return NodeError::cancelled(),
    };
    let mut own = NodeError::new(kind, error.to_string());
    if let Some(hint) = error.hint_text() {
        own = own.hint(hint);
    }
    match error.causes() {
        [] => own,
        causes => own.caused_by(causes.join(": ")),
    }
}
