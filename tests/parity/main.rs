//! `talkgraph parity` on numbers that Python recorded of the tiny pack.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use talkgraph_nodes::{
    home::Home,
    safetensors,
    tensor::{Tensor, Tensors},
};
use tempfile::TempDir;

const YAML: &str = include_str!("golden/parity.yaml");

/// A copy of the recorded numbers, both files changed.
fn golden(yaml: impl Fn(&str) -> String, tensors: impl Fn(&mut Tensors)) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("parity.yaml"), yaml(YAML)).expect("written");
    let bytes = include_bytes!("golden/tiny.safetensors");
    let mut recorded = safetensors::decode(bytes).expect("tensors");
    tensors(&mut recorded);
    fs::write(folder.path().join("tiny.safetensors"), safetensors::encode(&recorded).expect("bytes"))
        .expect("written");
    folder
}

fn unchanged(yaml: &str) -> String {
    yaml.to_owned()
}

/// What the command says; `None`, with the reason printed, before set-up.
fn parity(folder: &Path, more: &[&str]) -> Option<Output> {
    if let Err(error) = Home::find().library() {
        eprintln!("skipped: {error}");
        return None;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
    command.args(["parity", "--pack", "models/tiny", "--device", "cpu", "--golden"]).arg(folder).args(more);
    Some(command.env("XDG_CONFIG_HOME", "/nonexistent").output().expect("the program runs"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it says of bad input.
fn refused(folder: &TempDir, more: &[&str]) -> Option<String> {
    let output = parity(folder.path(), more)?;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    Some(text(&output.stderr))
}

#[test]
fn the_tiny_pack_computes_what_python_recorded() {
    let folder = golden(unchanged, |_| {});
    let Some(output) = parity(folder.path(), &[]) else { return };
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("case    output       largest"), "{said}");
    assert_eq!(lines.len(), 5);
    assert!(lines[1..].iter().all(|line| line.ends_with("passed")), "{said}");
}

#[test]
fn numbers_that_are_off_fail() {
    let folder = golden(unchanged, |tensors| {
        let spoken = tensors.get("spoken").unwrap().clone();
        let mut numbers = spoken.as_f32().unwrap().to_vec();
        numbers[5] += 0.25;
        tensors.0.insert("spoken".into(), Tensor::f32(spoken.shape(), numbers).unwrap());
    });
    let Some(output) = parity(folder.path(), &["--json"]) else { return };
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "error: parity: 1 of 4 comparisons failed\n");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&said["passed"], &said["pack"]["name"]), (&false.into(), &"tiny".into()));
    let rows = said["rows"].as_array().expect("rows");
    let row = &rows[0];
    assert_eq!((&row["case"], &row["passed"]), (&"speech".into(), &false.into()));
    assert!((row["largest"].as_f64().unwrap() - 0.25).abs() < 1e-4, "{row}");
    assert!((row["mean"].as_f64().unwrap() - 0.25 / 104.0).abs() < 1e-4, "{row}");
    assert!(rows[1..].iter().all(|row| row["passed"] == true), "{said}");
    let Some(output) = parity(folder.path(), &["--case", "head", "--case", "mouth"]) else { return };
    assert_eq!(output.status.code(), Some(0), "only the chosen cases run");
}

#[test]
fn a_ratio_that_is_too_small_fails() {
    let folder = golden(unchanged, |tensors| {
        let painted = tensors.get("painted").unwrap().clone();
        let numbers = painted.as_f32().unwrap().iter().map(|x| x + 1e-3).collect();
        tensors.0.insert("painted".into(), Tensor::f32(painted.shape(), numbers).unwrap());
    });
    let Some(output) = parity(folder.path(), &[]) else { return };
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.lines().last().is_some_and(|line| line.ends_with("at least 90 dB  FAILED")), "{said}");
}

#[test]
fn mistakes_are_told_all_at_once_before_anything_runs() {
    let folder = golden(
        |yaml| yaml.replace("mel: mel", "mel: mell").replace("kept, every", "kept, shape: [7], every"),
        |tensors| {
            tensors.0.remove("painted");
        },
    );
    let Some(said) = refused(&folder, &[]) else { return };
    assert!(said.contains("case `speech`: inputs.mel: tiny.safetensors: tensor `mell` is missing"), "{said}");
    assert!(said.contains("case `mouth`: outputs.w_inpainted: tiny.safetensors: tensor `painted`"), "{said}");
    let folder = golden(
        |yaml| {
            yaml.replace("role: lipaint\n", "role: lipaint_head\n").replace("ratio: ratio", "ration: ratio")
        },
        |_| {},
    );
    let Some(said) = refused(&folder, &[]) else { return };
    assert!(said.contains("case `speech`: role `audio2exp` of pack tiny has no input `ration`"), "{said}");
    assert!(said.contains("hint: it has mel, ratio, reference"), "{said}");
    assert!(said.contains("case `mouth`: pack tiny has no role `lipaint_head`"), "{said}");
}

#[test]
fn shapes_that_do_not_fit_are_bad_input() {
    let folder = golden(unchanged, |tensors| {
        tensors.0.insert("ratio".into(), Tensor::f32([2], vec![0.0; 2]).unwrap());
        let contour = tensors.get("contour").unwrap().clone();
        let flat: usize = contour.shape().iter().product();
        tensors.0.insert("contour".into(), contour.reshape([flat]).unwrap());
    });
    let Some(said) = refused(&folder, &[]) else { return };
    let alone = parity(folder.path(), &["--case", "speech"]).unwrap();
    assert!(alone.stdout.is_empty(), "no table of nothing");
    assert!(said.contains("case `speech`: model audio2exp: input `ratio`: expected f32 [n,1]"), "{said}");
    assert!(said.contains("case `head`: output `contour` of role `morphable_model`: shape [2, "), "{said}");
}

#[test]
fn the_file_itself_is_checked() {
    let changed = |from: &str, to: &str, more: &[&str]| {
        let (from, to) = (from.to_owned(), to.to_owned());
        refused(&golden(move |yaml| yaml.replace(&from, &to), |_| {}), more)
    };
    let Some(said) = changed("tolerance: 1.0e-5", "least: 3", &[]) else { return };
    assert!(said.contains("`least` goes with `measure: psnr`"), "{said}");
    let said = changed("role: lipaint", "rôle: lipaint", &[]).unwrap();
    assert!(said.contains("parity.yaml:") && said.contains("rôle"), "{said}");
    assert!(
        changed("talkgraph_parity: 1", "talkgraph_parity: 2", &[]).unwrap().contains("expected 1, found 2")
    );
    assert!(changed("name: mouth", "name: head", &[]).unwrap().contains("case `head` stands there twice"));
    assert!(changed("x", "x", &["--case", "moth"]).unwrap().contains("did you mean `mouth`?"));
    let empty = tempfile::tempdir().expect("a folder");
    assert!(refused(&empty, &[]).unwrap().contains("parity.yaml: cannot be read"));
}
