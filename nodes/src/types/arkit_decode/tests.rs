use std::{fs, path::Path};

use super::*;
use crate::{
    arkit::{COUNT, UNITS, upper},
    contract::{ParamValue, SequenceRate},
    models::Models,
    testing::{Collected, TestHost, file, no_models, run_value, tiny_models, tiny_models_in},
    volume::testing::unit,
};

/// A second at 30 frames a second, in which the named columns rise from 0 to 1.
fn recording(folder: &Path, columns: &[&str]) -> std::path::PathBuf {
    let mut text = format!("Timecode,BlendShapeCount,{}\n", columns.join(","));
    for k in 0..=30 {
        let value = format!(",{}", k as f32 / 30.0).repeat(columns.len());
        text += &format!("01:00:{:02}:{:02}.000,{}{value}\n", 9 + k / 30, k % 30, columns.len());
    }
    let path = folder.join("take.csv");
    fs::write(&path, text).unwrap();
    path
}

fn decode(path: &Path, set: &[(&str, ParamValue)], models: &Models) -> Result<(Collected, TestHost)> {
    let host = TestHost::new();
    run_value(&node(), set, &file(path), &host, models).map(|out| (out, host))
}

/// Rows of one output's tensor, and the lengths of its chunks.
fn rows(out: &Collected, port: &str, name: &str) -> (Vec<Vec<f32>>, Vec<usize>) {
    let tensors = out.chunks[port].iter().map(|chunk| chunk.tensors().unwrap().get(name).unwrap());
    let lengths = tensors.clone().map(|tensor| tensor.shape()[0]).collect();
    let rows = tensors.flat_map(|tensor| {
        tensor.as_f32().unwrap().chunks(tensor.shape()[1]).map(<[f32]>::to_vec).collect::<Vec<_>>()
    });
    (rows.collect(), lengths)
}

#[test]
fn the_rate_is_the_graphs_and_names_the_packs() {
    let Some(models) = tiny_models() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path(), &["JawOpen", "EyeBlinkLeft", "HeadYaw", "HeadPitch"]);
    let (out, host) = decode(&path, &[("head", ParamValue::Float(0.5))], &models).unwrap();
    let (expression, lengths) = rows(&out, "expression", "expression");
    assert_eq!(lengths, [25, 1]);
    let names = models.pack().unwrap().expression();
    for (k, row) in expression.iter().enumerate() {
        for (name, value) in names.iter().zip(row) {
            let moves = ["jawOpen", "eyeBlinkLeft"].contains(&&**name);
            let expected = if moves { k as f32 / 25.0 } else { 0.0 };
            assert!((value - expected).abs() < 1e-4, "{k} {name}: {value}");
        }
    }
    let (pose, _) = rows(&out, "pose", "pose");
    let last = [0.5, -0.5, 0.0, 0.0, 0.0, 0.0];
    assert!(pose[25].iter().zip(last).all(|(a, b)| (a - b).abs() < 1e-4), "{:?}", pose[25]);
    assert_eq!(rows(&out, "motion", "expression").0, expression);
    assert_eq!(rows(&out, "motion", "rotation").0[25], pose[25][..3]);
    assert_eq!(rows(&out, "motion", "rest").0.len(), 26);
    assert_eq!((host.noted("source_fps"), host.noted("frames")), (Some("30".into()), Some(31.into())));
    assert_eq!(host.noted("missing").unwrap().as_array().unwrap().len(), COUNT - 2);
}

#[test]
fn fps_gain_and_signs_are_read() {
    let Some(models) = tiny_models() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path(), &["EyeBlinkLeft", "HeadYaw"]);
    let set = [
        ("fps", ParamValue::Int(10)),
        ("gain", ParamValue::Float(0.5)),
        ("yaw", ParamValue::Float(-1.0)),
        ("mirror", ParamValue::Bool(true)),
        ("resample", ParamValue::Text("nearest".into())),
    ];
    let (out, _) = decode(&path, &set, &models).unwrap();
    let (expression, lengths) = rows(&out, "expression", "expression");
    assert_eq!(lengths, [10]);
    let [left, right] = ["Left", "Right"].map(|side| unit(&models, &format!("eyeBlink{side}")));
    assert!((expression[5][right] - 0.25).abs() < 1e-6 && expression[5][left] == 0.0);
    // Turned round by the mirror, and back.
    assert!((rows(&out, "pose", "pose").0[5][1] + 0.5).abs() < 1e-6);

    let params = crate::testing::params(node().contract(), &set);
    let connected = ["file".to_owned()].into();
    let use_ = NodeUse { params: &params, connected: &connected, folder: Path::new("") };
    let resolved = node().resolve(&use_).unwrap();
    assert!(
        resolved.outputs.iter().all(|output| output.sequence == Some(SequenceRate::Fixed(Rate::new(10, 1))))
    );
}

#[test]
fn a_pack_of_the_52_names_gets_all_of_them() {
    let Some(models) = tiny_models() else { return };
    assert_eq!(models.pack().unwrap().expression().len(), COUNT);
    let folder = tempfile::tempdir().unwrap();
    let names = UNITS.map(upper);
    let path = recording(folder.path(), &names.each_ref().map(String::as_str));
    let (out, host) = decode(&path, &[], &models).unwrap();
    let (expression, _) = rows(&out, "expression", "expression");
    assert!(expression[25].iter().all(|value| (value - 1.0).abs() < 1e-5) && expression[25].len() == COUNT);
    assert_eq!((host.noted("missing"), host.noted("unmapped")), (None, None));
}

#[test]
fn a_pack_of_other_names_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    // Longer names first: `jawLeft` is a part of none, but `mouthLeft` would be changed within others.
    let change = |yaml: String| {
        let mut names: Vec<_> = UNITS.iter().enumerate().collect();
        names.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
        names.iter().fold(yaml, |yaml, (number, name)| yaml.replace(**name, &format!("e{number}")))
    };
    let Some(models) = tiny_models_in(folder.path(), change, &[]) else { return };
    let path = recording(folder.path(), &["JawOpen"]);
    let error = decode(&path, &[], &models).err().unwrap();
    assert_eq!(error.to_string(), "the pack's expression (e0, e1, e2, …) has no names that face units go to");
}

#[test]
fn what_cannot_be_read_is_a_clear_error() {
    let Some(models) = tiny_models() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path(), &["JawOpen"]);
    let message = |path: &Path, set: &[(&str, ParamValue)]| {
        let error = decode(path, set, &models).err().unwrap().to_string();
        error.rsplit_once('/').map_or(error.clone(), |(_, name)| name.to_owned())
    };
    let gap = [("longest_gap", ParamValue::Float(0.01))];
    assert_eq!(message(&path, &gap), "take.csv:3:1: 0.03 s after the frame before, the most is 0.01");
    let strict = [("missing", ParamValue::Text("error".into()))];
    assert!(message(&path, &strict).starts_with("take.csv:1:1: no column BrowDownLeft, "));
    let slow = [("source_fps", ParamValue::Float(0.5))];
    assert_eq!(
        message(&path, &slow),
        "parameter `source_fps`: expected frames a second from 1 to 120, or 0, found 0.5"
    );
    assert!(message(&folder.path().join("none.csv"), &[]).starts_with("none.csv: cannot be read"));
    assert!(message(folder.path(), &[]).ends_with("found a folder"));
    assert!(decode(&path, &[], &no_models()).is_err());
}
