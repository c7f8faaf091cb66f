use std::{fs, path::PathBuf, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    arkit::COUNT,
    artifact::Value,
    body::{Input, Inputs},
    contract::Rate,
    models::Models,
    registry::Registry,
    tensor::{Tensor, Tensors},
    testing::{self, InMemory, TestHost, no_models, run_value, tiny_models},
    volume::testing::unit,
};

/// A sequence of the f32 tensors `parts`, cut into chunks of seven frames.
fn sequence(parts: &[(&str, &[Vec<f32>])]) -> Input {
    let frames = parts[0].1.len();
    let chunk = |from: usize| {
        let to = (from + 7).min(frames);
        let tensors = parts.iter().fold(Tensors::new(), |tensors, (name, rows)| {
            let shape = [to - from, rows[0].len()];
            tensors.with(*name, Tensor::f32(shape, rows[from..to].concat()).unwrap())
        });
        Arc::new(Value::Tensors(tensors))
    };
    Input::Sequence(Arc::new(InMemory((0..frames).step_by(7).map(chunk).collect())))
}

fn inputs(ports: Vec<(&str, Input)>, rate: Rate) -> Inputs {
    Inputs::new(ports.into_iter().map(|(name, input)| (name.to_owned(), input)).collect(), 0, Some(rate))
}

fn written(inputs: &Inputs, set: &[(&str, ParamValue)], host: &TestHost, models: &Models) -> Result<PathBuf> {
    let out = run_value(&node(), set, inputs, host, models)?;
    Ok(out.values["file"].file()?.path.clone())
}

fn format(word: &str) -> [(&'static str, ParamValue); 1] {
    [("format", ParamValue::Text(word.into()))]
}

/// What `arkit_decode` reads back at `rate`: expression and pose.
fn read_back(path: &std::path::Path, rate: Rate, source: f64, models: &Models) -> [Vec<f32>; 2] {
    let registry = Registry::builtin();
    let decode = registry.decoder(ArtifactType::Motion).unwrap();
    let set = [("fps", rate.param()), ("source_fps", ParamValue::Float(source))];
    let out = run_value(decode, &set, &testing::file(path), &TestHost::new(), models).unwrap();
    ["expression", "pose"].map(|port| {
        let chunks = out.chunks[port].iter();
        chunks
            .flat_map(|chunk| chunk.tensors().unwrap().get(port).unwrap().as_f32().unwrap().to_vec())
            .collect()
    })
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

#[test]
fn what_is_written_is_decoded() {
    let Some(models) = tiny_models() else { return };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let row = prop::collection::vec(0.0f32..=1.0, COUNT);
    let pose = prop::collection::vec(-1.0f32..1.0, 6);
    let rates = [(25, 1, 0.0), (30, 1, 0.0), (60, 1, 0.0), (15, 1, 0.0), (30_000, 1001, 29.97)];
    let cases =
        (prop::collection::vec((row, pose), 1..40), prop::sample::select(rates.to_vec()), any::<bool>());
    let outcome = runner.run(&cases, |(frames, (num, den, source), csv)| {
        let (expression, mut poses): (Vec<_>, Vec<_>) = frames.into_iter().unzip();
        let rate = Rate::new(num, den);
        let ports = vec![
            ("expression", sequence(&[("expression", &expression)])),
            ("pose", sequence(&[("pose", &poses)])),
        ];
        let host = TestHost::new();
        let path = written(&inputs(ports, rate), &format(if csv { "csv" } else { "json" }), &host, &models);
        let [back, turned] = read_back(&path.unwrap(), rate, if csv { source } else { 0.0 }, &models);
        prop_assert!(close(&back, &expression.concat()));
        // Neither format says where the head is.
        poses.iter_mut().for_each(|pose| pose[3..].fill(0.0));
        prop_assert!(close(&turned, &poses.concat()));
        prop_assert_eq!(host.noted("cut"), None);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_motion_has_its_own_rotation() {
    let Some(models) = tiny_models() else { return };
    let expression = vec![vec![0.25; COUNT]; 30];
    let rotation = vec![vec![0.1, -0.2, 0.3]; 30];
    let motion = sequence(&[("expression", &expression), ("rotation", &rotation)]);
    let host = TestHost::new();
    let path = written(&inputs(vec![("motion", motion)], Rate::new(25, 1)), &[], &host, &models).unwrap();
    let [back, turned] = read_back(&path, Rate::new(25, 1), 0.0, &models);
    assert!(close(&back, &expression.concat()));
    assert!(close(&turned[..6], &[0.1, -0.2, 0.3, 0.0, 0.0, 0.0]));
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains("\n00:00:01:04.000,61,"), "{text}");
}

#[test]
fn what_has_no_unit_is_noted() {
    let Some(models) = tiny_models() else { return };
    let mut expression = vec![vec![0.0; COUNT]; 3];
    // A jaw beyond open, and one beyond shut.
    let at = unit(&models, "jawOpen");
    (expression[0][at], expression[2][at]) = (1.25, -0.25);
    let ports = vec![("expression", sequence(&[("expression", &expression)]))];
    let host = TestHost::new();
    let path = written(&inputs(ports, Rate::new(25, 1)), &[], &host, &models).unwrap();
    assert_eq!((host.noted("cut"), host.noted("frames")), (Some(2.into()), Some(3.into())));
    let [back, _] = read_back(&path, Rate::new(25, 1), 0.0, &models);
    assert_eq!([0, 1, 2].map(|frame| back[frame * COUNT + at]), [1.0, 0.0, 0.0]);
}

#[test]
fn wrong_inputs_are_clear_errors() {
    let error = |connected: &[&str]| testing::body(&node(), &[], connected).err().unwrap().to_string();
    assert!(error(&[]).contains("neither `motion` nor `expression`"));
    assert!(error(&["motion", "expression"]).contains("both"));
    assert_eq!(error(&["motion", "pose"]), "`motion` and `pose` are both connected, expected one of them");

    let Some(models) = tiny_models() else { return };
    let message = |rows: &[Vec<f32>], poses: usize, models: &Models| {
        let ports = vec![
            ("expression", sequence(&[("expression", rows)])),
            ("pose", sequence(&[("pose", &vec![vec![0.0; 6]; poses])])),
        ];
        let inputs = inputs(ports, Rate::new(25, 1));
        written(&inputs, &[], &TestHost::new(), models).unwrap_err().to_string()
    };
    assert_eq!(
        message(&[vec![0.0; COUNT]], 2, &models),
        "port `pose`: 2 frames, expected 1 as `expression` has"
    );
    assert_eq!(
        message(&[vec![0.0; 51]], 1, &models),
        "port `expression`: `expression`: expected 52 numbers a frame, found shape [1, 51]"
    );
    assert_eq!(
        message(&[vec![f32::NAN; COUNT]], 1, &models),
        "port `expression`: frame 0: `expression` has numbers that are not finite"
    );
    assert!(!message(&[vec![0.0; COUNT]], 1, &no_models()).is_empty());
}
