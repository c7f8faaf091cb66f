use std::sync::Arc;

use image::{Rgb, RgbImage};

use super::*;
use crate::{
    artifact::Value,
    body::{Input, Inputs},
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{self, InMemory, TestHost, no_models, run_value},
};

/// 10 frames of 4x2 pixels in chunks of 4, frame i of grey i·20.
fn frames() -> Inputs {
    let chunks = [0..4u8, 4..8, 8..10].map(|range| {
        let n = range.len();
        let data = range.flat_map(|i| [i * 20; 24]).collect();
        let tensors = Tensors::new().with("frames", Tensor::u8([n, 2, 4, 3], data).unwrap());
        Arc::new(Value::Tensors(tensors))
    });
    let ports = [("frames".to_owned(), Input::Sequence(Arc::new(InMemory(chunks.into()))))];
    Inputs::new(ports.into(), 0, None)
}

fn written(inputs: &Inputs, set: &[(&str, ParamValue)]) -> Result<RgbImage> {
    let host = TestHost::new();
    let out = run_value(&node(), set, inputs, &host, &no_models())?;
    Ok(image::open(&out.values["file"].file()?.path).unwrap().into_rgb8())
}

fn int(value: i64) -> ParamValue {
    ParamValue::Int(value)
}

#[test]
fn a_picture_as_png_and_jpeg() {
    let picture = RgbImage::from_pixel(6, 4, Rgb([90, 120, 150]));
    let inputs = testing::inputs(0, vec![("image", Value::Image(picture.clone()))]);
    assert_eq!(written(&inputs, &[]).unwrap(), picture);
    let jpeg = written(&inputs, &[("format", ParamValue::Text("jpeg".into())), ("width", int(12))]).unwrap();
    assert_eq!(jpeg.dimensions(), (12, 8));
    assert!(jpeg.get_pixel(5, 5).0[0].abs_diff(90) < 4);
}

#[test]
fn one_frame_by_its_index() {
    for (index, grey) in [(0, 0), (5, 100), (9, 180), (-1, 180), (-10, 0)] {
        let picture = written(&frames(), &[("index", int(index))]).unwrap();
        assert_eq!((picture.dimensions(), picture.get_pixel(3, 1).0[0]), ((4, 2), grey), "index {index}");
    }
    for index in [10, -11] {
        let error = written(&frames(), &[("index", int(index))]).unwrap_err();
        assert_eq!(error.to_string(), format!("parameter `index`: frame {index} of 10, expected -10 to 9"));
    }
}

#[test]
fn a_contact_sheet_spans_the_sequence() {
    let set = [("columns", int(2)), ("rows", int(2)), ("width", int(8))];
    let sheet = written(&frames(), &set).unwrap();
    assert_eq!(sheet.dimensions(), (16, 8));
    let greys = [(1, 1), (9, 1), (1, 5), (9, 5)].map(|(x, y)| sheet.get_pixel(x, y).0[0]);
    assert_eq!(greys, [0, 60, 120, 180]);
}

#[test]
fn exactly_one_input_is_connected() {
    let message =
        |connected: &[&str]| testing::body(&node(), &[], connected).err().map(|error| error.to_string());
    assert_eq!(message(&["image"]), None);
    assert_eq!(message(&["frames"]), None);
    assert_eq!(message(&[]).unwrap(), "neither `image` nor `frames` is connected, expected one of them");
    assert_eq!(
        message(&["image", "frames"]).unwrap(),
        "`image` and `frames` are both connected, expected one of them"
    );
}

#[test]
fn what_no_memory_holds_is_an_error() {
    let error = |set: &[(&str, ParamValue)]| written(&frames(), set).unwrap_err().to_string();
    assert_eq!(
        error(&[("columns", int(100)), ("rows", int(100)), ("width", int(2000))]),
        "parameters `columns`, `rows` and `width`: a picture of 200000x100000 needs 60.0 GB, the most is 450 MB"
    );
    let pole = testing::inputs(0, vec![("image", Value::Image(RgbImage::new(1, 9000)))]);
    let error = written(&pole, &[("width", int(16_384))]).unwrap_err();
    assert!(
        error.to_string().starts_with("parameter `width`: a picture of 16384x147456000 needs"),
        "{error}"
    );
}
