//! Model packs.

use std::path::{Path, PathBuf};

use talkgraph_cache::Digest;

use crate::error::{NodeError, Result};

/// A model file of a pack.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// Role or file name for messages.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its expected content.
    pub digest: Digest,
}

/// A checked pack.
pub struct Pack {}

impl Pack {
    /// Reads `pack.yaml` in `folder`.
    pub fn open(folder: &Path) -> Result<Self> {
        Err(NodeError::model(format!("{}: not a pack", folder.display())))
    }

    /// The model file of `role`.
    pub fn model(&self, role: &str) -> Result<&ModelFile> {
        Err(NodeError::model(format!("the pack has no role `{role}`")))
    }
}
