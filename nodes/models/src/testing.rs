//! What tests share, here and in crates that stand on this one.

use std::{path::Path, sync::Arc};

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
    let home = Home::find();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny");
    let opened = home.library().and_then(|_| Pack::open(&folder, &home, &file::fingerprint));
    match opened.and_then(|pack| Ok((pack, Runtime::new(home, DeviceChoice::Cpu)?))) {
        Ok((pack, runtime)) => Some(Models::new(Arc::new(pack), Arc::new(change(runtime)))),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}
