use super::*;
use crate::{
    body::Outputs,
    contract::ParamValue,
    geometry::resample,
    tensor::{Tensor, Tensors},
    testing::{TestHost, run_chunks, tiny_models},
    volume::testing::{opening, person, ports, tensors, unit},
};

fn paint(models: &Models, mask: &str, grow: f64) -> Outputs {
    let (identity, reference) = person(models);
    let chunk =
        vec![("identity", identity), ("reference", reference), ("expression", opening(models, 3, 1.0))];
    let set = [("mask", ParamValue::Text(mask.into())), ("grow", ParamValue::Float(grow))];
    run_chunks(&node(), &set, &[ports(chunk)], &TestHost::new(), models).unwrap().remove(0)
}

#[test]
fn features_follow_the_expression() {
    let Some(models) = tiny_models() else { return };
    let out = paint(&models, "contour", 1.0);
    let features = tensors(&out, "features").get("features").unwrap();
    let frames: Vec<_> =
        features.as_f32().unwrap().chunks_exact(features.as_f32().unwrap().len() / 3).collect();
    assert_eq!(features.shape()[0], 3);
    assert_ne!(frames[0], frames[2]);
}

#[test]
fn the_contour_opens_with_the_jaw_and_grows() {
    let Some(models) = tiny_models() else { return };
    let area = |grow| -> Vec<f32> {
        let out = paint(&models, "contour", grow);
        let mask = tensors(&out, "mask").get("mask").unwrap();
        assert_eq!(mask.shape(), [3, 1, 32, 32]);
        mask.as_f32().unwrap().chunks_exact(32 * 32).map(|frame| frame.iter().sum()).collect()
    };
    let (tight, wide) = (area(0.0), area(2.0));
    assert!(tight[2] > tight[0] + 1.0, "{tight:?}");
    assert!(wide.iter().zip(&tight).all(|(wide, tight)| *wide > tight + 4.0), "{wide:?} {tight:?}");
}

#[test]
fn a_parsed_mask_is_one_or_nothing() {
    let Some(models) = tiny_models() else { return };
    let out = paint(&models, "parse", 0.0);
    let mask = tensors(&out, "mask").get("mask").unwrap();
    assert_eq!(mask.shape(), [3, 1, 32, 32]);
    assert!(mask.as_f32().unwrap().iter().all(|&m| m == 0.0 || m == 1.0));
}

#[test]
fn roles_are_those_of_the_chosen_mask() {
    let Some(models) = tiny_models() else { return };
    let roles = |mask: &str| {
        let set = [("mask", ParamValue::Text(mask.into()))];
        node().roles(&crate::testing::params(node().contract(), &set), &models).unwrap()
    };
    assert!(roles("parse").contains(&"parse".to_owned()));
    assert!(!roles("contour").contains(&"parse".to_owned()));
}

/// Masks of three frames of which the second has its lids down.
fn winking(models: &Models, eyes: bool) -> (Vec<f32>, Vec<f32>) {
    let pack = models.pack().unwrap();
    let size = pack.coefficients().expressions();
    let lid = unit(models, "eyeBlinkLeft");
    let mut rows = vec![0.0; 3 * size];
    rows[size + lid] = 1.0;
    let expression = Tensors::new().with("expression", Tensor::f32([3, size], rows).unwrap());
    let (identity, reference) = person(models);
    let chunk = vec![("identity", identity), ("reference", reference), ("expression", expression)];
    let set = [("eyes", ParamValue::Bool(eyes))];
    let out = run_chunks(&node(), &set, &[ports(chunk)], &TestHost::new(), models).unwrap().remove(0);
    let mask = tensors(&out, "mask").get("mask").unwrap();
    let areas = mask.as_f32().unwrap().chunks_exact(32 * 32).map(|frame| frame.iter().sum()).collect();
    let alpha = tensors(&out, "features").get("alpha").unwrap();
    (areas, alpha.shape().iter().map(|&size| size as f32).collect())
}

#[test]
fn eyes_are_painted_while_their_lids_are_away_from_rest() {
    let Some(models) = tiny_models() else { return };
    let (with, window) = winking(&models, true);
    assert_eq!(with[0], with[2]);
    assert!(with[1] > with[0] + 4.0, "{with:?}");
    let (without, narrow) = winking(&models, false);
    assert_eq!(without[1], without[0]);
    assert_eq!(without[0], with[0]);
    // the whole chunk has a window that holds the eyes
    assert!(window[2] > narrow[2], "{window:?} {narrow:?}");
}

