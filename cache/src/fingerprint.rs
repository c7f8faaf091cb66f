//! What a user's file held when it was hashed, and how to tell that it still does.

use std::{
    fs::{self, File, Metadata},
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{CacheError, Digest, Result, has_ending, is_pattern, listed};

/// Two changes within one tick of the system's clock leave the same times behind; ticks are 10 ms or shorter.
const TICK: Duration = Duration::from_millis(20);

/// Some file systems keep whole seconds, and FAT two: a file that changed this recently is compared by its content.
const SETTLED: Duration = Duration::from_secs(2);

/// How often a file that changes while it is hashed is hashed again.
const TRIES: usize = 3;

/// Names, relative to a file's folder, of the files that its content leans on.
pub type Names = fn(&[u8]) -> Vec<String>;

/// What was seen of a file and, of the one that was asked for (`true`), the files that it names.
type Look<'a> = &'a dyn Fn(&Path, bool) -> Result<(Seen, Vec<String>)>;

/// What the system says of a file. The time of change cannot be set by programs, unlike that of modification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: (u64, u64),
}

impl Stamp {
    pub(crate) fn of(meta: &Metadata) -> Self {
        Self {
            size: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            inode: (meta.dev(), meta.ino()),
        }
    }

    /// Time since the last change; `None` where the clock says that it is still to come.
    fn age(&self) -> Option<Duration> {
        let changed = Duration::new(u64::try_from(self.changed.0).ok()?, u32::try_from(self.changed.1).ok()?);
        SystemTime::now().duration_since(UNIX_EPOCH).ok()?.checked_sub(changed)
    }
}

/// A file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    path: PathBuf,
    /// Absent where there was no regular file.
    seen: Option<Seen>,
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) stamp: Stamp,
    pub(crate) digest: Digest,
    /// Equal stamps mean equal contents from now on.
    settled: Arc<AtomicBool>,
}

impl Seen {
    pub(crate) fn new(stamp: Stamp, digest: Digest, settled: bool) -> Self {
        Self { stamp, digest, settled: Arc::new(AtomicBool::new(settled)) }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }
}

/// Digests of a file (with the files that it names) or of a list of files, and what the system said of them then.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    content: Digest,
    digest: Digest,
    parts: Vec<Part>,
    list: Option<List>,
}

/// Files that belong together: those of a folder, or those that a pattern finds.
#[derive(Clone, Debug)]
struct List {
    path: PathBuf,
    /// Endings, in lower case, of the names of files that count; none: all.
    endings: Vec<String>,
}

impl List {
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = listed(&self.path)?.unwrap_or_default();
        files.retain(|path| self.endings.is_empty() || has_ending(path, &self.endings));
        Ok(files)
    }
}

impl Fingerprint {
    /// Reads and hashes the file at `path` and, where `names` is given, the files that its content names.
    ///
    /// # Errors
    /// A file that cannot be read, is no regular file, or never stays the same while it is read.
    pub fn take(path: &Path, names: Option<Names>) -> Result<Self> {
        Self::gather(path, &[], &|path, main| {
            let (seen, bytes) = hash(path, main && names.is_some())?;
            Ok((seen, bytes.zip(names).map(|(bytes, names)| names(&bytes)).unwrap_or_default()))
        })
    }

    /// The same with `look` in place of reading: it gives what was seen of a file and, of the main one, what that names.
    /// `endings`: of the names of a folder's files that count; none: all.
    pub(crate) fn gather(path: &Path, endings: &[String], look: Look<'_>) -> Result<Self> {
        let list = || List { path: path.to_owned(), endings: endings.to_vec() };
        if !endings.is_empty() && is_pattern(path) {
            return Self::of_list(list(), look);
        }
        let meta = fs::metadata(path).map_err(CacheError::io(path, "open"))?;
        if meta.is_dir() {
            return Self::of_list(list(), look);
        }
        if !meta.is_file() {
            return Err(CacheError::NotAFile(path.to_owned()));
        }
        let (main, mut names) = look(path, true)?;
        let content = main.digest;
        let mut parts = vec![Part { path: path.to_owned(), seen: Some(main) }];
        names.sort_unstable();
        names.dedup();
        for name in &names {
            let path = path.with_file_name(name);
            let seen = if path.is_file() { Some(look(&path, false)?.0) } else { None };
            parts.push(Part { path, seen });
        }
        let digest = if names.is_empty() { content } else { whole(&content, &names, &parts[1..]) };
        Ok(Self { content, digest, parts, list: None })
    }

    fn of_list(list: List, look: Look<'_>) -> Result<Self> {
        let mut hasher = blake3::Hasher::new_derive_key("talkgraph folder of files");
        let mut parts = vec![];
        for path in list.files()? {
            let seen = look(&path, false)?.0;
            hasher.update(seen.digest.as_bytes());
            parts.push(Part { path, seen: Some(seen) });
        }
        let digest = Digest::from(hasher.finalize());
        Ok(Self { content: digest, digest, parts, list: Some(list) })
    }

