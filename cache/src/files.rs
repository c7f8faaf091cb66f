//! Digests of the user's files, remembered as long as a file looks the same.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{CacheError, Digest, Result, Store};

/// A file changed this recently may change again within one tick of its clock: its digest is not remembered.
const SETTLED: Duration = Duration::from_secs(2);

/// What a file looked like when it was hashed.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    path: PathBuf,
    size: u64,
    modified: (i64, i64),
    inode: (u64, u64),
}

#[derive(Serialize, Deserialize)]
struct Memory {
    look: Look,
    digest: Digest,
}

impl Store {
    /// Digest of a file's content, or of a folder's files in natural order (their names do not count).
    pub fn file_digest(&self, path: &Path) -> Result<Digest> {
        let meta = fs::metadata(path).map_err(CacheError::io(path, "open"))?;
        if meta.is_dir() {
            let mut hasher = blake3::Hasher::new_derive_key("talkgraph folder of files");
            for file in folder_files(path)? {
                hasher.update(self.file_digest(&file)?.as_bytes());
            }
            return Ok(hasher.finalize().into());
        }
        let full = fs::canonicalize(path).map_err(CacheError::io(path, "resolve"))?;
        let look = Look {
            path: full,
            size: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            inode: (meta.dev(), meta.ino()),
        };
        let memory = self.sharded("files", &Digest::of(look.path.as_os_str().as_encoded_bytes()));
        if let Ok(bytes) = fs::read(&memory)
            && let Ok(known) = serde_json::from_slice::<Memory>(&bytes)
            && known.look == look
        {
            return Ok(known.digest);
        }
        let digest = hash_file(path)?;
        let settled = meta.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        if settled.is_some_and(|age| age > SETTLED)
            && let Ok(bytes) = serde_json::to_vec(&Memory { look, digest })
        {
            // Only a memory: a store that cannot be written to still gives right digests.
            let _ = self.write(&memory, &bytes);
        }
        Ok(digest)
    }
}

/// The files of a folder in natural order (`2.png` before `10.png`), without hidden ones and without sub-folders.
pub fn folder_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).map_err(CacheError::io(folder, "list the folder"))? {
        let path = entry.map_err(CacheError::io(folder, "list the folder"))?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    alphanumeric_sort::sort_path_slice(&mut files);
    Ok(files)
}

/// Digest of a file's content.
pub(crate) fn hash_file(path: &Path) -> Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(path).map_err(CacheError::io(path, "read"))?;
    Ok(hasher.finalize().into())
}
