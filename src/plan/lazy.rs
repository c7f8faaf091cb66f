//! Artifacts that are read from the store when someone first looks at them, and shared from then on.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use talkgraph_cache::{CacheError, Digest, Read, Store};
use talkgraph_nodes::{
    artifact::{Artifact, ArtifactType, FileRef, Value},
    body::Sequence,
    codec,
    error::{NodeError, Result},
};

use super::unit::UnitRef;

/// One artifact, in memory already or in the store.
pub struct Lazy {
    /// The unit that made it.
    maker: UnitRef,
    source: Option<(Digest, ArtifactType)>,
    cell: OnceLock<Artifact>,
    loading: Mutex<()>,
}

/// A blob that could not be read as what it should be.
#[derive(Clone, Copy, Debug)]
pub struct LostBlob {
    /// The unit that made it.
    pub maker: UnitRef,
    /// Its digest.
    pub digest: Digest,
    /// Damaged, or else missing.
    pub damaged: bool,
}

/// Where a job's threads leave what went wrong with the store while they read.
#[derive(Default)]
pub struct Trouble {
    lost: Mutex<Option<LostBlob>>,
    store: Mutex<Option<CacheError>>,
}

impl Trouble {
    /// The first lost blob.
    pub fn lost(&self) -> Option<LostBlob> {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store's last error.
    pub fn take_store_error(&self) -> Option<CacheError> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps a store error aside and gives the body something to stop with.
    pub fn store_error(&self, error: CacheError) -> NodeError {
        let message = error.to_string();
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        NodeError::io(message)
    }
}

impl Lazy {
    /// An artifact that is in memory.
    pub fn memory(maker: UnitRef, artifact: Artifact) -> Arc<Self> {
        Arc::new(Self { maker, source: None, cell: artifact.into(), loading: Mutex::new(()) })
    }

    /// An artifact in the store.
    pub fn blob(maker: UnitRef, digest: Digest, ty: ArtifactType) -> Arc<Self> {
        Arc::new(Self { maker, source: Some((digest, ty)), cell: OnceLock::new(), loading: Mutex::new(()) })
    }

    /// The artifact, read on first use.
    pub fn get(&self, store: &Store, trouble: &Trouble) -> Result<Artifact> {
        if let Some(artifact) = self.cell.get() {
            return Ok(artifact.clone());
        }
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(artifact) = self.cell.get() {
            return Ok(artifact.clone());
        }
        let Some((digest, ty)) = self.source else {
            return Err(NodeError::io("an artifact is neither in memory nor in the store"));
        };
        let damaged = match store.read(&digest).map_err(|error| trouble.store_error(error))? {
            Read::Found(blob) => {
                let mut value = codec::decode(ty, &blob, &store.path(&digest))?;
                if let Value::File(file) = &mut value {
                    *file = FileRef { path: store.path(&digest), digest: Some(digest) };
                }
                return Ok(self.cell.get_or_init(|| Arc::new(value)).clone());
            }
            Read::Missing => false,
            Read::Corrupt => true,
        };
        let lost = LostBlob { maker: self.maker, digest, damaged };
        trouble.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(lost);
        Err(NodeError::io(format!(
            "blob {}: {} in the store",
            digest.short(),
            if damaged { "damaged" } else { "missing" }
        )))
    }
}

/// A whole sequence in the store, read chunk by chunk.
pub struct StoredSequence {
    /// The chunks.
    pub chunks: Vec<Arc<Lazy>>,
    /// Where they are.
    pub store: Store,
    /// Where trouble is left.
    pub trouble: Arc<Trouble>,
}

impl Sequence for StoredSequence {
    fn len(&self) -> usize {
        self.chunks.len()
    }

    fn chunk(&self, k: usize) -> Result<Artifact> {
        let chunk = self.chunks.get(k).ok_or_else(|| {
            NodeError::input(format!("chunk {k}: the sequence has {} chunks", self.chunks.len()))
        })?;
        // A copy of the reference without the shared cell: a long sequence is not kept in memory.
        match chunk.source {
            Some((digest, ty)) => Lazy::blob(chunk.maker, digest, ty).get(&self.store, &self.trouble),
            None => chunk.get(&self.store, &self.trouble),
        }
    }
}
