use talkgraph_models::testing::onnx::Model;

use super::*;
use crate::{
    body::Outputs,
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{TestHost, run_chunks, tiny_models, tiny_models_in},
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
    assert_eq!(error.to_string(), "`expression`: expected 52 numbers a frame, found shape [2, 5]");
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

/// The tiny pack with a renderer that gives of every ray the mean of its samples' offsets as features, and that of their depths as alpha.
fn by_sample(folder: &std::path::Path) -> Option<Models> {
    let render = Model::new()
        .input("depths", "1,N,S")
        .input("offsets", "1,N,S,3")
        .node("ReduceMean", &["offsets"], &["moved"], &[("axes", &[2])])
        .node("Squeeze", &["moved", "two"], &["rows"], &[])
        .node("Transpose", &["rows"], &["features"], &[("perm", &[0, 2, 1])])
        .node("ReduceMean", &["depths"], &["far"], &[("axes", &[2])])
        .node("Transpose", &["far"], &["alpha"], &[("perm", &[0, 2, 1])])
        .node("Constant", &[], &["two"], &[("value_ints", &[2])])
        .output("features", "1,c,N")
        .output("alpha", "1,1,N")
        .file();
    let yaml = |yaml: String| {
        let lines = yaml.lines().filter(|line| !line.starts_with("  render: "));
        let lines = lines.map(|line| match line {
            "roles:" => "roles:\n  render: by_sample.onnx",
            other => other,
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    tiny_models_in(folder, yaml, &[("by_sample.onnx", render)])
}

fn turned(degrees: f32) -> [f32; 6] {
    [0.0, degrees.to_radians(), 0.0, 0.0, 0.0, 0.0]
}

/// Offsets and depths of three frames whose mouth opens, by port and with these parameters.
fn opened(models: &Models, set: &[(&str, &str)], more: Vec<(&str, Tensors)>) -> [Vec<f32>; 2] {
    let (identity, reference) = person(models);
    let mut chunk =
        vec![("identity", identity), ("reference", reference), ("expression", opening(models, 3, 1.0))];
    chunk.extend(more);
    let set: Vec<_> = set.iter().map(|(name, word)| (*name, ParamValue::Text((*word).into()))).collect();
    let out = render(models, &set, vec![chunk]).unwrap();
    assert!(tensors(&out[0], "correspondence").0.is_empty());
    ["features", "alpha"]
        .map(|name| tensors(&out[0], "features").get(name).unwrap().as_f32().unwrap().to_vec())
}

/// What rays of `pose`, sampled as `rays`, are moved by in the mean when the mouth is open, looked up one by one.
fn expected(models: &Models, rays: &volume::Rays, still: &[[f32; 2]]) -> Vec<f32> {
    let layout = models.pack().unwrap().coefficients();
    let (rest, mut open) = (vec![0.0; layout.size], vec![0.0; layout.size]);
    open[layout.expression.0 + volume::testing::unit(models, "jawOpen")] = 1.0;
    let anchors = motion::anchors(models, vec![rest, open]).unwrap();
    let points = rays.points().unwrap();
    let samples = points.len() / rays.shape()[0];
    let side = rays.side();
    let mut features = vec![0.0; 3 * side * side];
    let pixels = rays.tensors().get("pixels").unwrap().as_i64().unwrap();
    for (points, &pixel) in points.chunks_exact(samples).zip(pixels) {
        for point in points {
            let square = |y: f32, z: f32| (y - point[1]).powi(2) + (z - point[2]).powi(2);
            let vertex = (0..anchors[0].len())
                .min_by(|&a, &b| {
                    let [a, b] = [a, b].map(|k| square(anchors[0][k][1], anchors[0][k][2]));
                    a.total_cmp(&b)
                })
                .unwrap();
            let near = square(anchors[0][vertex][1], anchors[0][vertex][2]);
            if still.iter().any(|[y, z]| square(*y, *z) < near) {
                continue;
            }
            for axis in 1..3 {
                let moved = anchors[0][vertex][axis] - anchors[1][vertex][axis];
                features[axis * side * side + pixel as usize] += moved / samples as f32;
            }
        }
    }
    features
}

fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let most = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    assert!(most > 1e-3, "nothing moves");
    let off = found.iter().zip(expected).fold(0.0f32, |off, (a, b)| off.max((a - b).abs()));
    assert!(off < 2e-3 * most.max(1.0), "{off} of {most}");
}

#[test]
fn samples_go_with_the_nearest_vertex_where_the_renderer_asks_for_offsets() {
    let folder = tempfile::tempdir().unwrap();
    let Some(models) = by_sample(folder.path()) else { return };
    let state = volume::prepare(&models, &person(&models).0).unwrap();
    let own = |pose| volume::Rays::cast(&models, &state, pose).unwrap();
    let [offsets, depths] = opened(&models, &[], vec![]);
    let size = offsets.len() / 3;
    assert!(offsets[..size].iter().all(|x| *x == 0.0), "the first frame is at rest");
    close(&offsets[2 * size..], &expected(&models, &own(volume::FRONT), &[]));
    // A still camera from the side finds vertices of its own; one that samples as the resting head does takes those.
    let side = poses(&[turned(20.0)]);
    let [camera, own_depths] = opened(&models, &[], vec![("camera", side.clone())]);
    close(&camera[2 * size..], &expected(&models, &own(turned(20.0)), &[]));
    let [frozen, rest_depths] = opened(&models, &[("sampling", "rest")], vec![("camera", side)]);
    assert_eq!((&frozen, &rest_depths), (&offsets, &depths));
    assert!(own_depths != depths && camera != offsets);
    // So does a camera that moves.
    let moving = poses(&[turned(0.0), turned(10.0), turned(20.0)]);
    let [moved, moved_depths] = opened(&models, &[("sampling", "rest")], vec![("pose", moving.clone())]);
    assert_eq!((&moved, &moved_depths), (&offsets, &depths));
    let [moved, moved_depths] = opened(&models, &[], vec![("pose", moving)]);
    assert_eq!(moved[2 * size..], camera[2 * size..]);
    assert_eq!(moved_depths[2 * size / 3..], own_depths[2 * size / 3..]);
}

#[test]
fn the_torso_stays_where_its_labels_are() {
    let folder = tempfile::tempdir().unwrap();
    let Some(models) = by_sample(folder.path()) else { return };
    // The left half is clothes.
    let labels = (0..32 * 32).map(|pixel| if pixel % 32 < 16 { 14 } else { 1 }).collect();
    let labels = Tensors::new().with("classes", Tensor::u8([1, 32, 32], labels).unwrap());
    let parsing = models.pack().unwrap().parsing().unwrap();
    let still = motion::torso(&labels, parsing, 0.5).unwrap();
    assert_eq!(still.len(), 128);
    let (identity, reference) = person(&models);
    let chunk = vec![
        ("identity", identity.clone()),
        ("reference", reference),
        ("expression", opening(&models, 3, 1.0)),
        ("parsing", labels.clone()),
    ];
    let set = [("extent", ParamValue::Float(0.5)), ("sampling", ParamValue::Text("rest".into()))];
    let out = render(&models, &set, vec![chunk]).unwrap();
    let found = tensors(&out[0], "features").get("features").unwrap().as_f32().unwrap();
    let state = volume::prepare(&models, &identity).unwrap();
    let rays = volume::Rays::cast(&models, &state, volume::FRONT).unwrap();
    let with = expected(&models, &rays, &still);
    close(&found[2 * found.len() / 3..], &with);
    assert_ne!(with, expected(&models, &rays, &[]));
    let roles = node().roles(&crate::testing::params(node().contract(), &[]), &models).unwrap();
    assert!(roles.contains(&"pack.parsing".to_owned()));
    // Packs that bend rays by lattices have no use for labels.
    let plain = tiny_models().unwrap();
    let (identity, reference) = person(&plain);
    let chunk = vec![
        ("identity", identity),
        ("reference", reference),
        ("expression", opening(&plain, 1, 0.0)),
        ("parsing", labels),
    ];
    let host = TestHost::new();
    run_chunks(&node(), &[], &[ports(chunk)], &host, &plain).unwrap();
    let said = host.warnings.lock().unwrap().join(" ");
    assert_eq!(
        said,
        "port `parsing`: the pack's role `render` takes no `offsets`, the labels change nothing"
    );
    let roles = node().roles(&crate::testing::params(node().contract(), &[]), &plain).unwrap();
    assert!(!roles.contains(&"pack.parsing".to_owned()));
}

/// With lattices, too, rays of any camera may be sampled as those before the resting head.
#[test]
fn depths_of_the_resting_head_serve_every_camera() {
    let Some(models) = tiny_models() else { return };
    let (identity, reference) = person(&models);
    let run = |sampling: &str, pose: [f32; 6]| {
        let chunk = vec![
            ("identity", identity.clone()),
            ("reference", reference.clone()),
            ("expression", opening(&models, 1, 0.5)),
            ("camera", poses(&[pose])),
        ];
        let set = [("sampling", ParamValue::Text(sampling.into()))];
        let out = render(&models, &set, vec![chunk]).unwrap();
        tensors(&out[0], "features").get("features").unwrap().as_f32().unwrap().to_vec()
    };
    assert_eq!(run("rest", volume::FRONT), run("camera", volume::FRONT));
    let [rest, camera] = ["rest", "camera"].map(|sampling| run(sampling, turned(20.0)));
    assert!(rest != camera && rest.iter().all(|x| x.is_finite()));
}
