//! Broken graphs: an editor is told what `talkgraph check` tells, in the same places.

use std::{fs, process::Command};

use serde_json::Value;

use crate::client::Client;

/// Ten graphs, each wrong in its own way.
const BROKEN: [(&str, &str); 10] = [
    (
        "unknown type",
        "talkgraph: 1\ninputs: { a: audio }\nnodes:\n  m: { type: mell, in: { audio: a } }\noutputs: { x: m.mel }\n",
    ),
    (
        "unknown port",
        "talkgraph: 1\ninputs: { a: audio }\nnodes:\n  m: { type: mel, in: { audoi: a } }\n  w: { type: write_tensors, in: { sequence: m.mel } }\noutputs: { x: w.file }\n",
    ),
    (
        "unknown output",
        "talkgraph: 1\ninputs: { a: audio }\nnodes:\n  m: { type: mel, in: { audio: a } }\n  w: { type: write_tensors, in: { sequence: m.mle } }\noutputs: { x: w.file }\n",
    ),
    (
        "wrong type of artifact",
        "talkgraph: 1\ninputs: { a: image }\nnodes:\n  m: { type: mel, in: { audio: a } }\n  w: { type: write_tensors, in: { sequence: m.mel } }\noutputs: { x: w.file }\n",
    ),
    (
        "out of range",
        "talkgraph: 1\ninputs: { ä: image }\nnodes:\n  w: { type: write_image, in: { image: ä }, params: { width: -3, wide: 1 } }\noutputs: { x: w.file }\n",
    ),
    (
        "a cycle",
        "talkgraph: 1\nnodes:\n  a: { type: image_decode, in: { file: b.file } }\n  b: { type: write_image, in: { image: a.image } }\noutputs: { x: b.file }\n",
    ),
    (
        "unused",
        "talkgraph: 1\ninputs: { p: image, q: image }\nnodes:\n  w: { type: write_image, in: { image: p } }\noutputs: { x: w.file }\n",
    ),
    (
        "duplicate key",
        "talkgraph: 1\ninputs: { p: image }\nnodes:\n  w: { type: write_image, in: { image: p } }\n  w: { type: write_image, in: { image: p } }\noutputs: { x: w.file }\n",
    ),
    ("no YAML", "talkgraph: 1\nnodes:\n  w: { type: write_image, in: [ }\noutputs: { x: w.file }\n"),
    (
        "a missing part",
        "talkgraph: 1\ninputs: { p: image }\nnodes:\n  w: { graph: parts/none.yaml, in: { image: p } }\noutputs: { x: w.file }\n",
    ),
];

/// What the command tells: line, column, severity and words.
fn command(folder: &std::path::Path, name: &str) -> Vec<(u64, u64, u64, String)> {
    let path = folder.join(name);
    let output =
        Command::new(env!("CARGO_BIN_EXE_talkgraph")).arg("check").arg(&path).output().expect("the program");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("text");
    let mut told: Vec<(u64, u64, u64, String)> = vec![];
    for line in said.lines() {
        let Some(rest) = line.strip_prefix(&format!("{}:", path.display())) else {
            let last = told.last_mut().expect("a message before");
            last.3 += &format!("\n{}", line.trim_start());
            continue;
        };
        let mut parts = rest.splitn(4, ':');
        let mut number = || parts.next().and_then(|part| part.parse().ok()).expect("a number");
        let (line, column) = (number(), number());
        let severity = if parts.next() == Some(" error") { 1 } else { 2 };
        told.push((line, column, severity, parts.next().expect("words").trim_start().to_owned()));
    }
    told
}

#[test]
fn ten_broken_graphs_are_told_as_check_tells_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut client = Client::start();
    let number = |value: &Value| value.as_u64().expect("a number");
    for (index, (what, text)) in BROKEN.iter().enumerate() {
        let name = format!("{index}.yaml");
        let path = folder.path().join(&name);
        fs::write(&path, text).expect("a graph");
        let told = client.open(&path, text);
        // These graphs have no character that counts twice in UTF-16, so columns differ by one alone.
        let told: Vec<_> = told
            .iter()
            .map(|one| {
                let start = &one["range"]["start"];
                let words = one["message"].as_str().expect("words").to_owned();
                (number(&start["line"]) + 1, number(&start["character"]) + 1, number(&one["severity"]), words)
            })
            .collect();
        assert_eq!(told, command(folder.path(), &name), "{what}");
        assert!(!told.is_empty(), "{what}");
    }
    // Made right while it is open, there is nothing to tell any more.
    let path = folder.path().join("0.yaml");
    client.change(&path, &BROKEN[2].1.replace("mle", "mel"));
    assert_eq!(client.told(&path), Vec::<Value>::new());
    client.end();
}
