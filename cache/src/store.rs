//! The store's folder: where things are, how they are written, which locks are held.

use std::{
    fs::{self, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use dashmap::{DashMap, DashSet};
use tempfile::TempDir;

use crate::{CacheError, Digest, Result, flight::Waiters};

/// The folder below the user's that this layout lives in. A layout that older programs cannot read gets a new name.
const BUCKET: &str = "v1";

/// How hard a write is driven to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Let the system write when it likes: a power cut may cost recent entries, which are then noticed when read.
    #[default]
    Fast,
    /// `fsync` every blob and record before it is visible.
    Safe,
}

/// A content-addressed store and action cache in one folder. Cloning shares it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    root: PathBuf,
    durability: Durability,
    /// Held shared while the store is open, so that nothing is collected under a running process.
    lock: fs::File,
    verified: DashSet<Digest>,
    waiters: DashMap<Digest, Arc<Waiters>>,
}

impl Store {
    /// Opens, and creates where needed, the store in `folder`.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self> {
        if folder.is_file() {
            return Err(CacheError::NotAFolder(folder.to_owned()));
        }
        let root = folder.join(BUCKET);
        fs::create_dir_all(&root).map_err(CacheError::io(&root, "create the store"))?;
        let path = root.join("in-use");
        let lock = fs::File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(CacheError::io(&path, "open the store"))?;
        lock.lock_shared().map_err(CacheError::io(&path, "lock the store"))?;
        let inner = Inner { root, durability, lock, verified: DashSet::new(), waiters: DashMap::new() };
        Ok(Self(Arc::new(inner)))
    }

    /// The folder that everything is in.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// A new folder on the store's file system for unfinished files, removed when dropped.
    pub fn scratch(&self) -> Result<TempDir> {
        let folder = self.root().join("scratch");
        fs::create_dir_all(&folder).map_err(CacheError::io(&folder, "create the folder"))?;
        TempDir::new_in(&folder).map_err(CacheError::io(&folder, "create a folder"))
    }

    /// The checkpoint kept for action `key`, if there is one.
    pub fn checkpoint(&self, key: &Digest) -> Result<Option<Vec<u8>>> {
        let path = self.sharded("checkpoints", key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CacheError::io(path, "read the checkpoint")(error)),
        }
    }

    /// Replaces the checkpoint of action `key`.
    pub fn save_checkpoint(&self, key: &Digest, bytes: &[u8]) -> Result<()> {
        self.write(&self.sharded("checkpoints", key), bytes)
    }

    /// Drops the checkpoint of action `key`, if there is one.
    pub fn drop_checkpoint(&self, key: &Digest) -> Result<()> {
        let path = self.sharded("checkpoints", key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(CacheError::io(path, "remove the checkpoint")(error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn sharded(&self, kind: &str, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        self.root().join(kind).join(&hex[..2]).join(hex)
    }

    /// Every file below the folder `kind`, in no order.
    pub(crate) fn entries(&self, kind: &str) -> Result<Vec<PathBuf>> {
        let mut files = vec![];
        let mut folders = vec![self.root().join(kind)];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(CacheError::io(folder, "list the folder")(error)),
            };
            for entry in entries {
                let path = entry.map_err(CacheError::io(&folder, "list the folder"))?.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        Ok(files)
    }

    /// Writes `bytes` beside `path` and renames: readers see all of it or nothing.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let folder = path.parent().unwrap_or(self.root());
        let write = || -> std::io::Result<()> {
            let mut file = match tempfile::Builder::new().prefix(".new-").tempfile_in(folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    fs::create_dir_all(folder)?;
                    tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?
                }
                other => other?,
            };
            file.write_all(bytes)?;
            if self.is_safe() {
                file.as_file().sync_all()?;
            }
            file.persist(path).map_err(|error| error.error)?;
            if self.is_safe() {
                fs::File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(CacheError::io(path, "write"))
    }

    pub(crate) fn is_safe(&self) -> bool {
        self.0.durability == Durability::Safe
    }

    pub(crate) fn is_verified(&self, digest: &Digest) -> bool {
        self.0.verified.contains(digest)
    }

    pub(crate) fn set_verified(&self, digest: Digest) {
        self.0.verified.insert(digest);
    }

    pub(crate) fn distrust(&self, digest: &Digest) {
        self.0.verified.remove(digest);
    }

    pub(crate) fn waiters(&self) -> &DashMap<Digest, Arc<Waiters>> {
        &self.0.waiters
    }

    /// Runs `work` while no other process has the store open.
    pub(crate) fn alone<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let lock = &self.0.lock;
        let back = || lock.lock_shared().map_err(CacheError::io(self.root(), "lock the store"));
        match lock.try_lock() {
            Ok(()) => {
                let result = work();
                back()?;
                result
            }
            // A failed upgrade may have dropped the shared lock.
            Err(TryLockError::WouldBlock) => back().and(Err(CacheError::InUse(self.root().to_owned()))),
            Err(TryLockError::Error(error)) => {
                back().and(Err(CacheError::io(self.root(), "lock the store")(error)))
            }
        }
    }
}
