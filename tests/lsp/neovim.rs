//! A real editor without a screen.

use std::{fs, process::Command};

use crate::repository;

#[test]
fn neovim_is_told_and_answered() {
    if let Err(error) = Command::new("nvim").arg("--version").output() {
        eprintln!("skipped: Neovim is not installed ({error})");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("parts")).expect("a folder");
    for part in fs::read_dir(repository("graphs/parts")).expect("the parts") {
        let part = part.expect("a part");
        fs::copy(part.path(), folder.path().join("parts").join(part.file_name())).expect("a part");
    }
    let text = fs::read_to_string(repository("graphs/from_image.yaml")).expect("a graph");
    let graph = folder.path().join("graph.yaml");
    fs::write(&graph, text.replace("type: audio2exp", "type: audio2expp")).expect("a graph");
    let mut command = Command::new("nvim");
    command.args(["--headless", "-u", "NONE", "-i", "NONE", "-n", "-c"]);
    command.arg(format!("luafile {}", repository("tests/lsp/neovim.lua").display()));
    command.env("GRAPH", &graph).env("PROGRAM", env!("CARGO_BIN_EXE_talkgraph")).current_dir(folder.path());
    let output = command.output().expect("Neovim");
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    for line in [
        "node `talk`: unknown type `audio2expp`",
        "hint: did you mean `audio2exp`?",
        "hover ## mel",
        "/parts/person.yaml",
        "offered frames.frames",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}
