//! Versions of the program's libraries, remembered from run to run: asking takes as long as loading a hundred libraries, and a run whose
//! results are all stored needs nothing else of the program.
//!
//! What is remembered holds while the program, every shared library that it was made of and the loader's own list of libraries are the
//! same files as then, and the environment names the same places.

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{
    facts::facts,
    process::{LIBRARIES, program},
};
use crate::error::Result;

/// Raised when the layout changes.
const LAYOUT: u32 = 1;

/// The loader's list of libraries: a new one may come before those of then.
const LOADER: &str = "/etc/ld.so.cache";

/// A file that changed so shortly before could change again unseen.
const YOUNG: Duration = Duration::from_secs(2);

#[derive(Serialize, Deserialize)]
struct Memo {
    layout: u32,
    /// What [`LIBRARIES`] named.
    places: Option<String>,
    files: Vec<(PathBuf, Option<Stamp>)>,
    libraries: Vec<(String, String)>,
}

/// What a file's content cannot change without.
#[derive(PartialEq, Serialize, Deserialize)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
    modified: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            changed: (meta.ctime(), meta.ctime_nsec()),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })
    }
}

/// The program's libraries with their versions, as [`facts`] has them; without starting it where they are known.
///
/// # Errors
/// As [`facts`].
pub fn libraries() -> Result<&'static [(String, String)]> {
    static KNOWN: OnceLock<Result<Vec<(String, String)>>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let program = program()?;
        let memo = place();
        if let Some(found) = memo.as_deref().and_then(|memo| remembered(memo, &program)) {
            return Ok(found);
        }
        let facts = facts()?;
        if let Some(memo) = memo {
            // Whoever cannot remember asks again.
            let _ = remember(&memo, &program, &facts.files, &facts.libraries);
        }
        Ok(facts.libraries.clone())
    });
    known.as_deref().map_err(Clone::clone)
}

/// The file in the user's cache folder.
fn place() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("talkgraph/media-libraries"))
}

fn places() -> Option<String> {
    env::var_os(LIBRARIES).map(|value| value.to_string_lossy().into_owned())
}

/// What `memo` holds for `program`, if it still holds.
fn remembered(memo: &Path, program: &Path) -> Option<Vec<(String, String)>> {
    let Memo { layout, places: then, files, libraries } = postcard::from_bytes(&fs::read(memo).ok()?).ok()?;
    let same = layout == LAYOUT && then == places() && files.first()?.0 == program;
    (same && files.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)).then_some(libraries)
}

fn remember(memo: &Path, program: &Path, files: &[String], libraries: &[(String, String)]) -> io::Result<()> {
    let files = [program, Path::new(LOADER)].into_iter().chain(files.iter().map(Path::new));
    let files: Vec<_> = files.map(|path| (path.to_owned(), Stamp::of(path))).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let settled = now.saturating_sub(YOUNG).as_secs() as i64;
    if files.iter().any(|(_, stamp)| stamp.as_ref().is_some_and(|stamp| stamp.changed.0 >= settled)) {
        return Ok(());
    }
    let memo_now = Memo { layout: LAYOUT, places: places(), files, libraries: libraries.to_vec() };
    let bytes = postcard::to_stdvec(&memo_now).map_err(io::Error::other)?;
    let folder = memo.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    // Written beside and renamed: another run may read it now.
    let partial = folder.join(format!("media-libraries.{}", std::process::id()));
    fs::write(&partial, bytes)?;
    fs::rename(&partial, memo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_ends_with_any_of_its_files() {
        let folder = env::temp_dir().join(format!("talkgraph-memo-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (memo, program, library) = (folder.join("memo"), folder.join("program"), folder.join("a.so"));
        fs::write(&program, "program").unwrap();
        fs::write(&library, "library").unwrap();
        let versions = vec![("a".to_owned(), "1.2".to_owned())];
        let files = [library.display().to_string()];
        // Files of this very moment are not trusted.
        remember(&memo, &program, &files, &versions).unwrap();
        assert!(remembered(&memo, &program).is_none());
        std::thread::sleep(YOUNG + Duration::from_millis(1100));
        remember(&memo, &program, &files, &versions).unwrap();
        assert_eq!(remembered(&memo, &program), Some(versions));
        assert!(remembered(&memo, &library).is_none());
        fs::write(&library, "another").unwrap();
        assert!(remembered(&memo, &program).is_none());
        fs::write(&memo, b"nonsense").unwrap();
        assert!(remembered(&memo, &program).is_none());
        fs::remove_dir_all(folder).unwrap();
    }
}
