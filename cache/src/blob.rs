//! Blobs: bytes named by their digest, verified when they are read.

use std::{
    fs,
    io::ErrorKind,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

use memmap2::Mmap;

use crate::{CacheError, Digest, Result, Store, files};

/// Blobs up to this size are read into memory: mapping them would cost more.
const MAP_FROM: u64 = 64 * 1024;

/// The content of a blob. Cloning shares the memory.
#[derive(Clone)]
pub struct Blob(Arc<Content>);

enum Content {
    Memory(Vec<u8>),
    Mapped(Mmap),
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Content::Memory(bytes) => bytes,
            Content::Mapped(map) => map,
        }
    }
}

/// What reading a blob found.
pub enum Read {
    /// The content, equal to its digest.
    Found(Blob),
    /// No such blob.
    Missing,
    /// The file did not match its digest; it was moved to the store's `corrupt` folder.
    Corrupt,
}

impl Store {
    /// Where the blob `digest` is, or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.sharded("blobs", digest)
    }

    /// Whether the blob is there. Its content is not looked at.
    pub fn has(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Size of the blob in bytes, if it is there.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|meta| meta.len())
    }

    /// Stores `bytes`.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        // A blob that was not verified yet may be damaged: writing it again mends it.
        if !(self.is_verified(&digest) && self.has(&digest)) {
            self.write(&self.path(&digest), bytes)?;
            self.set_verified(digest);
        }
        Ok(digest)
    }

    /// Stores the file at `path`, which must be on the store's file system (see [`Store::scratch`]) and is gone after.
    pub fn put_file(&self, path: &Path) -> Result<Digest> {
        let digest = files::hash_file(path)?;
        let target = self.path(&digest);
        if self.is_safe() {
            fs::File::open(path)
                .and_then(|file| file.sync_all())
                .map_err(CacheError::io(path, "write to disk"))?;
        }
        let parent = target.parent().unwrap_or(self.root());
        fs::create_dir_all(parent).map_err(CacheError::io(parent, "create the folder"))?;
        fs::rename(path, &target).map_err(CacheError::io(&target, "move the file into the store"))?;
        self.set_verified(digest);
        Ok(digest)
    }

    /// Reads a blob and compares it with its digest, once a process.
    pub fn read(&self, digest: &Digest) -> Result<Read> {
        let path = self.path(digest);
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Read::Missing),
            Err(error) => return Err(CacheError::io(path, "open the blob")(error)),
        };
        let size = file.metadata().map_err(CacheError::io(&path, "read the size of the blob"))?.len();
        let content = if size < MAP_FROM {
            Content::Memory(fs::read(&path).map_err(CacheError::io(&path, "read the blob"))?)
        } else {
            // SAFETY: blobs are never changed in place: they are written elsewhere, renamed, and only ever unlinked.
            Content::Mapped(unsafe { Mmap::map(&file) }.map_err(CacheError::io(&path, "map the blob"))?)
        };
        let blob = Blob(Arc::new(content));
        if !self.is_verified(digest) {
            if Digest::of(&blob) != *digest {
                self.set_aside(digest)?;
                return Ok(Read::Corrupt);
            }
            self.set_verified(*digest);
        }
        Ok(Read::Found(blob))
    }

    /// Moves a damaged blob out of the way.
    fn set_aside(&self, digest: &Digest) -> Result<()> {
        let (from, folder) = (self.path(digest), self.root().join("corrupt"));
        tracing::warn!(path = %from.display(), "damaged blob moved aside");
        fs::create_dir_all(&folder).map_err(CacheError::io(&folder, "create the folder"))?;
        match fs::rename(&from, folder.join(digest.to_string())) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(CacheError::io(from, "move the damaged blob aside")(error))
            }
            _ => Ok(()),
        }
    }
}
