//! What ONNX Runtime's CUDA provider needs from the machine: a device, its driver, and NVIDIA's libraries.

use std::{
    ffi::CString,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Once,
};

/// How to get what is missing.
pub(super) const SETUP: &str =
    "run `make setup CUDA=1` to fetch the GPU build of ONNX Runtime and its libraries, or use --device cpu";

/// Libraries that the provider of ONNX Runtime 1.31 loads, by whom they come.
const LIBRARIES: [&str; 6] = [
    "libcudart.so.13",
    "libcublasLt.so.13",
    "libcublas.so.13",
    "libcurand.so.10",
    "libnvrtc.so.13",
    "libcudnn.so.9",
];
/// Comes with the driver.
const DRIVER: &str = "libcuda.so.1";

/// Something that CUDA needs: what, and why it is not there.
pub struct Lack {
    /// What.
    pub what: String,
    /// The one command that mends it.
    pub hint: &'static str,
}

/// Whether the machine shows an NVIDIA device.
pub(super) fn has_device() -> bool {
    Path::new("/dev/nvidiactl").exists()
}

/// Whether the provider lies beside ONNX Runtime's `library`.
pub(super) fn has_provider(library: &Path) -> bool {
    library.with_file_name("libonnxruntime_providers_cuda.so").exists()
}

/// What is missing for CUDA with this `library`. Opens what it finds.
pub(super) fn lacks(library: &Path) -> Vec<Lack> {
    let mut lacks = vec![];
    let mut lack = |what: String, hint| lacks.push(Lack { what, hint });
    if !has_device() {
        lack("no NVIDIA device (/dev/nvidiactl)".into(), "use --device cpu");
    }
    if !opens(Path::new(DRIVER)) {
        lack(format!("{DRIVER}, the driver's"), "install NVIDIA's driver");
    }
    if !has_provider(library) {
        lack("the CUDA provider beside the ONNX Runtime library".into(), SETUP);
        return lacks;
    }
    preload(library);
    for name in LIBRARIES.into_iter().filter(|name| !opens(Path::new(name))) {
        lack(name.into(), SETUP);
    }
    lacks
}

/// Opens the libraries in the folder `cuda` beside ONNX Runtime's `library`, so that the provider and they themselves find them by name
/// wherever that folder is. Once a process.
pub(super) fn preload(library: &Path) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(entries) = fs::read_dir(library.with_file_name("cuda")) else { return };
        let mut left: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        left.sort();
        // They need one another: whatever opens helps others to.
        loop {
            let before = left.len();
            left.retain(|path| !opens(path));
            if left.is_empty() || left.len() == before {
                break;
            }
        }
        for path in left {
            tracing::debug!(path = %path.display(), "cannot be opened");
        }
    });
}

/// Opens a library for all who ask for its name later, and keeps it open.
fn opens(path: &Path) -> bool {
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: the string ends with NUL. NVIDIA's initialisers have no preconditions, and nothing is closed.
    unsafe { !libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL).is_null() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so.1.31.1");
        let names =
            |lacks: Vec<Lack>| lacks.into_iter().map(|lack| (lack.what, lack.hint)).collect::<Vec<_>>();
        let bare = names(lacks(&library));
        assert!(
            bare.iter().any(|(what, hint)| what.contains("provider") && hint.contains("CUDA=1")),
            "{bare:?}"
        );
        assert!(!bare.iter().any(|(what, _)| what.contains("cudnn")), "{bare:?}");
        if !opens(Path::new("libcudnn.so.9")) {
            fs::write(folder.path().join("libonnxruntime_providers_cuda.so"), "").unwrap();
            assert!(names(lacks(&library)).iter().any(|(what, _)| what == "libcudnn.so.9"));
        }
    }
}
