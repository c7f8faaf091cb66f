//! Bytes to where they go: regular files replaced whole, everything else written through.

use std::{
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Write},
    os::{
        fd::{AsRawFd, FromRawFd},
        unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    },
    path::Path,
    thread,
    time::Duration,
};

use super::target::{Identity, Target, folder_of};

/// How often it is looked whether a FIFO has a reader.
const LOOK: Duration = Duration::from_millis(20);

/// Start of the names of unfinished files.
const UNFINISHED: &str = ".talkgraph-";

/// Permissions of a new file, before the user's mask.
const NEW: u32 = 0o666;

/// Fails when no file can be made in the folder of `path`; where that is missing, in the nearest one above.
pub fn probe(path: &Path) -> io::Result<()> {
    let there = folder_of(path).ancestors().find(|folder| folder.exists());
    unfinished(there.unwrap_or_else(|| folder_of(path))).map(drop)
}

/// Writes `bytes` to `target`. A reader that goes away early is no failure. `stopped` ends the wait for one.
pub fn write(target: &Target, bytes: &[u8], stopped: &dyn Fn() -> bool) -> io::Result<()> {
    match target {
        Target::File { path, there } => replace(path, there.is_some(), bytes),
        Target::Descriptor { number, .. } => through(duplicate(*number)?, bytes),
        Target::Stream { path, identity, fifo } => {
            let file = if *fifo { open_fifo(path, stopped)? } else { open(path, 0)? };
            if Identity::from(&file.metadata()?) != *identity {
                return Err(io::Error::new(ErrorKind::AlreadyExists, "another file has taken its place"));
            }
            through(file, bytes)
        }
    }
}

fn through(mut file: File, bytes: &[u8]) -> io::Result<()> {
    match file.write_all(bytes).and_then(|()| file.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn unfinished(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED).permissions(Permissions::from_mode(NEW)).tempfile_in(folder)
}

/// Writes beside `path` and renames: readers see the old file or the new one. A file that was there keeps its permissions
/// and, where the system lets us, its owner; where nothing was, nothing that has appeared since is replaced.
fn replace(path: &Path, there: bool, bytes: &[u8]) -> io::Result<()> {
    let mut file = unfinished(folder_of(path))?;
    file.write_all(bytes)?;
    if !there {
        return file.persist_noclobber(path).map(drop).map_err(|error| error.error);
    }
    let old = fs::symlink_metadata(path)?;
    if !old.is_file() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "it is no regular file any more"));
    }
    let new = file.as_file().metadata()?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        // Only the system's administrator may: others become the owner, as of any file that they write.
        let _ = fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
    }
    file.as_file().set_permissions(old.permissions())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

fn duplicate(number: i32) -> io::Result<File> {
    // SAFETY: the call only looks the number up; one that is not open is an error of its own.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and no one else's.
    Ok(unsafe { File::from_raw_fd(copy) })
}

/// Opens what is there, and makes nothing.
fn open(path: &Path, flags: i32) -> io::Result<File> {
    File::options().write(true).custom_flags(libc::O_NOCTTY | libc::O_NOFOLLOW | flags).open(path)
}

/// Opens a FIFO once it has a reader.
fn open_fifo(path: &Path, stopped: &dyn Fn() -> bool) -> io::Result<File> {
    loop {
        match open(path, libc::O_NONBLOCK) {
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                if stopped() {
                    return Err(io::Error::new(ErrorKind::Interrupted, "no one reads from it"));
                }
                thread::sleep(LOOK);
            }
            Ok(file) => {
                // SAFETY: the descriptor is open as long as `file` lives.
                let set = unsafe {
                    let flags = libc::fcntl(file.as_raw_fd(), libc::F_GETFL);
                    libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags & !libc::O_NONBLOCK)
                };
                return if set < 0 { Err(io::Error::last_os_error()) } else { Ok(file) };
            }
            Err(error) => return Err(error),
        }
    }
}
