use std::collections::BTreeMap;

use nalgebra::{Rotation3, Vector3};

use super::*;
use crate::{
    artifact::{Artifact, Value},
    body::Input,
    contract::{ParamValue, Rate},
    tensor::{Tensor, Tensors},
    testing::{Collected, InMemory, TestHost, run_value, tiny_models},
};

/// A frame of a made-up clip.
#[derive(Clone, Copy)]
struct Frame {
    /// Distance of the eyes in sides of the crop.
    size: f64,
    yaw: f64,
    /// How far the lower lip and the chin go down, in distances of the eyes.
    open: f64,
    found: bool,
    shot: i64,
    sharpness: f32,
}

const STILL: Frame = Frame { size: 0.25, yaw: 0.0, open: 0.0, found: true, shot: 0, sharpness: 100.0 };
fn mean(models: &Models) -> Vec<Vector3<f64>> {
    let zeros = |shape: &[usize]| Tensor::f32(shape, vec![0.0; shape.iter().product()]).unwrap();
    let inputs = Tensors::new()
        .with("face", zeros(&[1, 468, 3]))
        .with("neutral", zeros(&[1, 468, 3]))
        .with("eyes", zeros(&[1, 2, 21, 2]))
        .with("neutral_eyes", zeros(&[1, 2, 21, 2]))
        .with("irises", zeros(&[1, 2, 2]))
        .with("neutral_irises", zeros(&[1, 2, 2]))
        .with("rotation", zeros(&[1, 3]));
    let outputs = models.run(ROLE, &inputs).unwrap();
    let mean = outputs.get("mean").unwrap().as_f32().unwrap().to_vec();
    mean.chunks_exact(3).map(|p| Vector3::new(p[0].into(), p[1].into(), p[2].into())).collect()
}

/// What `align` would see of `frames`, in chunks of `size`.
fn landmarks(models: &Models, frames: &[Frame], size: usize) -> Vec<Artifact> {
    let mean = mean(models);
    // The mean face's lips are a little apart.
    let apart = (mean[13] - mean[14]).norm() - 0.02;
    let chunk = |frames: &[Frame]| {
        let (mut flat, mut near) = (vec![], vec![]);
        for frame in frames {
            let turn = Rotation3::from_axis_angle(&Vector3::y_axis(), frame.yaw);
            for (k, point) in mean.iter().enumerate() {
                let down = if face::LOWER.contains(&k) { frame.open - apart } else { 0.0 };
                let point = turn * (point - Vector3::new(0.0, down, 0.0)) * frame.size;
                flat.extend([(point.x + 0.5) as f32, (0.5 - point.y) as f32]);
                near.push(point.z as f32);
            }
        }
        let n = frames.len();
        let tensors = Tensors::new()
            .with("landmarks", Tensor::f32([n, 468, 2], flat).unwrap())
            .with("near", Tensor::f32([n, 468], near).unwrap())
            .with("found", Tensor::u8([n], frames.iter().map(|frame| frame.found.into()).collect()).unwrap())
            .with("shot", Tensor::i64([n], frames.iter().map(|frame| frame.shot).collect()).unwrap())
            .with(
                "sharpness",
                Tensor::f32([n], frames.iter().map(|frame| frame.sharpness).collect()).unwrap(),
            );
        Artifact::new(Value::Tensors(tensors))
    };
    frames.chunks(size).map(chunk).collect()
}

fn track(
    models: &Models,
    frames: &[Frame],
    set: &[(&str, ParamValue)],
    host: &TestHost,
) -> Result<Collected> {
    let clip = Input::Sequence(std::sync::Arc::new(InMemory(landmarks(models, frames, 10))));
    let ports = BTreeMap::from([("landmarks".to_owned(), clip)]);
    run_value(&node(), set, &crate::body::Inputs::new(ports, 0, Some(Rate::new(10, 1))), host, models)
}

/// The rows of the tensor `name` over all chunks.
fn rows(out: &Collected, name: &str) -> Vec<Vec<f32>> {
    let chunks = out.chunks["motion"].iter();
    chunks
        .flat_map(|chunk| {
            let tensor = chunk.tensors().unwrap().get(name).unwrap();
            let width = tensor.shape()[1];
            tensor.as_f32().unwrap().chunks_exact(width).map(<[f32]>::to_vec).collect::<Vec<_>>()
        })
        .collect()
}

fn jaw(models: &Models, out: &Collected) -> Vec<f32> {
    let at = crate::volume::testing::unit(models, "jawOpen");
    rows(out, "expression").iter().map(|row| row[at]).collect()
}

/// 25 frames: an open mouth first, then shut but for a while, the head turning all the time.
fn talking() -> Vec<Frame> {
    let open = |k: usize| if k < 5 || (12..16).contains(&k) { 0.25 } else { 0.0 };
    (0..25).map(|k| Frame { yaw: 0.2 * (k as f64 * 0.25).sin(), open: open(k), ..STILL }).collect()
}

