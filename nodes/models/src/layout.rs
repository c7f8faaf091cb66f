//! Where the parts of talkgraph lie. The one place that knows, but for the media program, which its own client looks for (`talkgraph_media`).
//!
//! ```text
//! bin/talkgraph          the program, or a link to it
//! lib/talkgraph/         ONNX Runtime's library, the media program
//! share/talkgraph/       models/ (packs), networks/, graphs/, schema/
//! ```
//!
//! Everything is found from where the program itself lies, links followed, so that the tree may be moved as a whole. In a source folder
//! the same is found above `target/`: packs and graphs in the folder itself, the rest in `.talkgraph` (see [`Home`](crate::home::Home)).

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Names the folder of packs, networks and graphs in place of the installed one.
pub const SHARE: &str = "TALKGRAPH_SHARE";

/// The bundled pack, below `models`.
pub const BUNDLED_PACK: &str = "studio";

/// What makes a folder one of packs and graphs.
const MARK: &str = "models/studio/pack.yaml";

/// The folders of this installation, each if it is there.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Packs, networks and graphs.
    pub share: Option<PathBuf>,
    /// ONNX Runtime's library and the media program.
    pub lib: Option<PathBuf>,
}

impl Layout {
    /// Looks from the program and the environment; where neither leads to packs, from the current folder upward.
    pub fn find() -> Self {
        let program = env::current_exe().and_then(fs::canonicalize).ok();
        let folder = program.as_deref().and_then(Path::parent);
        let set = env::var_os(SHARE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut layout = folder.map(Self::beside).unwrap_or_default();
        let upward =
            |start: &Path| start.ancestors().find(|folder| folder.join(MARK).is_file()).map(Path::to_owned);
        layout.share = set
            .or(layout.share)
            .or_else(|| folder.and_then(upward))
            .or_else(|| upward(&env::current_dir().ok()?));
        layout
    }

    /// What is installed beside the folder `bin` of programs.
    fn beside(bin: &Path) -> Self {
        let prefix = bin.parent();
        let there = |name: &str| Some(prefix?.join(name).join("talkgraph")).filter(|folder| folder.is_dir());
        Self { share: there("share"), lib: there("lib") }
    }

    /// The pack called `name`.
    pub fn pack(&self, name: &str) -> Option<PathBuf> {
        let folder = self.share.as_ref()?.join("models").join(name);
        folder.join("pack.yaml").is_file().then_some(folder)
    }

    /// Folders with graphs.
    pub fn graphs(&self) -> Vec<PathBuf> {
        let share = self.share.as_ref();
        share
            .map(|share| ["graphs", "graphs/examples"].map(|name| share.join(name)).to_vec())
            .unwrap_or_default()
    }

    /// The schema of graph files.
    pub fn schema(&self) -> Option<PathBuf> {
        let share = self.share.as_ref()?;
        ["schema/graph.schema.json", "docs/graph.schema.json"]
            .into_iter()
            .map(|name| share.join(name))
            .find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_beside_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let [bin, lib, share] =
            ["bin", "lib/talkgraph", "share/talkgraph"].map(|name| folder.path().join(name));
        assert!(Layout::beside(&bin).share.is_none());
        for part in [&bin, &lib, &share.join("models/tiny"), &share.join("graphs")] {
            fs::create_dir_all(part).unwrap();
        }
        fs::write(share.join("models/tiny/pack.yaml"), "").unwrap();
        let layout = Layout::beside(&bin);
        assert_eq!((layout.lib.as_ref(), layout.share.as_ref()), (Some(&lib), Some(&share)));
        assert_eq!(layout.pack("tiny"), Some(share.join("models/tiny")));
        assert_eq!(layout.pack("other"), None);
        assert_eq!(layout.graphs(), [share.join("graphs"), share.join("graphs/examples")]);
    }
}
