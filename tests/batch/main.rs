//! Many jobs: what rows share runs once, failures stay apart, a killed batch goes on, nothing is harmed.

mod modes;
mod tables;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder to work in.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("a file");
    }

    /// The demo's portrait, made lighter by so much.
    pub(crate) fn portrait(&self, name: &str, lighter: i32) {
        let portrait = image::open(repository("graphs/media/portrait.png")).expect("a portrait");
        portrait.brighten(lighter).save(self.path(name)).expect("a portrait");
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
        command.args(args).args(["--cache", "cache"]).current_dir(self.0.path());
        for name in ["TALKGRAPH_PACK", "TALKGRAPH_CACHE_SIZE", "TALKGRAPH_CONFIG"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", "/nonexistent");
        command
    }

    pub(crate) fn talkgraph(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program")
    }

    /// What a command says that must end with `status`.
    pub(crate) fn says(&self, args: &[&str], status: i32) -> String {
        let output = self.talkgraph(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        said
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("r.json")).expect("a report")).expect("JSON")
    }

    /// Rows of the last report: status, nodes cached, nodes that ran.
    pub(crate) fn rows(&self) -> Vec<(String, u64, u64)> {
        let report = self.report();
        let rows = report["rows"].as_array().expect("rows").iter();
        let count = |row: &Value, name: &str| row[name].as_u64().expect("a number");
        rows.map(|row| (name(row, "status"), count(row, "cached"), count(row, "ran"))).collect()
    }

    /// Nodes of a type in the last report: names and statuses.
    pub(crate) fn nodes(&self, ty: &str) -> Vec<(String, String)> {
        let report = self.report();
        let nodes = report["nodes"].as_array().expect("nodes").iter();
        nodes.filter(|node| node["type"] == ty).map(|node| (name(node, "id"), name(node, "status"))).collect()
    }
}

pub(crate) fn name(value: &Value, key: &str) -> String {
    value[key].as_str().expect("text").to_owned()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
