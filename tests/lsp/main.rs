//! The language server as an editor meets it: the program over pipes, one message at a time.

mod client;
mod mistakes;
mod modes;
mod neovim;

use std::path::{Path, PathBuf};

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
