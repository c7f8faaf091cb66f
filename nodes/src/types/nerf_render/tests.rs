use super::*;
use crate::{
    body::Outputs,
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{TestHost, run_chunks, tiny_models},
    volume::{
        self,
        testing::{opening, person, ports, tensors},
    },
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

/// `flow` and `visible` of frames whose head is posed so, and alpha.
fn correspondence(models: &Models, rows: &[[f32; 6]], moving: bool) -> [Vec<f32>; 3] {
    let (identity, reference) = person(models);
    let mut chunk = vec![
        ("identity", identity),
        ("reference", reference),
        ("expression", opening(models, rows.len(), 0.0)),
    ];
    chunk.push(if moving { ("pose", poses(rows)) } else { ("camera", poses(&rows[..1])) });
    let out = render(models, &[], vec![chunk]).unwrap();
    let read = |port: &str, name: &str| {
        let tensor = tensors(&out[0], port).get(name).unwrap();
        assert_eq!((tensor.shape()[0], tensor.shape()[2]), (rows.len(), tensor.shape()[3]));
        tensor.as_f32().unwrap().to_vec()
    };
    [read("correspondence", "flow"), read("correspondence", "visible"), read("features", "alpha")]
}

#[test]
fn at_rest_every_ray_is_where_the_photo_has_it() {
    let Some(models) = tiny_models() else { return };
    for moving in [false, true] {
        let [flow, visible, alpha] = correspondence(&models, &[[0.0; 6]], moving);
        assert!(flow.iter().all(|x| x.abs() < 1e-3), "{:?}", flow.iter().fold(0.0f32, |a, b| a.max(b.abs())));
        let shown = alpha.iter().zip(&visible).filter(|(alpha, _)| **alpha > 0.5);
        assert!(shown.clone().count() > 20 && shown.clone().all(|(_, visible)| *visible > 0.99));
        assert!(alpha.iter().zip(&visible).all(|(alpha, visible)| *alpha > 0.009 || *visible == 0.0));
    }
}

/// The ray of the photo's camera that passes nearest to what a ray of a turned head shows, found by looking at all of them.
#[test]
fn the_flow_of_a_turned_head_leads_to_the_ray_that_shows_the_same_place() {
    let Some(models) = tiny_models() else { return };
    let turned = [0.05, 10f32.to_radians(), 0.03, 0.02, -0.01, 0.1];
    let [flow, _, alpha] = correspondence(&models, &[turned], true);
    let (identity, _) = person(&models);
    let state = volume::prepare(&models, &identity).unwrap();
    let mut offered = state.tensors().unwrap();
    offered.0.extend(volume::Rays::cast(&models, &state, turned).unwrap().tensors().0.clone());
    offered.0.extend(volume::bend(&Default::default()).unwrap().0);
    let rendered = models.run("render", &offered).unwrap();
    let source = rendered.get("source").unwrap().as_f32().unwrap();
    let pixels = offered.get("pixels").unwrap().as_i64().unwrap();
    let photo = models.run("camera", &poses(&[[0.0; 6]])).unwrap();
    let read = |name: &str| photo.get(name).unwrap().as_f32().unwrap().as_chunks::<3>().0.to_vec();
    let (origins, directions) = (read("origins"), read("directions"));
    let side = alpha.len().isqrt();
    let (mut told, mut longest) = (0, 0.0f32);
    for (ray, &pixel) in pixels.iter().enumerate() {
        let pixel = pixel as usize;
        let place = [0, 1, 2].map(|axis| source[axis * pixels.len() + ray]);
        let off = |other: &usize| {
            let from = [0, 1, 2].map(|axis| place[axis] - origins[*other][axis]);
            let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(from, from)
                - dot(from, directions[*other]).powi(2) / dot(directions[*other], directions[*other])
        };
        let nearest = (0..side * side).min_by(|a, b| off(a).total_cmp(&off(b))).unwrap();
        let border = |x: usize| x == 0 || x == side - 1;
        if alpha[pixel] < 0.3 || border(nearest % side) || border(nearest / side) {
            continue;
        }
        let found = [flow[pixel] + (pixel % side) as f32, flow[side * side + pixel] + (pixel / side) as f32];
        let expected = [nearest % side, nearest / side].map(|x| x as f32);
        assert!(
            (0..2).all(|axis| (found[axis] - expected[axis]).abs() < 0.6),
            "pixel {pixel}: {found:?}, expected {expected:?}"
        );
        longest = longest.max(flow[pixel].abs());
        told += 1;
    }
    assert!(told > 20 && longest > 0.5, "{told} rays, {longest}");
}
