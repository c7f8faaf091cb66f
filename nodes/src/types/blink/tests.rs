use super::{body::Blinking, *};
use crate::{
    artifact::Value,
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, no_models, run_chunks},
};

/// Ratios of frames cut into chunks of the given sizes, 25 frames a second.
fn ratios(sizes: &[usize], set: &[(&str, ParamValue)]) -> Vec<f32> {
    let chunk = |(k, &n): (usize, &usize)| {
        let mel = Tensors::new().with("mel", Tensor::f32([n, 2], vec![0.0; 2 * n]).unwrap());
        inputs(k, vec![("timeline", Value::Tensors(mel))])
    };
    let chunks: Vec<_> = sizes.iter().enumerate().map(chunk).collect();
    let outputs = run_chunks(&node(), set, &chunks, &TestHost::new(), &no_models()).unwrap();
    let ratio =
        |chunk: &crate::body::Outputs| chunk["ratio"].tensors().unwrap().get("ratio").unwrap().clone();
    outputs.iter().flat_map(|chunk| ratio(chunk).as_f32().unwrap().to_vec()).collect()
}

/// Lengths of the runs of frames in which the eyes are not wide open.
fn runs(ratios: &[f32]) -> Vec<usize> {
    ratios.split(|&ratio| ratio == 0.0).map(<[f32]>::len).filter(|&len| len > 0).collect()
}

#[test]
fn how_frames_are_cut_into_chunks_does_not_matter() {
    let whole = ratios(&[500], &[]);
    assert_eq!(whole, ratios(&[25; 20], &[]));
    assert_eq!(whole, ratios(&[7, 93, 1, 399], &[]));
    assert_eq!(whole[..200], ratios(&[200], &[]));
}

#[test]
fn every_blink_shuts_the_eyes_for_a_moment() {
    let ratios = ratios(&[25 * 600], &[]);
    let runs = runs(&ratios);
    assert!(runs.iter().all(|&frames| (5..=9).contains(&frames)), "{runs:?}");
    for blink in ratios.split(|&ratio| ratio == 0.0).filter(|blink| !blink.is_empty()) {
        let deepest = blink.iter().copied().fold(0.0, f32::max);
        assert!((0.9..=1.0).contains(&deepest), "{blink:?}");
        let at = blink.iter().position(|&ratio| ratio == deepest).unwrap();
        assert!(blink[..at].is_sorted() && blink[at..].is_sorted_by(|a, b| a >= b), "{blink:?}");
    }
}

#[test]
fn blinks_come_as_often_as_the_interval_says() {
    for interval in [2.0, 3.5, 8.0] {
        let body = Blinking { seed: 5, interval, depth: 1.0 };
        let blinks: Vec<_> = body.blinks().take(2000).collect();
        let mean = blinks.last().unwrap().start / blinks.len() as f64;
        assert!((mean / interval - 1.0).abs() < 0.06, "{mean} for {interval}");
        assert!(blinks.windows(2).all(|pair| pair[0].end() < pair[1].start));
        assert!(blinks.iter().all(|blink| blink.opening > blink.closing));
    }
}

#[test]
fn depth_and_seed_are_read() {
    assert_eq!(ratios(&[300], &[("depth", ParamValue::Float(0.0))]), [0.0; 300]);
    let half = ratios(&[300], &[("depth", ParamValue::Float(0.5))]);
    let doubled: Vec<f32> = half.iter().map(|ratio| ratio * 2.0).collect();
    let whole = ratios(&[300], &[]);
    assert!(whole.iter().zip(&doubled).all(|(a, b)| (a - b).abs() < 1e-6));
    assert_ne!(whole, ratios(&[300], &[("seed", ParamValue::Int(2))]));
}

/// Pins the generator: a seed must keep its blinks.
#[test]
fn the_numbers_never_change() {
    let starts: Vec<f64> =
        Blinking { seed: 1, interval: 3.5, depth: 1.0 }.blinks().take(3).map(|blink| blink.start).collect();
    let expected = [4.011180338351175, 4.611180338351175, 7.810719453865405];
    assert!(starts.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{starts:?}");
}

#[test]
fn tensors_that_disagree_on_their_frames_are_an_error() {
    let row = |n: usize| Tensor::f32([n, 1], vec![0.0; n]).unwrap();
    let tensors = Tensors::new().with("a", row(2)).with("b", row(3));
    let chunk = inputs(0, vec![("timeline", Value::Tensors(tensors))]);
    let error = run_chunks(&node(), &[], &[chunk], &TestHost::new(), &no_models()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "port `timeline`: expected tensors with as many frames each, found a [2, 1], b [3, 1]"
    );
}
