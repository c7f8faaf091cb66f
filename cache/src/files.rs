//! Digests of the user's files, remembered as long as a file looks the same.

use std::{
    fs,
    path::{Path, PathBuf},
};

use glob::MatchOptions;
use serde::{Deserialize, Serialize};

use crate::{
    CacheError, Digest, Fingerprint, Names, Result, Store,
    fingerprint::{Seen, Stamp, hash},
};

#[derive(Serialize, Deserialize)]
struct Memory {
    path: PathBuf,
    stamp: Stamp,
    digest: Digest,
    /// What the content names, where that was asked for.
    names: Option<Vec<String>>,
}

impl Store {
    /// Digest of a file's content, or of a folder's files in natural order (their names do not count).
    pub fn file_digest(&self, path: &Path) -> Result<Digest> {
        Ok(self.fingerprint(path, None)?.digest())
    }

    /// As [`Fingerprint::take`], with files that look as they did when they were last read taken from memory.
    pub fn fingerprint(&self, path: &Path, names: Option<Names>) -> Result<Fingerprint> {
        Fingerprint::gather(path, &[], &|path, main| self.remembered(path, names.filter(|_| main)))
    }

    /// The same for a file, or for those of a list of files (a folder's, or what a pattern finds) whose names end in one of `endings`
    /// (in lower case, without the dot). No endings: all of a folder's files, and no patterns.
    pub fn input_fingerprint(&self, path: &Path, endings: &[String]) -> Result<Fingerprint> {
        Fingerprint::gather(path, endings, &|path, _| self.remembered(path, None))
    }

    fn remembered(&self, path: &Path, names: Option<Names>) -> Result<(Seen, Vec<String>)> {
        let full = fs::canonicalize(path).map_err(CacheError::io(path, "resolve"))?;
        let stamp = Stamp::of(&fs::metadata(&full).map_err(CacheError::io(path, "open"))?);
        let place = self.sharded("files", &Digest::of(full.as_os_str().as_encoded_bytes()));
        if let Ok(bytes) = fs::read(&place)
            && let Ok(known) = serde_json::from_slice::<Memory>(&bytes)
            && known.path == full
            && known.stamp == stamp
            && (names.is_none() || known.names.is_some())
        {
            // Only what had settled was written down.
            return Ok((Seen::new(stamp, known.digest, true), known.names.unwrap_or_default()));
        }
        let (seen, bytes) = hash(&full, names.is_some())?;
        let names = bytes.zip(names).map(|(bytes, names)| names(&bytes));
        if seen.is_settled() {
            let memory =
                Memory { path: full, stamp: seen.stamp.clone(), digest: seen.digest, names: names.clone() };
            if let Ok(bytes) = serde_json::to_vec(&memory) {
                // Only a memory: a store that cannot be written to still gives right digests.
                let _ = self.write(&place, &bytes);
            }
        }
        Ok((seen, names.unwrap_or_default()))
    }
}

/// The files that `path` stands for, in natural order (`2.png` before `10.png`): those of a folder, without its sub-folders, or
/// those whose names fit a pattern ([`is_pattern`]). Hidden ones do not count. `None` for what is no list of files.
///
/// # Errors
/// A folder that cannot be listed, a pattern that is none or that nothing fits.
pub fn listed(path: &Path) -> Result<Option<Vec<PathBuf>>> {
    let mut files = match path {
        _ if path.is_dir() => in_folder(path)?,
        _ if is_pattern(path) => matching(path)?,
        _ => return Ok(None),
    };
    alphanumeric_sort::sort_path_slice(&mut files);
    Ok(Some(files))
}

/// Whether `path` asks for files by their names: it has `*`, `?` or `[`, and there is nothing of exactly this name.
pub fn is_pattern(path: &Path) -> bool {
    let marked = path.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte));
    marked && path.symlink_metadata().is_err()
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).map_err(CacheError::io(folder, "list the folder"))? {
        let path = entry.map_err(CacheError::io(folder, "list the folder"))?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    Ok(files)
}

fn matching(pattern: &Path) -> Result<Vec<PathBuf>> {
    let bad = |reason: String| CacheError::BadPattern { path: pattern.to_owned(), reason };
    let text = pattern.to_str().ok_or_else(|| bad("it is not UTF-8".into()))?;
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = glob::glob_with(text, options).map_err(|error| bad(error.msg.into()))?;
    let mut files = vec![];
    for path in found {
        let path = path.map_err(|error| {
            let folder = error.path().to_owned();
            CacheError::io(folder, "list the folder")(error.into())
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() { Err(CacheError::NoMatch(pattern.to_owned())) } else { Ok(files) }
}

/// Whether the name of `path` ends in a dot and one of `endings`, which are in lower case.
pub fn has_ending(path: &Path, endings: &[impl AsRef<str>]) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| endings.iter().any(|known| known.as_ref() == ending))
}

/// Digest of the content of a file of the store's own, which no one changes in place.
pub(crate) fn hash_file(path: &Path) -> Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(path).map_err(CacheError::io(path, "read"))?;
    Ok(hasher.finalize().into())
}