#[test]
fn a_clip_that_begins_with_an_open_mouth_is_read_beside_its_shut_one() {
    let Some(models) = tiny_models() else { return };
    let host = TestHost::new();
    let out = track(&models, &talking(), &[("smooth_face", ParamValue::Float(0.0))], &host).unwrap();
    let sizes: Vec<usize> = out.chunks["motion"]
        .iter()
        .map(|chunk| chunk.tensors().unwrap().get("shot").unwrap().shape()[0])
        .collect();
    assert_eq!(sizes, [10, 10, 5], "cut as the rate says");
    let jaw = jaw(&models, &out);
    assert!(jaw[2] > 0.3 && jaw[13] > 0.3, "{jaw:?}");
    assert!(jaw[8].abs() < 0.12 && jaw[20].abs() < 0.12, "{jaw:?}");
    let yaw: Vec<f32> = rows(&out, "rotation").iter().map(|row| row[1]).collect();
    let swing = |k: usize| 0.2 * (k as f32 * 0.25).sin();
    let product: f32 = (0..25).map(|k| yaw[k] * swing(k)).sum();
    let gain = product / (0..25).map(|k| swing(k).powi(2)).sum::<f32>();
    assert!((0.75..1.25).contains(&gain), "{gain} {yaw:?}");
    assert_eq!(host.noted("gaps").unwrap(), serde_json::json!([]));
    assert!(host.warnings.lock().unwrap().is_empty());
}

#[test]
fn frames_that_cannot_be_read_are_told_and_treated_as_asked() {
    let Some(models) = tiny_models() else { return };
    let mut clip = talking();
    (7..10).for_each(|k| clip[k].found = false);
    clip[20].sharpness = 2.0;
    let text = |word: &str| vec![("missing", ParamValue::Text(word.into()))];
    for (policy, frames, done) in [
        ("interpolate", 25, "interpolated"),
        ("hold", 25, "the frame before is held"),
        ("skip", 21, "left out"),
    ] {
        let host = TestHost::new();
        let out = track(&models, &clip, &text(policy), &host).unwrap();
        assert_eq!(rows(&out, "expression").len(), frames, "{policy}");
        assert_eq!(
            host.warnings.lock().unwrap().as_slice(),
            [format!("4 driving frames could not be read (8–10: no face, 21: blurred); {done}")]
        );
        assert_eq!(
            host.noted("gaps").unwrap()[0],
            serde_json::json!({"first": 8, "last": 10, "why": "no face"})
        );
    }
    let error = track(&models, &clip, &text("fail"), &TestHost::new()).err().unwrap();
    assert_eq!(error.to_string(), "driving frames 8–10: no face, 21: blurred");
    let short = [("longest_gap", ParamValue::Float(0.2))];
    let error = track(&models, &clip, &short, &TestHost::new()).err().unwrap();
    assert_eq!(error.to_string(), "driving frames 8–10: no face: 0.30 s, expected gaps of at most 0.20 s");
}

#[test]
fn a_cut_begins_another_neutral_and_nothing_leaks_over_it() {
    let Some(models) = tiny_models() else { return };
    // After the cut the driver's mouth stands open all the time, and is read as open all the same.
    let after = (0..20).map(|_| Frame { open: 0.2, shot: 1, ..STILL });
    let clip: Vec<Frame> = (0..20).map(|_| STILL).chain(after).collect();
    let host = TestHost::new();
    let out = track(&models, &clip, &[], &host).unwrap();
    let jaw = jaw(&models, &out);
    assert!(jaw[..20].iter().all(|jaw| jaw.abs() < 0.1), "{jaw:?}");
    assert!(jaw[20..].iter().all(|jaw| (0.3..0.9).contains(jaw)), "{jaw:?}");
    assert_eq!(host.noted("shots"), Some(2.into()));
}

#[test]
fn a_sudden_jump_of_size_is_no_face_and_does_not_spoil_what_follows() {
    let Some(models) = tiny_models() else { return };
    let mut clip = talking();
    clip[9].size = 0.6;
    // Lost for a moment, the driver comes back much nearer.
    clip[15].found = false;
    clip[16..].iter_mut().for_each(|frame| frame.size = 0.45);
    let host = TestHost::new();
    let out = track(&models, &clip, &[], &host).unwrap();
    assert_eq!(rows(&out, "expression").len(), 25);
    assert_eq!(
        host.warnings.lock().unwrap().as_slice(),
        ["2 driving frames could not be read (10: implausible landmarks, 16: no face); interpolated"]
    );
    let place = rows(&out, "place");
    let nearer = place[22][2] - place[5][2];
    assert!((nearer - (0.45f32 / 0.25).ln()).abs() < 0.02, "{nearer}");
}

#[test]
fn landmarks_of_a_photo_are_no_clip() {
    let Some(models) = tiny_models() else { return };
    let bare = Tensors::new().with("landmarks", Tensor::f32([1, 468, 2], vec![0.5; 936]).unwrap());
    let clip = Input::Sequence(std::sync::Arc::new(InMemory(vec![Artifact::new(Value::Tensors(bare))])));
    let ports = BTreeMap::from([("landmarks".to_owned(), clip)]);
    let inputs = crate::body::Inputs::new(ports, 0, Some(Rate::new(25, 1)));
    let error = run_value(&node(), &[], &inputs, &TestHost::new(), &models).err().unwrap();
    assert!(error.hint_text().unwrap().contains("`align`"), "{error}");
}
