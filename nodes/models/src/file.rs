//! A model's file as it was when it was first read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use talkgraph_cache::{Digest, Fingerprint};

use crate::{
    error::{NodeError, Result},
    onnx::unchecked,
};

/// A model file of a pack.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// Role or file name for messages.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it computes, for keys: digest of its content, together with that of data files whose bytes it does not vouch for.
    pub digest: Digest,
    /// The files as they were read; absent for a setting of `pack.yaml`.
    pub(crate) files: Option<Arc<Fingerprint>>,
}

impl ModelFile {
    /// A file outside any pack, as it is now.
    pub fn at(path: &Path) -> Result<Self> {
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string());
        Ok(Self::of(name, path.to_owned(), fingerprint(path)?))
    }

    pub(crate) fn of(name: String, path: PathBuf, files: Fingerprint) -> Self {
        Self { name, path, digest: files.digest(), files: Some(Arc::new(files)) }
    }

    /// A setting of `pack.yaml`, which lies at `path`.
    pub(crate) fn setting(name: String, path: PathBuf, json: &str) -> Self {
        Self { name, path, digest: Digest::of(json.as_bytes()), files: None }
    }

    /// Fails unless `found` is the digest of the content that was read first.
    pub fn check_content(&self, found: Digest) -> Result<()> {
        match &self.files {
            Some(files) if files.content() != found => Err(self.differs(files.content(), found)),
            _ => Ok(()),
        }
    }

    /// Fails when the model or a data file of it has changed since it was read first.
    pub fn ensure_unchanged(&self) -> Result<()> {
        let check = self.files.as_ref().map_or(Ok(()), |files| files.check());
        check.map_err(|error| {
            let hint = error.hint().unwrap_or("run again");
            NodeError::model(format!("model {}: {error}", self.name)).hint(hint)
        })
    }

    pub(crate) fn differs(&self, expected: Digest, found: Digest) -> NodeError {
        let (path, expected, found) = (self.path.display(), expected.short(), found.short());
        NodeError::model(format!("model {}: {path}: expected blake3 {expected}…, found {found}…", self.name))
            .hint("the file is damaged or belongs to another version of the pack: restore it, or run `talkgraph pack verify`")
    }
}

/// A model file and the data files that it names, read whole.
pub fn fingerprint(path: &Path) -> Result<Fingerprint> {
    Fingerprint::take(path, Some(unchecked))
        .map_err(|error| NodeError::io(format!("{}: cannot be read", path.display())).caused_by(error))
}
