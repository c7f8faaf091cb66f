use super::*;
use crate::{
    artifact::Value,
    testing::{TestHost, inputs, run_value, shared, tiny_models},
};

#[test]
fn the_face_is_inside_and_the_upper_corners_are_outside() {
    let (Some(models), Some(path)) = (tiny_models(), shared("data/portrait_b.png")) else { return };
    let photo = image::open(path).unwrap().to_rgb8();
    let inputs = inputs(0, vec![("image", Value::Image(photo))]);
    let out = run_value(&node(), &[], &inputs, &TestHost::new(), &models).unwrap();
    let mask = out.values["mask"].tensors().unwrap().get("mask").unwrap().clone();
    let side = models.pack().unwrap().resolution();
    assert_eq!(mask.shape(), [1, 1, side, side]);
    let at = |x: usize, y: usize| mask.as_f32().unwrap()[y * side + x];
    assert!(at(side / 2, side / 2) > 0.95);
    assert!(at(0, 0) < 0.1 && at(side - 1, 0) < 0.1);
}
