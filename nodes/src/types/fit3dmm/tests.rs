use std::collections::BTreeSet;

use image::RgbImage;

use super::*;
use crate::{
    artifact::{ArtifactType, Value},
    body::{Context, Inputs},
    contract::{Arity, ParamValue},
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, params, run_value, tiny_models, tiny_models_in},
    volume,
};

/// A head that is turned, opened and moved, and the landmarks that it shows.
fn truth(models: &Models, jaw: f32) -> (Vec<f32>, Vec<f32>) {
    let layout = models.pack().unwrap().coefficients();
    let mut row = vec![0.0; layout.size];
    layout.set_pose(&mut row, &[0.05, 0.15, -0.05, 0.02, 0.01, 0.0]).unwrap();
    row[layout.expression.0 + volume::testing::unit(models, "jawOpen")] = jaw;
    let offered = Tensors::new().with("coefficients", Tensor::f32([1, layout.size], row.clone()).unwrap());
    let seen = models.run("morphable_model", &offered).unwrap();
    (row, seen.get("landmarks").unwrap().as_f32().unwrap().to_vec())
}

fn landmarks(rows: &[Vec<f32>]) -> Value {
    let shape = [rows.len(), rows[0].len() / 2, 2];
    Value::Tensors(Tensors::new().with("landmarks", Tensor::f32(shape, rows.concat()).unwrap()))
}

fn coefficients(rows: usize, size: usize) -> Value {
    let zeros = Tensor::f32([rows, size], vec![0.0; rows * size]).unwrap();
    Value::Tensors(Tensors::new().with("coefficients", zeros))
}

#[test]
fn a_known_head_is_found_from_its_landmarks() {
    let Some(models) = tiny_models() else { return };
    let (row, seen) = truth(&models, 0.6);
    let ports = vec![
        ("image", Value::Image(RgbImage::new(32, 32))),
        ("landmarks", landmarks(&[seen])),
        ("coefficients", coefficients(1, row.len())),
    ];
    let host = TestHost::new();
    let portrait = PortraitOnly(node());
    let out = run_value(&portrait, &[], &inputs(0, ports), &host, &models).unwrap();
    let error = host.noted("landmark_error_px").unwrap().as_f64().unwrap();
    assert!(error < 0.1, "{error} pixels");
    let fitted = out.values["coefficients"].tensors().unwrap().get("coefficients").unwrap().as_f32().unwrap();
    let layout = models.pack().unwrap().coefficients();
    let (found, wanted) = (layout.pose_of(fitted).unwrap(), layout.pose_of(&row).unwrap());
    assert!((found[1] - wanted[1]).abs() < 0.05, "yaw {}, expected {}", found[1], wanted[1]);
    assert!(out.values["curve"].tensors().unwrap().0.contains_key("full.loss"));
}

/// The node as it stands when `image` is connected.
struct PortraitOnly(Fit3dmm);

impl NodeType for PortraitOnly {
    fn contract(&self) -> &Contract {
        self.0.contract()
    }
    fn body(&self, params: &Params, contract: &Contract) -> Result<Body> {
        self.0.body(params, contract)
    }
}

fn resolved(connected: &[&str]) -> Result<Contract> {
    let connected: BTreeSet<String> = connected.iter().map(ToString::to_string).collect();
    let params = params(node().contract(), &[]);
    node().resolve(&NodeUse { params: &params, connected: &connected, folder: std::path::Path::new("") })
}

#[test]
fn frames_are_followed_and_a_lost_face_keeps_the_last_fit() {
    let Some(models) = tiny_models() else { return };
    let contract = resolved(&["frames", "landmarks", "coefficients"]).unwrap();
    let Body::Scan(mut body) = node().body(&params(&contract, &[]), &contract).unwrap() else {
        panic!("not a scan")
    };
    let chunk = |jaws: &[f32], repeat: bool| -> Inputs {
        let mut rows: Vec<_> = jaws.iter().map(|&jaw| truth(&models, jaw).1).collect();
        if repeat {
            rows[1] = rows[0].clone();
        }
        let frames = Tensor::u8([jaws.len(), 8, 8, 3], vec![0; jaws.len() * 192]).unwrap();
        let size = models.pack().unwrap().coefficients().size;
        inputs(
            0,
            vec![
                ("frames", Value::Tensors(Tensors::new().with("frames", frames))),
                ("landmarks", landmarks(&rows)),
                ("coefficients", coefficients(jaws.len(), size)),
            ],
        )
    };
    let host = TestHost::new();
    let ctx = Context { host: &host, models: &models };
    let (first, state) = body.chunk(None, &chunk(&[0.1, 0.3], false), &ctx).unwrap();
    let (second, _) = body.chunk(Some(&state), &chunk(&[0.5, 0.9], true), &ctx).unwrap();
    let at = models.pack().unwrap().coefficients().expression.0 + volume::testing::unit(&models, "jawOpen");
    let jaws = |out: &crate::body::Outputs| -> Vec<f32> {
        let rows = out["coefficients"].tensors().unwrap().get("coefficients").unwrap().clone();
        rows.as_f32().unwrap().chunks_exact(rows.shape()[1]).map(|row| row[at]).collect()
    };
    let (first, second) = (jaws(&first), jaws(&second));
    assert!(first[1] > first[0] + 0.05 && second[0] > first[1] + 0.05, "{first:?} {second:?}");
    assert_eq!(second[0], second[1]);
    assert!(host.noted("landmark_error_px").unwrap().as_f64().unwrap() < 0.5);
}

