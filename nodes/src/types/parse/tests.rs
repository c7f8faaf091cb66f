use image::RgbImage;

use super::*;
use crate::{
    artifact::Value,
    body::{Body, NodeType, NodeUse},
    params::Params,
    testing::{Collected, TestHost, inputs, tiny_models},
};

#[test]
fn gives_a_class_a_pixel_at_the_networks_size() {
    let Some(models) = tiny_models() else { return };
    let (params, connected) = (Params::default(), ["image".to_owned()].into());
    let use_ = NodeUse { params: &params, connected: &connected, folder: std::path::Path::new("") };
    let contract = node().resolve(&use_).unwrap();
    let Body::Value(mut body) = node().body(&params, &contract).unwrap() else { panic!("not a value body") };
    let (host, mut out) = (TestHost::new(), Collected::default());
    let picture = RgbImage::from_pixel(100, 100, image::Rgb([200, 150, 120]));
    let ctx = crate::body::Context { host: &host, models: &models };
    body.run(&inputs(0, vec![("image", Value::Image(picture))]), &ctx, &mut out).unwrap();
    let classes = out.values["parsing"].tensors().unwrap().get("classes").unwrap().clone();
    let side = models.pack().unwrap().parsing().unwrap().size;
    assert_eq!(classes.shape(), [1, side, side]);
    assert!(classes.as_u8().unwrap().iter().all(|&class| class < 16));
}
