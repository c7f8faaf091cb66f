//! What tests share, here and in crates that stand on this one.

pub mod onnx;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    file,
    home::Home,
    models::Models,
    pack::Pack,
    runtime::{DeviceChoice, Runtime},
};

/// The tiny pack on the CPU; `None`, with the reason printed, before set-up.
pub fn tiny_models() -> Option<Models> {
    tiny_models_on(|runtime| runtime)
}

/// The tiny pack on the CPU, on the runtime as `change`d.
pub fn tiny_models_on(change: impl FnOnce(Runtime) -> Runtime) -> Option<Models> {
    open(&tiny(), change)
}

/// A copy of the tiny pack in `folder`, which is empty: its pack.yaml as `change`d, and with further `files`.
pub fn tiny_models_in(
    folder: &Path,
    change: impl FnOnce(String) -> String,
    files: &[(&str, Vec<u8>)],
) -> Option<Models> {
    let copy = || -> std::io::Result<()> {
        for entry in tiny().read_dir()? {
            let entry = entry?;
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
        let path = folder.join("pack.yaml");
        let yaml = change(fs::read_to_string(&path)?);
        fs::write(path, yaml)?;
        files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
    };
    copy().expect("the tiny pack can be copied");
    open(folder, |runtime| runtime)
}

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny")
}

fn open(folder: &Path, change: impl FnOnce(Runtime) -> Runtime) -> Option<Models> {
    let home = Home::find();
    if let Err(error) = home.library() {
        eprintln!("skipped: {error}");
        return None;
    }
    let opened = Pack::open(folder, &home, &file::fingerprint);
    match opened.and_then(|pack| Ok((pack, Runtime::new(home, DeviceChoice::Cpu)?))) {
        Ok((pack, runtime)) => Some(Models::new(Arc::new(pack), Arc::new(change(runtime)))),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}