#[test]
fn a_clip_must_begin_with_a_face() {
    let Some(models) = tiny_models() else { return };
    let contract = resolved(&["frames", "landmarks", "coefficients"]).unwrap();
    let Body::Scan(mut body) = node().body(&params(&contract, &[]), &contract).unwrap() else {
        panic!("not a scan")
    };
    let frames = Tensor::u8([1, 8, 8, 3], vec![0; 192]).unwrap();
    let nobody = Tensor::f32([1, 468, 2], vec![0.5; 936]).unwrap();
    let size = models.pack().unwrap().coefficients().size;
    let given = inputs(
        0,
        vec![
            ("frames", Value::Tensors(Tensors::new().with("frames", frames))),
            ("landmarks", Value::Tensors(Tensors::new().with("landmarks", nobody))),
            ("coefficients", coefficients(1, size)),
        ],
    );
    let host = TestHost::new();
    let error = body.chunk(None, &given, &Context { host: &host, models: &models }).err().unwrap();
    assert_eq!(error.to_string(), "no face found in the first 1 frames");
    assert!(error.hint_text().is_some());
}

#[test]
fn the_connected_ports_settle_the_form() {
    let portrait = resolved(&["image", "landmarks", "coefficients"]).unwrap();
    assert_eq!(portrait.time, Time::Value);
    assert!(portrait.find_input("frames").is_none() && portrait.find_output("curve").is_some());
    let video = resolved(&["frames", "landmarks", "coefficients"]).unwrap();
    assert_eq!(video.time, Time::Scan);
    assert!(video.inputs.iter().all(|input| input.arity == Arity::Chunk));
    assert!(video.find_output("curve").is_none());
    let coefficients = video.find_output("coefficients").unwrap();
    assert!(coefficients.sequence.is_some() && coefficients.ty == ArtifactType::Coefficients);
    assert!(resolved(&["landmarks"]).unwrap_err().to_string().contains("neither is connected"));
    assert!(resolved(&["image", "frames"]).unwrap_err().to_string().contains("both are connected"));
}

#[test]
fn steps_of_later_frames_are_their_own() {
    let set = params(node().contract(), &[("steps", ParamValue::Int(7))]);
    assert_eq!(contract::overrides(&set, 1, 2, false).unwrap().steps, Some(7));
    assert_eq!(contract::overrides(&set, 0, 2, false).unwrap().steps, None);
    assert_eq!(contract::overrides(&set, 1, 2, true).unwrap().steps, Some(30));
}

/// A pack whose model has some points of the mesh: those are chosen of what `align` finds, and others are taken as they come.
#[test]
fn the_packs_landmarks_are_chosen_of_the_mesh() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = |yaml: String| format!("{yaml}landmarks: [5, 0, 467]\n");
    let Some(models) = tiny_models_in(folder.path(), yaml, &[]) else { return };
    let mesh: Vec<f32> = (0..2 * 468).map(|i| i as f32).collect();
    let Value::Tensors(found) = landmarks(&[mesh.clone(), mesh]) else { unreachable!() };
    let rows = super::landmarks::rows(&found, models.pack().unwrap()).unwrap();
    assert_eq!(rows, vec![vec![10.0, 11.0, 0.0, 1.0, 934.0, 935.0]; 2]);
    let Value::Tensors(own) = landmarks(&[vec![0.5; 6]]) else { unreachable!() };
    assert_eq!(super::landmarks::rows(&own, models.pack().unwrap()).unwrap(), [vec![0.5; 6]]);
    assert!(node().roles(&Params::default(), &models).unwrap().contains(&"pack.landmarks".to_owned()));
    let Some(all) = tiny_models() else { return };
    assert!(!node().roles(&Params::default(), &all).unwrap().contains(&"pack.landmarks".to_owned()));
}

/// Landmarks of a crop of the picture are fitted where they are in the picture.
#[test]
fn landmarks_of_a_crop_are_brought_into_the_picture() {
    let Some(models) = tiny_models() else { return };
    let (row, seen) = truth(&models, 0.6);
    // The crop is the picture's middle, 3/4 of its side.
    let cropped: Vec<f32> = seen.iter().map(|x| (x - 0.125) / 0.75).collect();
    let crop =
        serde_json::json!({ "side": 64, "angle": 0.0, "matrix": [[0.375, 0.0, 4.0], [0.0, 0.375, 4.0]] });
    let fitted = |landmarks: Vec<f32>, crop: Option<serde_json::Value>| {
        let mut ports = vec![
            ("image", Value::Image(RgbImage::new(32, 32))),
            ("landmarks", self::landmarks(&[landmarks])),
            ("coefficients", coefficients(1, row.len())),
        ];
        ports.extend(crop.map(|crop| ("crop", Value::Json(crop))));
        let host = TestHost::new();
        let out = run_value(&PortraitOnly(node()), &[], &inputs(0, ports), &host, &models).unwrap();
        out.values["coefficients"].tensors().unwrap().get("coefficients").unwrap().as_f32().unwrap().to_vec()
    };
    let off = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    let whole = fitted(seen, None);
    let (back, astray) = (fitted(cropped.clone(), Some(crop)), fitted(cropped, None));
    assert!(off(&whole, &back) < 1e-2, "{}", off(&whole, &back));
    assert!(off(&whole, &astray) > 0.1, "{}", off(&whole, &astray));
    let portrait = resolved(&["image", "landmarks", "coefficients"]).unwrap();
    assert!(portrait.find_input("crop").is_none());
    let portrait = resolved(&["image", "landmarks", "coefficients", "crop"]).unwrap();
    assert!(portrait.find_input("crop").is_some());
    let error = resolved(&["frames", "landmarks", "coefficients", "crop"]).unwrap_err().to_string();
    assert_eq!(error, "port `crop`: goes with `image`, not with `frames`");
}
