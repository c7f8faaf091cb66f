use proptest::prelude::*;

use super::*;
use crate::{
    artifact::Value,
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, no_models, run_chunks},
};

const SIZE: usize = 6;

fn set(kind: &str, window: i64) -> Vec<(&'static str, ParamValue)> {
    vec![
        ("of", ParamValue::Text("pose".into())),
        ("kind", ParamValue::Text(kind.into())),
        ("window", ParamValue::Int(window)),
    ]
}

/// Runs over frames cut into chunks of the given sizes.
fn smooth(frames: &[[f32; SIZE]], sizes: &[usize], set: &[(&str, ParamValue)]) -> Result<Vec<f32>> {
    let mut at = 0;
    let chunks: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(k, &n)| {
            let flat = frames[at..at + n].concat();
            at += n;
            let pose = Tensors::new().with("pose", Tensor::f32([n, SIZE], flat).unwrap());
            inputs(k, vec![("sequence", Value::Tensors(pose))])
        })
        .collect();
    let outputs = run_chunks(&node(), set, &chunks, &TestHost::new(), &no_models())?;
    let mut all = vec![];
    for output in outputs {
        all.extend_from_slice(output["sequence"].tensors()?.get("pose")?.as_f32()?);
    }
    Ok(all)
}

fn ramp(n: usize) -> Vec<[f32; SIZE]> {
    (0..n).map(|i| [i as f32; SIZE]).collect()
}

#[test]
fn the_mean_of_the_last_frames() {
    let out = smooth(&ramp(6), &[6], &set("mean", 3)).unwrap();
    let first: Vec<f32> = out.chunks_exact(SIZE).map(|frame| frame[0]).collect();
    for (found, expected) in first.iter().zip([0.0, 0.5, 1.0, 2.0, 3.0, 4.0]) {
        assert!((found - expected).abs() < 1e-6, "{first:?}");
    }
}

#[test]
fn a_window_of_one_changes_nothing() {
    let frames = ramp(5);
    for kind in ["mean", "gaussian"] {
        assert_eq!(smooth(&frames, &[2, 3], &set(kind, 1)).unwrap(), frames.concat());
    }
}

#[test]
fn a_gaussian_lags_less_than_the_mean() {
    let last = |kind| *smooth(&ramp(30), &[30], &set(kind, 9)).unwrap().last().unwrap();
    assert!(last("mean") < last("gaussian") && last("gaussian") < 29.0);
}

#[test]
fn frames_that_change_size_are_an_error() {
    let mask = |side: usize| {
        let mask = Tensor::f32([2, 1, side, side], vec![0.5; 2 * side * side]).unwrap();
        Value::Tensors(Tensors::new().with("mask", mask))
    };
    let chunks = [inputs(0, vec![("sequence", mask(4))]), inputs(1, vec![("sequence", mask(5))])];
    let set = [("of", ParamValue::Text("mask".into()))];
    let error = run_chunks(&node(), &set, &chunks, &TestHost::new(), &no_models()).unwrap_err();
    assert_eq!(error.to_string(), "port `sequence`: frames of shape [1, 5, 5], expected [1, 4, 4] as before");
}

#[test]
fn the_ports_have_the_type_that_the_parameter_says() {
    for ty in ["mask", "pose", "expression", "coefficients"] {
        let params = crate::testing::params(node().contract(), &[("of", ParamValue::Text(ty.into()))]);
        let connected = ["sequence".to_owned()].into();
        let use_ = NodeUse { params: &params, connected: &connected, folder: std::path::Path::new("") };
        let contract = node().resolve(&use_).unwrap();
        assert_eq!((contract.inputs[0].ty.name(), contract.outputs[0].ty.name()), (ty, ty));
    }
}

proptest! {
    #[test]
    fn how_frames_are_cut_into_chunks_does_not_matter(
        frames in proptest::collection::vec(proptest::array::uniform6(-3.0f32..3.0), 1..40),
        cut in 1usize..12,
        window in 1i64..12,
    ) {
        let sizes: Vec<usize> = frames.chunks(cut).map(<[_]>::len).collect();
        for kind in ["mean", "gaussian"] {
            let whole = smooth(&frames, &[frames.len()], &set(kind, window)).unwrap();
            let cut = smooth(&frames, &sizes, &set(kind, window)).unwrap();
            prop_assert_eq!(&whole, &cut);
        }
    }
}
