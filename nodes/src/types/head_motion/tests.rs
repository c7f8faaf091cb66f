use super::{body::Sway, *};
use crate::{
    artifact::Value,
    body::Inputs,
    error::NodeError,
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, no_models, tiny_models},
};

const REST: [f32; 6] = [0.1, -0.2, 0.05, 0.3, 0.4, 0.5];

fn chunk(k: usize, frames: usize, rest: (&str, &str, Vec<f32>)) -> Inputs {
    let (port, name, row) = rest;
    let mel = Tensors::new().with("mel", Tensor::f32([frames, 1], vec![0.0; frames]).unwrap());
    let rest = Tensors::new().with(name, Tensor::f32([1, row.len()], row).unwrap());
    inputs(k, vec![("timeline", Value::Tensors(mel)), (port, Value::Tensors(rest))])
}

fn run(chunks: &[Inputs], set: &[(&str, ParamValue)], models: &Models) -> Result<Vec<[f32; 6]>> {
    let body = crate::testing::body(&node(), set, &["timeline", "pose"])?;
    assert!(matches!(body, Body::Scan(_)));
    let outputs = run_chunks_of(body, chunks, models)?;
    Ok(outputs.chunks_exact(6).map(|row| row.try_into().unwrap()).collect())
}

fn run_chunks_of(body: Body, chunks: &[Inputs], models: &Models) -> Result<Vec<f32>> {
    let Body::Scan(mut body) = body else { panic!("not a scan body") };
    let (mut state, mut all) = (None, vec![]);
    let host = TestHost::new();
    for inputs in chunks {
        let ctx = crate::body::Context { host: &host, models };
        let (outputs, next) = body.chunk(state.as_ref(), inputs, &ctx)?;
        all.extend_from_slice(outputs["pose"].tensors()?.get("pose")?.as_f32()?);
        state = Some(next);
    }
    Ok(all)
}

/// Poses of frames cut into chunks of the given sizes, 25 frames a second, around [`REST`].
fn poses(sizes: &[usize], set: &[(&str, ParamValue)]) -> Vec<[f32; 6]> {
    let chunks: Vec<_> =
        sizes.iter().enumerate().map(|(k, &n)| chunk(k, n, ("pose", "pose", REST.to_vec()))).collect();
    run(&chunks, set, &no_models()).unwrap()
}

#[test]
fn begins_in_the_reference_pose_and_sets_out_gently() {
    let poses = poses(&[50], &[]);
    assert_eq!(poses[0], REST);
    let yaw = |i: usize| (poses[i][1] - REST[1]).abs().to_degrees();
    assert!(yaw(1) < 0.01 && yaw(49) > 0.02, "{} {}", yaw(1), yaw(49));
    assert!(poses.iter().all(|pose| pose[3..] == REST[3..]));
}

#[test]
fn how_frames_are_cut_into_chunks_does_not_matter() {
    let whole = poses(&[200], &[]);
    assert_eq!(whole, poses(&[25; 8], &[]));
    assert_eq!(whole, poses(&[3, 180, 17], &[]));
    assert_ne!(whole, poses(&[200], &[("seed", ParamValue::Int(2))]));
}

#[test]
fn stays_within_its_angles_and_uses_them() {
    let limits = [2.0_f64, 4.0, 1.0];
    for seed in 0..20 {
        let sway = Sway::new(seed, limits.map(f64::to_radians), 5.0);
        let angles: Vec<[f64; 3]> = (0..25 * 120).map(|i| sway.at(f64::from(i) / 25.0)).collect();
        for (k, limit) in limits.into_iter().enumerate() {
            let largest = angles.iter().map(|angle| angle[k].abs().to_degrees()).fold(0.0, f64::max);
            assert!(largest < limit && largest > 0.5 * limit, "seed {seed}: {largest} of {limit}");
            let fastest = angles
                .windows(2)
                .map(|pair| (pair[1][k] - pair[0][k]).abs().to_degrees() * 25.0)
                .fold(0.0, f64::max);
            assert!(fastest < 2.0 * limit, "seed {seed}: {fastest} degrees a second");
        }
    }
}

#[test]
fn rests_in_the_pose_of_the_coefficients() {
    let Some(models) = tiny_models() else { return };
    let layout = models.pack().unwrap().coefficients().clone();
    let mut row = vec![0.0; layout.size];
    layout.set_pose(&mut row, &REST).unwrap();
    let chunks = [chunk(0, 3, ("reference", "coefficients", row))];
    let set = ["pitch", "yaw", "roll"].map(|name| (name, ParamValue::Float(0.0)));
    let body = crate::testing::body(&node(), &set, &["timeline", "reference"]).unwrap();
    assert_eq!(run_chunks_of(body, &chunks, &models).unwrap(), [REST; 3].concat());
}

/// Pins the generator: a seed must keep its motion.
#[test]
fn the_numbers_never_change() {
    let angles = Sway::new(1, [0.1; 3], 5.0).at(3.0);
    let expected = [0.02878176759643063, 0.000890744204447221, 0.048034846871435215];
    assert!(angles.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{angles:?}");
}

#[test]
fn wrong_poses_and_wrong_connections_are_clear_errors() {
    let error = run(&[chunk(0, 1, ("pose", "pose", vec![0.0; 7]))], &[], &no_models()).unwrap_err();
    assert_eq!(error.to_string(), "port `pose`: shape [1, 7], expected [1, 6]");
    let error =
        |connected: &[&str]| -> NodeError { crate::testing::body(&node(), &[], connected).err().unwrap() };
    assert!(error(&["timeline"]).to_string().contains("neither"));
    assert!(error(&["timeline", "pose", "reference"]).to_string().contains("both"));
}