/// Rays between rays see what a frame of twice as many rays would, and where nothing is painted the window is enlarged.
#[test]
fn fine_features_are_those_of_the_window_at_twice_the_pitch() {
    let Some(models) = tiny_models() else { return };
    let out = paint(&models, "contour", 1.0);
    let painted = tensors(&out, "features");
    let (coarse, fine) = (painted.get("features").unwrap(), painted.get("fine").unwrap());
    let &[frames, channels, rows, columns] = coarse.shape() else { panic!("{:?}", coarse.shape()) };
    assert_eq!(fine.shape(), [frames, channels, 2 * rows, 2 * columns]);
    let (coarse, fine) = (coarse.as_f32().unwrap(), fine.as_f32().unwrap());
    let (mut own, mut off) = (0, 0.0);
    for (plane, fine) in coarse.chunks_exact(rows * columns).zip(fine.chunks_exact(4 * rows * columns)) {
        let enlarged = resample::twice(plane, columns, (0, rows), (0, columns));
        own += enlarged.iter().zip(fine).filter(|(a, b)| (*a - *b).abs() > 2e-3).count();
        off += enlarged.iter().zip(fine).map(|(a, b)| (a - b).abs()).sum::<f32>();
    }
    let count = fine.len();
    assert!(own > count / 20 && own < count, "{own} of {count} differ from what is enlarged");
    assert!(off / (count as f32) < 0.05, "they differ by {}", off / count as f32);
    let set = [("mask", ParamValue::Text("contour".into())), ("fine", ParamValue::Bool(false))];
    let (identity, reference) = person(&models);
    let chunk =
        vec![("identity", identity), ("reference", reference), ("expression", opening(&models, 3, 1.0))];
    let plain = run_chunks(&node(), &set, &[ports(chunk)], &TestHost::new(), &models).unwrap().remove(0);
    let plain = tensors(&plain, "features");
    assert!(!plain.0.contains_key("fine") && plain.get("features").unwrap().as_f32().unwrap() == coarse);
}

/// What a parsed rendering of these levels, sampled so, gives.
fn published(models: &Models, levels: &str, sampling: &str, yaw: f32) -> Outputs {
    let (identity, reference) = person(models);
    let pose = Tensors::new().with("pose", Tensor::f32([1, 6], vec![0.0, yaw, 0.0, 0.0, 0.0, 0.0]).unwrap());
    let chunk = vec![
        ("identity", identity),
        ("reference", reference),
        ("expression", opening(models, 2, 1.0)),
        ("camera", pose),
    ];
    let word = |word: &str| ParamValue::Text(word.into());
    let set = [("mask", word("parse")), ("levels", word(levels)), ("sampling", word(sampling))];
    run_chunks(&node(), &set, &[ports(chunk)], &TestHost::new(), models).unwrap().remove(0)
}

#[test]
fn levels_change_the_mask_and_sampling_the_features() {
    let Some(models) = tiny_models() else { return };
    let read = |out: &Outputs, port: &str, name: &str| {
        tensors(out, port).get(name).unwrap().as_f32().unwrap().to_vec()
    };
    let plain = published(&models, "all", "camera", 0.3);
    let bright = published(&models, "bright", "camera", 0.3);
    assert_eq!(read(&plain, "features", "features"), read(&bright, "features", "features"));
    assert_ne!(read(&plain, "mask", "mask"), read(&bright, "mask", "mask"));
    let rest = published(&models, "all", "rest", 0.3);
    assert_ne!(read(&plain, "features", "features"), read(&rest, "features", "features"));
}

/// Depths at rest serve the window of a contour too, and frames whose code is that of the resting head are its own.
#[test]
fn a_window_takes_the_depths_of_its_pixels() {
    let Some(models) = tiny_models() else { return };
    let run = |sampling: &str| {
        let (identity, reference) = person(&models);
        let chunk =
            vec![("identity", identity), ("reference", reference), ("expression", opening(&models, 1, 0.0))];
        let set = [("sampling", ParamValue::Text(sampling.into())), ("fine", ParamValue::Bool(false))];
        let out = run_chunks(&node(), &set, &[ports(chunk)], &TestHost::new(), &models).unwrap().remove(0);
        tensors(&out, "features").clone()
    };
    let (rest, camera) = (run("rest"), run("camera"));
    assert_eq!(rest.get("corner").unwrap(), camera.get("corner").unwrap());
    let numbers = |tensors: &Tensors| tensors.get("features").unwrap().as_f32().unwrap().to_vec();
    let (rest, camera) = (numbers(&rest), numbers(&camera));
    let off = rest.iter().zip(&camera).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(rest.len() == camera.len() && off < 1e-3, "{off}");
}
