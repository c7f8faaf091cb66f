//! Files as they are handed over: opened here, never there.

use std::{fs::File, io, path::Path};

use crate::{
    error::{Error, Result},
    sniff,
};

/// Opens the file at `path` to be read; `wanted` says in words what it should be.
pub(super) fn input(path: &Path, wanted: &str) -> Result<File> {
    if path.is_dir() {
        return Err(Error::input(format!("{}: expected {wanted}, found a folder", sniff::name(path))));
    }
    File::open(path).map_err(|error| sniff::unreadable(path, error))
}

/// Creates the file at `path`. It can be read too: an index is moved to its front at the end.
pub(super) fn output(path: &Path) -> Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path);
    file.map_err(|error: io::Error| {
        Error::io(format!("{}: cannot be created", sniff::name(path))).caused_by(error)
    })
}
