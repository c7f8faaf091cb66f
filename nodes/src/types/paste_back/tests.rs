use image::{Rgb, RgbImage};
use serde_json::json;

use super::*;
use crate::{
    artifact::Value,
    pictures,
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, no_models, run_chunks},
    types::align::crop::square,
    warp::{self, Border, Square},
};

/// A square of 40 pixels, turned by 0.2, in a photo of 121 x 80.
fn scene() -> (RgbImage, serde_json::Value, Square) {
    let photo = RgbImage::from_fn(121, 80, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, ((x * y) % 251) as u8]));
    let given = Square { centre: [60.0, 40.0], half: 20.0, angle: 0.2 };
    let at = |u: f64, v: f64| given.to_picture([u, v]);
    let (o, x, y) = (at(0.0, 0.0), at(1.0 / 64.0, 0.0), at(0.0, 1.0 / 64.0));
    let row = |k: usize| [x[k] - o[k], y[k] - o[k], o[k]];
    let crop = json!({ "side": 64, "angle": 0.2, "matrix": [row(0), row(1)] });
    let read = square(&crop).unwrap();
    assert!((read.half - 20.0).abs() < 1e-9 && (read.centre[0] - 60.0).abs() < 1e-9);
    (photo, crop, read)
}

fn paste(frame: Vec<u8>, side: usize) -> Vec<RgbImage> {
    let (photo, crop, _) = scene();
    let frames = Tensors::new().with("frames", Tensor::u8([1, side, side, 3], frame).unwrap());
    let chunk = inputs(
        0,
        vec![("frames", Value::Tensors(frames)), ("photo", Value::Image(photo)), ("crop", Value::Json(crop))],
    );
    let out = run_chunks(&node(), &[], &[chunk], &TestHost::new(), &no_models()).unwrap();
    pictures::frames(out[0]["frames"].tensors().unwrap()).unwrap()
}

#[test]
fn the_crop_itself_changes_nothing() {
    let (photo, _, square) = scene();
    for side in [32, 40, 90] {
        let even = image::imageops::crop_imm(&photo, 0, 0, 120, 80).to_image();
        let crop = warp::picture(&warp::cut(&even, square, side, Border::Mirror), side);
        let out = paste(crop.into_raw(), side);
        assert_eq!(out, [even]);
    }
}

#[test]
fn what_changes_shows_in_the_middle_and_not_outside() {
    let (photo, ..) = scene();
    let out = &paste(vec![200; 40 * 40 * 3], 40)[0];
    assert_eq!(out.dimensions(), (120, 80));
    let near = |a: Rgb<u8>, b: [u8; 3]| a.0.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 4);
    assert!(near(*out.get_pixel(60, 40), [200; 3]), "{:?}", out.get_pixel(60, 40));
    for at in [(5, 5), (30, 40), (100, 70), (60, 10)] {
        assert_eq!(out.get_pixel(at.0, at.1), photo.get_pixel(at.0, at.1));
    }
}
