//! The installed layout: found from the program, through links, and after the tree was moved.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The program at `program`, run in `folder` without variables that name parts of it.
fn run(program: &Path, folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    for name in ["HOME", "PACK", "CACHE", "CACHE_SIZE", "CONFIG", "DEVICE", "SHARE"] {
        command.env_remove(format!("TALKGRAPH_{name}"));
    }
    command
        .env_remove("ORT_DYLIB_PATH")
        .env("XDG_CONFIG_HOME", folder)
        .env("XDG_CACHE_HOME", folder.join("cache"));
    command.args(args).current_dir(folder).output().expect("the program runs")
}

#[test]
fn an_installed_tree_works_from_anywhere_and_after_a_move() {
    let place = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_talkgraph"));
    let installed = Command::new(repository("tools/install.sh"))
        .args(["--build".as_ref(), program.parent().expect("a folder")])
        .env("DESTDIR", place.path().join("staged"))
        .env("PREFIX", "/opt/talk graph")
        .output()
        .expect("the script runs");
    assert!(installed.status.success(), "{}", text(&installed.stderr));
    let tree = place.path().join("moved here");
    fs::rename(place.path().join("staged/opt/talk graph"), &tree).expect("a move");
    let elsewhere = place.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let link = elsewhere.join("tg");
    symlink(tree.join("bin/talkgraph"), &link).expect("a link");

    for name in ["share/man/man1/talkgraph-run.1", "share/bash-completion/completions/talkgraph"] {
        assert!(tree.join(name).is_file(), "{name}");
    }
    let run = |args: &[&str]| run(&link, &elsewhere, args);
    let checked = run(&["check", "from_image", "alive"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert!(run(&["run", "--help"]).status.success());
    let shown = run(&["config"]);
    let pack = tree.join("share/talkgraph/models/studio");
    assert!(text(&shown.stdout).contains(&pack.display().to_string()), "{}", text(&shown.stdout));
    let made = run(&["new", "mine"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let mine = fs::read_to_string(elsewhere.join("mine.yaml")).expect("a graph");
    let schema = tree.join("share/talkgraph/schema/graph.schema.json");
    assert!(mine.starts_with(&format!("# yaml-language-server: $schema={}\n", schema.display())), "{mine}");

    let has_runtime = fs::read_dir(tree.join("lib/talkgraph")).expect("a folder").any(|entry| {
        entry.expect("an entry").file_name().to_string_lossy().starts_with("libonnxruntime.so.")
    });
    if !has_runtime {
        return eprintln!("skipped the rest: set-up has fetched no ONNX Runtime");
    }
    let found = run(&["doctor"]);
    assert!(found.status.success(), "{}{}", text(&found.stdout), text(&found.stderr));
    for part in ["lib/talkgraph/libonnxruntime.so.", "share/talkgraph/models/studio"] {
        assert!(
            text(&found.stdout).contains(&tree.join(part).display().to_string()),
            "{}",
            text(&found.stdout)
        );
    }
    let speech = repository("graphs/media/speech.wav");
    let output = run(&[
        "run",
        "mel",
        "-i",
        &format!("speech={}", speech.display()),
        "-o",
        "mel=m.safetensors",
        "--pack",
        "tiny",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(elsewhere.join("m.safetensors").is_file());
    // With a model, of the small pack: the whole chain of pack, networks and library.
    let verified = run(&["pack", "verify", "tiny"]);
    assert!(verified.status.success(), "{}", text(&verified.stderr));
}
