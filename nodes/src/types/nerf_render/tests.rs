use super::*;
use crate::{
    body::Outputs,
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{TestHost, run_chunks, tiny_models},
    volume::testing::{opening, person, ports, tensors},
};

fn render(
    models: &Models,
    set: &[(&str, ParamValue)],
    chunks: Vec<Vec<(&str, Tensors)>>,
) -> Result<Vec<Outputs>> {
    let chunks: Vec<_> = chunks.into_iter().map(ports).collect();
    run_chunks(&node(), set, &chunks, &TestHost::new(), models)
}

fn poses(rows: &[[f32; 6]]) -> Tensors {
    Tensors::new().with("pose", Tensor::f32([rows.len(), 6], rows.concat()).unwrap())
}

#[test]
fn an_open_jaw_moves_the_face_and_rest_does_not() {
    let Some(models) = tiny_models() else { return };
    let (identity, reference) = person(&models);
    let chunk =
        vec![("identity", identity), ("reference", reference), ("expression", opening(&models, 3, 1.0))];
    let out = render(&models, &[], vec![chunk]).unwrap();
    let features = tensors(&out[0], "features").get("features").unwrap();
    let side = features.shape()[2];
    assert_eq!(features.shape(), [3, features.shape()[1], side, side]);
    assert_eq!(tensors(&out[0], "features").get("alpha").unwrap().shape(), [3, 1, side, side]);
    let frames: Vec<_> =
        features.as_f32().unwrap().chunks_exact(features.as_f32().unwrap().len() / 3).collect();
    let difference = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>();
    assert!(difference(frames[0], frames[1]) > 0.1 && difference(frames[0], frames[2]) > 0.1);
    // Above the eyes nothing moves.
    let row = side * side / 8;
    assert!(difference(&frames[0][..row], &frames[2][..row]) < 1e-3);
}

#[test]
fn frames_do_not_depend_on_their_chunk() {
    let Some(models) = tiny_models() else { return };
    let (identity, reference) = person(&models);
    let chunk = |expression: Tensors| {
        vec![("identity", identity.clone()), ("reference", reference.clone()), ("expression", expression)]
    };
    let both = opening(&models, 2, 0.8);
    let rows = both.get("expression").unwrap().as_f32().unwrap();
    let one =
        |row: &[f32]| Tensors::new().with("expression", Tensor::f32([1, row.len()], row.to_vec()).unwrap());
    let (first, second) = rows.split_at(rows.len() / 2);
    let out = render(&models, &[], vec![chunk(both.clone()), chunk(one(first)), chunk(one(second))]).unwrap();
    let whole = tensors(&out[0], "features").get("features").unwrap().as_f32().unwrap();
    let apart =
        [&out[1], &out[2]].map(|out| tensors(out, "features").get("features").unwrap().as_f32().unwrap());
    assert_eq!(whole, apart.concat());
}

#[test]
fn a_pose_of_every_frame_moves_the_camera() {
    let Some(models) = tiny_models() else { return };
    let (identity, reference) = person(&models);
    let base = |expression| {
        vec![("identity", identity.clone()), ("reference", reference.clone()), ("expression", expression)]
    };
    let mut moved = base(opening(&models, 2, 0.0));
    moved.push(("pose", poses(&[[0.0; 6], [0.0, 0.4, 0.0, 0.0, 0.0, 0.0]])));
    let mut still = base(opening(&models, 2, 0.0));
    still.push(("camera", poses(&[[0.0; 6]])));
    let moved = render(&models, &[], vec![moved]).unwrap();
    let still = render(&models, &[], vec![still]).unwrap();
    let halves = |out: &Outputs| {
        let all = tensors(out, "features").get("features").unwrap().as_f32().unwrap().to_vec();
        let (a, b) = all.split_at(all.len() / 2);
        (a.to_vec(), b.to_vec())
    };
    let ((a, b), (c, d)) = (halves(&moved[0]), halves(&still[0]));
    assert_eq!(a, c);
    assert_eq!(c, d);
    assert_ne!(a, b);
}

#[test]
fn wrong_sizes_name_port_and_numbers() {
    let Some(models) = tiny_models() else { return };
    let (identity, reference) = person(&models);
    let base = |expression| {
        vec![("identity", identity.clone()), ("reference", reference.clone()), ("expression", expression)]
    };
    let short = Tensors::new().with("expression", Tensor::f32([2, 5], vec![0.0; 10]).unwrap());
    let error = render(&models, &[], vec![base(short)]).unwrap_err();
    assert_eq!(error.to_string(), "`expression`: expected 12 numbers a frame, found shape [2, 5]");
    let mut few = base(opening(&models, 3, 0.0));
    few.push(("pose", poses(&[[0.0; 6]])));
    let error = render(&models, &[], vec![few]).unwrap_err();
    assert_eq!(error.to_string(), "port `pose`: expected 3 poses, found 1");
}