    /// Digest of the file alone, or of the folder.
    pub fn content(&self) -> Digest {
        self.content
    }

    /// Digest of the file together with the files that it names: the content's own where it names none.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Fails when a file is not what it was any more. Compares times where they can be relied on, else contents.
    ///
    /// # Errors
    /// [`CacheError::Changed`], or a file that cannot be read.
    pub fn check(&self) -> Result<()> {
        if let Some(list) = &self.list
            && !list.files()?.iter().eq(self.parts.iter().map(|part| &part.path))
        {
            return Err(CacheError::Changed(list.path.clone()));
        }
        for part in &self.parts {
            if !part.holds()? {
                return Err(CacheError::Changed(part.path.clone()));
            }
        }
        Ok(())
    }
}

impl Part {
    fn holds(&self) -> Result<bool> {
        let Some(seen) = &self.seen else { return Ok(!self.path.is_file()) };
        // Opened, since a network's file system asks its server only then.
        let now = match File::open(&self.path).and_then(|file| file.metadata()) {
            Ok(meta) => Stamp::of(&meta),
            Err(_) => return Ok(false),
        };
        if now != seen.stamp || seen.is_settled() {
            return Ok(now == seen.stamp);
        }
        let again = hash(&self.path, false)?.0;
        let same = again.stamp == seen.stamp && again.digest == seen.digest;
        // A young file is compared by its content until it is old enough, not at every output of a long run.
        seen.settled.store(same && again.is_settled(), Ordering::Relaxed);
        Ok(same)
    }
}

fn whole(content: &Digest, names: &[String], parts: &[Part]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("talkgraph file and the files that it names");
    hasher.update(content.as_bytes());
    for (name, part) in names.iter().zip(parts) {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        match &part.seen {
            Some(seen) => hasher.update(&[1]).update(seen.digest.as_bytes()),
            None => hasher.update(&[0]),
        };
    }
    hasher.finalize().into()
}

/// Hashes what one opening of the file at `path` gives; `keep`: and gives its bytes.
pub(crate) fn hash(path: &Path, keep: bool) -> Result<(Seen, Option<Vec<u8>>)> {
    for _ in 0..TRIES {
        let mut file = File::open(path).map_err(CacheError::io(path, "open"))?;
        let look = |file: &File| file.metadata().map_err(CacheError::io(path, "read the size"));
        let stamp = Stamp::of(&look(&file)?);
        if let Some(rest) = stamp.age().and_then(|age| TICK.checked_sub(age)) {
            thread::sleep(rest);
        }
        let (digest, bytes) = if keep {
            let mut bytes = vec![];
            file.read_to_end(&mut bytes).map_err(CacheError::io(path, "read"))?;
            (Digest::of(&bytes), Some(bytes))
        } else {
            let mut hasher = blake3::Hasher::new();
            // Not mapped: a file of the user's may be cut short while it is read.
            hasher.update_reader(&file).map_err(CacheError::io(path, "read"))?;
            (hasher.finalize().into(), None)
        };
        if Stamp::of(&look(&file)?) == stamp {
            let settled = stamp.age().is_some_and(|age| age > SETTLED) && keeps_times(&file);
            return Ok((Seen::new(stamp, digest, settled), bytes));
        }
    }
    Err(CacheError::Changed(path.to_owned()))
}

/// Whether the file's system is one whose times of change are known to be kept, and by the system alone: not so on FAT, over
/// networks, and where a program stands behind it.
#[cfg(target_os = "linux")]
fn keeps_times(file: &File) -> bool {
    use std::os::fd::AsRawFd;
    const EXT: i64 = 0xef53;
    const XFS: i64 = 0x5846_5342;
    const BTRFS: i64 = 0x9123_683e;
    const TMPFS: i64 = 0x0102_1994;
    const OVERLAY: i64 = 0x794c_7630;
    const F2FS: i64 = 0xf2f5_2010;
    const ZFS: i64 = 0x2fc1_2fc1;
    const BCACHEFS: i64 = 0xca45_1a4e;
    const SQUASHFS: i64 = 0x7371_7368;
    const EROFS: i64 = 0xe0f5_e1e2;
    // SAFETY: all zeros is a `statfs`; the call fills it for an open file or says that it did not.
    let (done, found) = unsafe {
        let mut found: libc::statfs = std::mem::zeroed();
        (libc::fstatfs(file.as_raw_fd(), &raw mut found) == 0, found)
    };
    // The field's type differs between systems.
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless)]
    let kind = found.f_type as i64;
    done && [EXT, XFS, BTRFS, TMPFS, OVERLAY, F2FS, ZFS, BCACHEFS, SQUASHFS, EROFS].contains(&kind)
}

#[cfg(not(target_os = "linux"))]
fn keeps_times(_: &File) -> bool {
    false
}
