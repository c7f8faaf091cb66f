use std::sync::Arc;

use super::{
    body::{End, Fuse},
    *,
};
use crate::{
    artifact::Value,
    contract::ParamValue,
    pack::CoefficientLayout,
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
    let (pose, expression) = fuse.frames(start, &speech, &REFERENCE, &layout()).unwrap();
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
    for end in [End::Hold, End::Loop, End::Bounce] {
        assert_eq!(indices(end, 1), [0; 9]);
    }
}

#[test]
fn wrong_sizes_and_empty_driving_are_clear_errors() {
    let speech = Tensor::f32([1, 3], vec![0.0; 3]).unwrap();
    let error = fuse(&[], &[2]).frames(0, &speech, &REFERENCE, &layout()).unwrap_err();
    assert_eq!(error.to_string(), "port `expression`: shape [1, 3], expected [n, 2]");
    let error = Fuse::new(&params(node().contract(), &[])).unwrap().load(&InMemory(vec![])).unwrap_err();
    assert_eq!(error.to_string(), "port `driving`: no frames, expected at least one");
}
