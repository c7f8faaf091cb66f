//! Opening the ONNX Runtime library: once a process, for ever.

use std::{
    ffi::{CStr, CString, c_char, c_void},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
};

use ort::environment::Environment;

use crate::{
    error::{NodeError, Result},
    home::{SETUP, version_in_name},
};

/// The oldest minor version that has the API that this program was built for.
const MIN_MINOR: u32 = 23;

/// The oldest version in which models made to do harm can no longer do what was known of then.
const SAFE: [u32; 3] = [1, 30, 1];

struct Open {
    path: PathBuf,
    environment: Environment,
}

static OPEN: OnceLock<Open> = OnceLock::new();
static OPENING: Mutex<()> = Mutex::new(());

/// The version of the library at `path`: from its name, without opening it, where the name has one.
pub(super) fn version(path: &Path) -> Result<String> {
    let real = path.canonicalize().map_err(|error| unusable(path, "cannot be read").caused_by(error))?;
    match version_in_name(&real) {
        Some(numbers) => Ok(join(&numbers)),
        None => reported_version(&real),
    }
}

/// What is wrong with so old a `version`; `None` for one that is new enough, or that is no number.
pub(super) fn outdated(version: &str) -> Option<String> {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    let found = [numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?];
    (found < SAFE).then(|| {
        let safe = join(&SAFE);
        format!("ONNX Runtime {version} is older than {safe}, which mends what model files made to do harm could use")
    })
}

/// Opens the library at `path`, or gives the environment when it is open already.
pub(super) fn open(path: &Path) -> Result<&'static Environment> {
    let real = path.canonicalize().map_err(|error| unusable(path, "cannot be read").caused_by(error))?;
    let _one_at_a_time = OPENING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(open) = OPEN.get() {
        if open.path != real {
            return Err(unusable(&real, &format!("{} is open already in this process", open.path.display())));
        }
        return Ok(&open.environment);
    }
    let reported = reported_version(&real)?;
    let minor = reported.strip_prefix("1.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < MIN_MINOR) {
        return Err(unusable(&real, &format!("expected version 1.{MIN_MINOR} or newer, found {reported}")));
    }
    if version_in_name(&real).is_some_and(|numbers| join(&numbers) != reported) {
        return Err(unusable(&real, &format!("its name disagrees with the version it reports, {reported}")));
    }
    let environment = ort::init_from(&real)
        .map_err(|error| unusable(&real, "cannot be opened").caused_by(error.to_string()))?
        .with_name("talkgraph")
        .with_telemetry(false)
        .build()
        .map_err(|error| unusable(&real, "cannot be initialised").caused_by(error.to_string()))?;
    Ok(&OPEN.get_or_init(|| Open { path: real, environment }).environment)
}

/// Asks the library itself. Links, truncated files and other libraries end here with an error.
fn reported_version(path: &Path) -> Result<String> {
    let name =
        CString::new(path.as_os_str().as_bytes()).map_err(|_| unusable(path, "has a NUL in its name"))?;
    // SAFETY: both strings end with NUL. ONNX Runtime's initialisers have no preconditions; the handle is never closed,
    // so what it gives stays valid.
    let entry = unsafe {
        let handle = libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if handle.is_null() {
            let reason = libc::dlerror();
            let reason =
                if reason.is_null() { "unknown".into() } else { CStr::from_ptr(reason).to_string_lossy() };
            return Err(unusable(path, "cannot be opened").caused_by(reason.into_owned()));
        }
        libc::dlsym(handle, c"OrtGetApiBase".as_ptr())
    };
    if entry.is_null() {
        return Err(unusable(path, "is no ONNX Runtime library: it lacks OrtGetApiBase"));
    }
    /// `OrtApiBase` of `onnxruntime_c_api.h`.
    #[repr(C)]
    struct ApiBase {
        get_api: extern "C" fn(u32) -> *const c_void,
        get_version: extern "C" fn() -> *const c_char,
    }
    // SAFETY: the symbol has this signature in every release, and its result lives as long as the library.
    let version = unsafe {
        let base = std::mem::transmute::<*mut c_void, extern "C" fn() -> *const ApiBase>(entry)();
        CStr::from_ptr(((*base).get_version)())
    };
    Ok(version.to_string_lossy().into_owned())
}

fn join(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

fn unusable(path: &Path, reason: &str) -> NodeError {
    NodeError::model(format!("ONNX Runtime library {}: {reason}", path.display()))
        .hint(format!("run {SETUP} to fetch the right library"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_errors_and_never_panics() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("libonnxruntime.so");
        std::fs::write(&text, "no library").unwrap();
        assert!(version(&text).unwrap_err().to_string().contains("cannot be opened"));
        assert!(open(&folder.path().join("absent.so")).unwrap_err().hint_text().is_some());
    }

    #[test]
    fn versions_before_the_fix_are_told() {
        for old in ["1.23.0", "1.29.9", "1.30.0", "1.30"] {
            assert!(outdated(old).unwrap().starts_with(&format!("ONNX Runtime {old} is older than 1.30.1")));
        }
        for new in ["1.30.1", "1.31.0", "2.0.0", "1.100.2", "unknown"] {
            assert_eq!(outdated(new), None, "{new}");
        }
    }

    #[test]
    fn the_name_tells_the_version_without_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libonnxruntime.so.1.31.1");
        std::fs::write(&path, "").unwrap();
        assert_eq!(version(&path).unwrap(), "1.31.1");
    }
}
