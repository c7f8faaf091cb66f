use image::RgbImage;

use super::*;
use crate::{
    artifact::Value,
    body::{Body, NodeType, NodeUse},
    contract::ParamValue,
    testing::{Collected, TestHost, inputs, params, tiny_models},
};

#[test]
fn gives_a_class_a_pixel_at_the_networks_size() {
    let Some(models) = tiny_models() else { return };
    let params = params(ByPicture::contract(&node()), &[]);
    let connected = ["image".to_owned()].into();
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

#[test]
fn the_dark_half_is_lost_where_only_bright_levels_are_seen() {
    let Some(models) = tiny_models() else { return };
    let classes = |grey: u8, levels: &str| {
        let params = params(ByPicture::contract(&node()), &[("levels", ParamValue::Text(levels.into()))]);
        let use_ = NodeUse {
            params: &params,
            connected: &["image".to_owned()].into(),
            folder: std::path::Path::new(""),
        };
        let contract = node().resolve(&use_).unwrap();
        let Body::Value(mut body) = node().body(&params, &contract).unwrap() else {
            panic!("not a value body")
        };
        let (host, mut out) = (TestHost::new(), Collected::default());
        // Half of the picture is of this grey.
        let picture = RgbImage::from_fn(32, 32, |x, _| image::Rgb([if x < 16 { grey } else { 230 }; 3]));
        let ctx = crate::body::Context { host: &host, models: &models };
        body.run(&inputs(0, vec![("image", Value::Image(picture))]), &ctx, &mut out).unwrap();
        out.values["parsing"].tensors().unwrap().get("classes").unwrap().as_u8().unwrap().to_vec()
    };
    assert_eq!(classes(0, "bright"), classes(120, "bright"));
    assert_ne!(classes(0, "all"), classes(120, "all"));
}
