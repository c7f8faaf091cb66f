use std::sync::Arc;

use super::{
    body::{End, Fuse},
    *,
};
use crate::{
    artifact::Value,
    contract::{ParamValue, Rate},
    pack::{CoefficientLayout, Regions},
    tensor::{Tensor, Tensors},
    testing::{InMemory, params},
};

/// Identity 1, expression 2, rotation 3, translation 3.
fn layout() -> CoefficientLayout {
    CoefficientLayout {
        size: 9,
        identity: (0, 1),
        expression: (1, 3),
        texture: None,
        light: None,
        rotation: (3, 6),
        translation: (6, 9),
    }
}

/// The two expression coefficients are a jaw and a brow.
fn weights(fuse: &Fuse) -> Vec<f32> {
    let regions = Regions { brows: vec!["brow".into()], ..Regions::default() };
    fuse.weights(&["jaw", "brow"].map(String::from), &regions)
}

const RATE: Rate = Rate::new(25, 1);

const REFERENCE: [f32; 9] = [9.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

fn fuse(set: &[(&str, ParamValue)], driving_chunks: &[usize]) -> Fuse {
    let mut fuse = Fuse::new(&params(node().contract(), set)).unwrap();
    let mut at = 0;
    let chunks = driving_chunks.iter().map(|&n| {
        // Frame i: expression i, rotation 10 + i, translation 20 + i.
        let row = |i: usize| {
            let i = i as f32;
            [0.0, i, i, 10.0 + i, 10.0 + i, 10.0 + i, 20.0 + i, 20.0 + i, 20.0 + i]
        };
        let rows: Vec<f32> = (at..at + n).flat_map(row).collect();
        at += n;
        let tensors = Tensors::new().with("coefficients", Tensor::f32([n, 9], rows).unwrap());
        Arc::new(Value::Tensors(tensors))
    });
    fuse.load(&InMemory(chunks.collect())).unwrap();
    fuse
}

/// First number of each frame's pose, translation and expression; the speech's expression is 100.
fn frames(fuse: &Fuse, start: usize, n: usize) -> Vec<(f32, f32, f32)> {
    let speech = Tensor::f32([n, 2], vec![100.0; n * 2]).unwrap();
    let (pose, expression) =
        fuse.frames((start, RATE), &speech, &REFERENCE, &layout(), &weights(fuse)).unwrap();
    let poses = pose.as_f32().unwrap().chunks_exact(6);
    poses.zip(expression.as_f32().unwrap().chunks_exact(2)).map(|(p, e)| (p[0], p[3], e[0])).collect()
}

fn text(word: &str) -> ParamValue {
    ParamValue::Text(word.into())
}

#[test]
fn rotation_follows_and_translation_stays_by_default() {
    let fuse = fuse(&[("weight", ParamValue::Float(0.0))], &[4]);
    assert_eq!(frames(&fuse, 0, 3), [(10.0, 0.4, 100.0), (11.0, 0.4, 100.0), (12.0, 0.4, 100.0)]);
}

#[test]
fn each_part_comes_from_where_its_parameter_says() {
    let set = [
        ("pose", text("reference")),
        ("translation", text("driving")),
        ("weight", ParamValue::Float(1.0)),
        ("first_frame", text("speech")),
    ];
    assert_eq!(frames(&fuse(&set, &[4]), 0, 2), [(0.1, 20.0, 100.0), (0.1, 21.0, 1.0)]);
    assert_eq!(frames(&fuse(&[("weight", ParamValue::Float(0.25))], &[4]), 2, 1), [(12.0, 0.4, 75.5)]);
}

#[test]
fn the_cut_into_chunks_does_not_matter() {
    for chunks in [&[5][..], &[2, 3], &[1, 1, 3]] {
        let fuse = fuse(&[], chunks);
        let whole = frames(&fuse, 0, 8);
        assert_eq!(whole, [frames(&fuse, 0, 3), frames(&fuse, 3, 5)].concat());
    }
}

#[test]
fn what_follows_the_last_driving_frame() {
    let indices = |end: End, len| (0..9).map(|i| end.index(i, len)).collect::<Vec<_>>();
    assert_eq!(indices(End::Hold, 3), [0, 1, 2, 2, 2, 2, 2, 2, 2]);
    assert_eq!(indices(End::Loop, 3), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert_eq!(indices(End::Bounce, 3), [0, 1, 2, 1, 0, 1, 2, 1, 0]);
    for end in [End::Hold, End::Loop, End::Bounce, End::Fade] {
        assert_eq!(indices(end, 1), [0; 9]);
    }
}

#[test]
fn the_end_fades_to_the_reference_within_a_second_without_a_jump_of_speed() {
    let set = [("end", text("fade")), ("weight", ParamValue::Float(1.0)), ("translation", text("driving"))];
    for rate in ["12.5", "25", "59.94"] {
        let rate: Rate = rate.parse().unwrap();
        // Two seconds of a sway, cut at its fastest and in its turn.
        let second = rate.fps().round() as usize;
        for quarter in [8, 9] {
            let len = second * quarter / 4 + 1;
            let sway = |i: usize| (rate.seconds(i as u64) * std::f64::consts::TAU / 2.0).sin() as f32;
            let row = |i: usize| [0.0, sway(i), sway(i), sway(i), 0.0, 0.0, 1.0 + sway(i), 0.0, 0.0];
            let mut fuse = Fuse::new(&params(node().contract(), &set)).unwrap();
            let rows = Tensor::f32([len, 9], (0..len).flat_map(row).collect()).unwrap();
            let chunk = Value::Tensors(Tensors::new().with("coefficients", rows));
            fuse.load(&InMemory(vec![Arc::new(chunk)])).unwrap();

            let n = len + 2 * second;
            let speech = Tensor::f32([n, 2], vec![100.0; n * 2]).unwrap();
            let (pose, expression) =
                fuse.frames((0, rate), &speech, &REFERENCE, &layout(), &weights(&fuse)).unwrap();
            let pick = |values: &[f32], width, at: usize| -> Vec<f32> {
                values.chunks_exact(width).map(|row| row[at]).collect()
            };
            let curves = [
                (pick(pose.as_f32().unwrap(), 6, 0), REFERENCE[3]),
                (pick(pose.as_f32().unwrap(), 6, 3), REFERENCE[6]),
                (pick(expression.as_f32().unwrap(), 2, 0), REFERENCE[1]),
            ];
            for (curve, rest) in curves {
                // There within a second, and not before.
                let done = len - 1 + (rate.fps() - 1e-9).ceil() as usize;
                assert!(
                    curve[done..].iter().all(|x| (x - rest).abs() < 1e-6),
                    "{rate}: {:?}",
                    &curve[done..]
                );
                assert!((curve[len - 1 + second / 2] - rest).abs() > 0.05, "{rate}");
                // Speeds, a second, change from frame to frame no more than the sway and the way home make them.
                let speeds: Vec<f64> =
                    curve.windows(2).map(|pair| f64::from(pair[1] - pair[0]) * rate.fps()).collect();
                let jump = speeds.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
                assert!(jump < 26.0 / rate.fps(), "{rate}: a jump of {jump} a second");
                let seam = (speeds[len - 1] - speeds[len - 2]).abs();
                assert!(seam < 16.0 / rate.fps(), "{rate}: a jump of {seam} a second at the seam");
            }
        }
    }
    // One driving frame has no speed, and what comes before the end is as ever.
    let one = fuse(&set, &[1]);
    assert_eq!(frames(&one, 0, 1), [(10.0, 20.0, 0.0)]);
    assert!((frames(&one, 25, 1)[0].0 - REFERENCE[3]).abs() < 1e-6);
    assert_eq!(frames(&fuse(&set, &[4]), 0, 4), frames(&fuse(&set[1..], &[4]), 0, 4));
}

#[test]
fn a_region_can_have_a_weight_of_its_own() {
    let float = |name, x| (name, ParamValue::Float(x));
    let fuse = fuse(&[float("weight", 0.5), float("brows", 1.0)], &[4]);
    let speech = Tensor::f32([1, 2], vec![100.0; 2]).unwrap();
    let (_, expression) = fuse.frames((2, RATE), &speech, &REFERENCE, &layout(), &weights(&fuse)).unwrap();
    assert_eq!(
        expression.as_f32().unwrap(),
        [51.0, 2.0],
        "half of 100 and 2 for the jaw, the driver's 2 for the brow"
    );
}

#[test]
fn wrong_sizes_and_empty_driving_are_clear_errors() {
    let speech = Tensor::f32([1, 3], vec![0.0; 3]).unwrap();
    let fuse = fuse(&[], &[2]);
    let error = fuse.frames((0, RATE), &speech, &REFERENCE, &layout(), &weights(&fuse)).unwrap_err();
    assert_eq!(error.to_string(), "port `expression`: shape [1, 3], expected [n, 2]");
    let error = Fuse::new(&params(node().contract(), &[])).unwrap().load(&InMemory(vec![])).unwrap_err();
    assert_eq!(error.to_string(), "port `driving`: no frames, expected at least one");
}
