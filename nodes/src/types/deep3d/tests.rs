use image::{Rgb, RgbImage};

use super::*;
use crate::{
    artifact::Value,
    body::{Body, Context, NodeType, NodeUse},
    contract::ParamValue,
    params::Params,
    tensor::{Tensor, Tensors},
    testing::{Collected, TestHost, inputs, params, tiny_models},
};

fn resolved(port: &str) -> Contract {
    let (params, connected) = (Params::default(), [port.to_owned()].into());
    let use_ = NodeUse { params: &params, connected: &connected, folder: std::path::Path::new("") };
    node().resolve(&use_).unwrap()
}

fn chosen(scaling: &str) -> Params {
    params(ByPicture::contract(&node()), &[("scaling", ParamValue::Text(scaling.into()))])
}

#[test]
fn a_frame_gives_what_the_same_picture_gives() {
    let Some(models) = tiny_models() else { return };
    let host = TestHost::new();
    let ctx = Context { host: &host, models: &models };
    let picture = RgbImage::from_fn(96, 96, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, 50]));
    let Body::Value(mut one) = node().body(&chosen("smooth"), &resolved("image")).unwrap() else { panic!() };
    let mut out = Collected::default();
    one.run(&inputs(0, vec![("image", Value::Image(picture.clone()))]), &ctx, &mut out).unwrap();
    let one = out.values["coefficients"].tensors().unwrap().get("coefficients").unwrap().clone();

    let bytes = [picture.as_raw().clone(), vec![0; 96 * 96 * 3]].concat();
    let frames = Tensors::new().with("frames", Tensor::u8([2, 96, 96, 3], bytes).unwrap());
    let Body::Map(many) = node().body(&chosen("smooth"), &resolved("frames")).unwrap() else { panic!() };
    let out = many.chunk(&inputs(0, vec![("frames", Value::Tensors(frames))]), &ctx).unwrap();
    let many = out["coefficients"].tensors().unwrap().get("coefficients").unwrap().clone();

    let size = models.pack().unwrap().coefficients().size;
    assert_eq!((one.shape(), many.shape()), (&[1, size][..], &[2, size][..]));
    assert_eq!(one.as_f32().unwrap(), &many.as_f32().unwrap()[..size]);
    assert_ne!(one.as_f32().unwrap(), &many.as_f32().unwrap()[size..]);
}

#[test]
fn a_picture_scaled_otherwise_is_another() {
    let Some(models) = tiny_models() else { return };
    let host = TestHost::new();
    let picture = RgbImage::from_fn(301, 301, |x, y| Rgb([((x * y) % 256) as u8, (x % 3 * 90) as u8, 50]));
    let seen = |scaling: &str| {
        let ctx = Context { host: &host, models: &models };
        let found = estimate(std::slice::from_ref(&picture), &chosen(scaling), &ctx).unwrap();
        found.get("coefficients").unwrap().as_f32().unwrap().to_vec()
    };
    assert_ne!(seen("smooth"), seen("bicubic"));
}

#[test]
fn the_form_follows_from_the_port() {
    assert_eq!((resolved("image").time, resolved("frames").time), (Time::Value, Time::Map));
}
