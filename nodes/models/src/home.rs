//! Where set-up put things: the ONNX Runtime library and the networks that no pack bundles.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    error::{NodeError, Result},
    layout::Layout,
};

/// The command that fills the folder.
pub const SETUP: &str = "tools/setup/setup.sh";
const FOLDER: &str = ".talkgraph";

/// The places that were searched and what was found there.
#[derive(Clone, Debug)]
pub struct Home {
    folder: Option<PathBuf>,
    networks: Option<PathBuf>,
    library: Option<PathBuf>,
    searched: Vec<String>,
}

impl Home {
    /// Searches `$TALKGRAPH_HOME`, else what is installed with the program ([`Layout`]), else `.talkgraph` in the executable's
    /// folder and upward, else in the current folder and upward. The library is the newest `libonnxruntime.so.*` there, else
    /// `$ORT_DYLIB_PATH`.
    pub fn find() -> Self {
        let mut searched = vec![];
        let found = match env::var_os("TALKGRAPH_HOME").filter(|value| !value.is_empty()) {
            Some(value) => {
                searched.push(format!("$TALKGRAPH_HOME ({})", value.display()));
                Some(Self::at(Path::new(&value)))
            }
            None => Self::installed(&Layout::find(), &mut searched).or_else(|| {
                let starts = [
                    env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned())),
                    env::current_dir().ok(),
                ];
                starts.into_iter().flatten().find_map(|start| {
                    searched.push(format!("{FOLDER} in {} and upward", start.display()));
                    upward(&start).map(|folder| Self::at(&folder))
                })
            }),
        };
        let mut home =
            found.unwrap_or(Self { folder: None, networks: None, library: None, searched: vec![] });
        if home.library.is_none()
            && let Some(value) = env::var_os("ORT_DYLIB_PATH").filter(|value| !value.is_empty())
        {
            searched.push(format!("$ORT_DYLIB_PATH ({})", value.display()));
            home.library = Some(PathBuf::from(value)).filter(|path| path.is_file());
        }
        Self { searched, ..home }
    }

    /// What is installed with the program, if it brings ONNX Runtime.
    fn installed(layout: &Layout, searched: &mut Vec<String>) -> Option<Self> {
        let folder = layout.lib.as_ref()?;
        searched.push(folder.display().to_string());
        let library = newest_library(folder).or_else(|| {
            let packages = python_packages(folder);
            searched.extend(packages.iter().map(|folder| folder.display().to_string()));
            packages.iter().find_map(|folder| newest_library(folder))
        })?;
        let networks = layout.share.as_ref().map(|share| share.join("networks"));
        Some(Self { folder: Some(folder.clone()), networks, library: Some(library), searched: vec![] })
    }

    /// A home at `folder`, wherever that is.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: Some(folder.to_owned()).filter(|folder| folder.is_dir()),
            networks: Some(folder.join("models")),
            library: newest_library(&folder.join("lib")),
            searched: vec![folder.display().to_string()],
        }
    }

    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The ONNX Runtime library.
    pub fn library(&self) -> Result<&Path> {
        self.library.as_deref().ok_or_else(|| {
            NodeError::model(format!(
                "the ONNX Runtime library was not found; searched {}",
                self.searched.join(", ")
            ))
            .hint(format!("run {SETUP}, or set TALKGRAPH_HOME to the folder that it filled"))
        })
    }

    /// The network called `name` that set-up made.
    pub fn network(&self, name: &str) -> Result<PathBuf> {
        let path = self.networks.as_ref().map(|folder| folder.join(name));
        path.filter(|path| path.is_file()).ok_or_else(|| {
            NodeError::model(format!(
                "the network {name} was not found; searched {}",
                self.searched.join(", ")
            ))
            .hint(format!("run {SETUP}, or set TALKGRAPH_HOME to the folder that it filled"))
        })
    }
}

fn upward(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|folder| folder.join(FOLDER)).find(|candidate| candidate.is_dir())
}

fn newest_library(folder: &Path) -> Option<PathBuf> {
    let entries = folder.read_dir().ok()?;
    entries
        .filter_map(|entry| Some((version_in_name(&entry.as_ref().ok()?.path())?, entry.ok()?.path())))
        .max()
        .map(|(_, path)| path)
}

/// The version in a name like `libonnxruntime.so.1.31.1`.
pub(crate) fn version_in_name(path: &Path) -> Option<Vec<u32>> {
    let version = path.file_name()?.to_str()?.strip_prefix("libonnxruntime.so.")?;
    let numbers: Option<Vec<u32>> = version.split('.').map(|number| number.parse().ok()).collect();
    numbers.filter(|numbers| numbers.len() == 3)
}

/// Where Python's package `onnxruntime` keeps its library beside `lib`, the folder `lib/talkgraph` of an environment that pip installed
/// both in.
fn python_packages(lib: &Path) -> Vec<PathBuf> {
    let Some(root) = lib.parent().and_then(Path::parent) else { return vec![] };
    let mut found = vec![];
    for folder in ["lib", "lib64"] {
        let Ok(entries) = root.join(folder).read_dir() else { continue };
        let versions = entries.filter_map(|entry| Some(entry.ok()?.path()));
        for python in versions.filter(|path| {
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"python3"))
        }) {
            found.extend(
                ["site-packages", "dist-packages"]
                    .map(|packages| python.join(packages).join("onnxruntime/capi")),
            );
        }
    }
    found.retain(|folder| folder.is_dir());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_newest_library_and_ignores_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let lib = folder.path().join("lib");
        std::fs::create_dir(&lib).unwrap();
        for name in [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.31.1",
            "libonnxruntime.so",
            "libonnxruntime.so.2.x.1",
        ] {
            std::fs::write(lib.join(name), "").unwrap();
        }
        let home = Home::at(folder.path());
        assert_eq!(home.library().unwrap(), lib.join("libonnxruntime.so.1.31.1"));
    }

    #[test]
    fn a_missing_library_names_the_set_up_command() {
        let folder = tempfile::tempdir().unwrap();
        let error = Home::at(folder.path()).library().unwrap_err();
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
        assert!(error.hint_text().unwrap().contains(SETUP));
    }

    #[test]
    fn the_library_of_a_python_package_is_found_beside_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let (lib, capi) = (
            folder.path().join("lib/talkgraph"),
            folder.path().join("lib/python3.13/site-packages/onnxruntime/capi"),
        );
        std::fs::create_dir_all(&lib).unwrap();
        let layout = Layout { lib: Some(lib), share: None };
        assert!(Home::installed(&layout, &mut vec![]).is_none());
        std::fs::create_dir_all(&capi).unwrap();
        std::fs::write(capi.join("libonnxruntime.so.1.31.1"), "").unwrap();
        let home = Home::installed(&layout, &mut vec![]).unwrap();
        assert_eq!(home.library().unwrap(), capi.join("libonnxruntime.so.1.31.1"));
    }
}
