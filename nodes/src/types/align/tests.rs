use image::{Rgb, RgbImage, imageops};

use super::*;
use crate::{
    artifact::Value,
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{Collected, TestHost, inputs, shared, tiny_models},
};

fn align(photo: &RgbImage, host: &TestHost, models: &Models) -> Result<Collected> {
    align_with(photo, &[], host, models)
}

fn align_with(
    photo: &RgbImage,
    set: &[(&str, ParamValue)],
    host: &TestHost,
    models: &Models,
) -> Result<Collected> {
    let node = node();
    let set = [&[("side", ParamValue::Int(256))], set].concat();
    let params = crate::testing::params(node.contract(), &set);
    let Body::Value(mut body) = node.body(&params, &contract::photo())? else { panic!("not a value body") };
    let mut out = Collected::default();
    let ctx = crate::body::Context { host, models };
    body.run(&inputs(0, vec![("image", Value::Image(photo.clone()))]), &ctx, &mut out)?;
    Ok(out)
}

fn portrait(name: &str) -> Option<RgbImage> {
    Some(image::open(shared(name)?).unwrap().to_rgb8())
}

fn landmarks(out: &Collected) -> Vec<f32> {
    out.values["landmarks"].tensors().unwrap().get("landmarks").unwrap().as_f32().unwrap().to_vec()
}

#[test]
fn eyes_and_mouth_land_where_the_crop_puts_them() {
    let Some(models) = tiny_models() else { return };
    for name in ["data/portrait_a.png", "data/portrait_b.png", "data/portrait_c.png"] {
        let Some(photo) = portrait(name) else { return };
        let host = TestHost::new();
        let out = align(&photo, &host, &models).unwrap();
        assert_eq!(out.values["image"].image().unwrap().dimensions(), (256, 256));
        let points = landmarks(&out);
        let middle = |a: usize, b: usize, axis: usize| (points[2 * a + axis] + points[2 * b + axis]) / 2.0;
        let eyes = [
            (middle(33, 133, 0) + middle(263, 362, 0)) / 2.0,
            (middle(33, 133, 1) + middle(263, 362, 1)) / 2.0,
        ];
        assert!((eyes[0] - 0.5).abs() < 0.03 && (0.44..0.5).contains(&eyes[1]), "{name}: {eyes:?}");
        assert!((middle(33, 133, 1) - middle(263, 362, 1)).abs() < 0.03, "{name}: eyes are level");
        assert_eq!(host.noted("faces"), Some(1.into()));
        assert!(host.warnings.lock().unwrap().is_empty());
    }
}

#[test]
fn the_matrix_takes_crop_pixels_to_the_photo() {
    let (Some(models), Some(photo)) = (tiny_models(), portrait("data/portrait_a.png")) else { return };
    let out = align(&photo, &TestHost::new(), &models).unwrap();
    let crop = out.values["crop"].json().unwrap().clone();
    let matrix: Vec<Vec<f64>> = serde_json::from_value(crop["matrix"].clone()).unwrap();
    let points = landmarks(&out);
    // The tip of the nose, sought again in the photo through the matrix, lies inside the detector's box.
    let (x, y) = (f64::from(points[2]) * 256.0, f64::from(points[3]) * 256.0);
    let at: Vec<f64> = matrix.iter().map(|row| row[0] * x + row[1] * y + row[2]).collect();
    let bounds: Vec<f64> = serde_json::from_value(crop["box"].clone()).unwrap();
    assert!(
        at[0] > bounds[0] && at[0] < bounds[2] && at[1] > bounds[1] && at[1] < bounds[3],
        "{at:?} {bounds:?}"
    );
}

#[test]
fn a_turned_photo_gives_the_same_crop() {
    let (Some(models), Some(photo)) = (tiny_models(), portrait("data/portrait_b.png")) else { return };
    let turned = warp_turned(&photo, 0.35);
    let straight = landmarks(&align(&photo, &TestHost::new(), &models).unwrap());
    let turned = landmarks(&align(&turned, &TestHost::new(), &models).unwrap());
    let distance =
        straight.iter().zip(&turned).map(|(a, b)| (a - b).abs()).sum::<f32>() / straight.len() as f32;
    assert!(distance < 0.012, "{distance}");
}

fn warp_turned(photo: &RgbImage, angle: f64) -> RgbImage {
    let side = photo.width() as usize;
    let whole = crate::warp::Square { centre: [side as f64 / 2.0; 2], half: side as f64 / 2.0, angle };
    crate::warp::picture(&crate::warp::cut(photo, whole, side, crate::warp::Border::Mirror), side)
}

/// `count` copies of the portrait side by side on grey, `side` and then half as large.
fn group(photo: &RgbImage, canvas: (u32, u32), sides: &[u32]) -> RgbImage {
    let mut picture = RgbImage::from_pixel(canvas.0, canvas.1, Rgb([120; 3]));
    for (k, &side) in sides.iter().enumerate() {
        let small = imageops::resize(photo, side, side, imageops::FilterType::Triangle);
        imageops::replace(&mut picture, &small, i64::from(canvas.0 / 2) * k as i64 + 20, 30);
    }
    picture
}

#[test]
fn the_largest_of_several_faces_is_taken_with_a_warning() {
    let (Some(models), Some(photo)) = (tiny_models(), portrait("data/portrait_c.png")) else { return };
    let host = TestHost::new();
    let out = align(&group(&photo, (900, 480), &[300, 420]), &host, &models).unwrap();
    assert_eq!(host.noted("faces"), Some(2.into()));
    assert!(host.warnings.lock().unwrap()[0].starts_with("2 faces found; the largest, 1, is taken"));
    let bounds: Vec<f64> = serde_json::from_value(out.values["crop"].json().unwrap()["box"].clone()).unwrap();
    assert!(bounds[0] > 450.0, "{bounds:?}");
}

#[test]
fn another_face_is_chosen_by_its_number_or_its_box() {
    let (Some(models), Some(photo)) = (tiny_models(), portrait("data/portrait_c.png")) else { return };
    let group = group(&photo, (900, 480), &[300, 420]);
    let text = |text: &str| ("box", ParamValue::Text(text.into()));
    for (set, is_right) in [
        (("face", ParamValue::Int(1)), true),
        (("face", ParamValue::Int(2)), false),
        (text("60,60,260,300"), false),
        (text("500, 100, 860, 420"), true),
    ] {
        let host = TestHost::new();
        let out = align_with(&group, std::slice::from_ref(&set), &host, &models).unwrap();
        let bounds: Vec<f64> =
            serde_json::from_value(out.values["crop"].json().unwrap()["box"].clone()).unwrap();
        assert_eq!(bounds[0] > 450.0, is_right, "{set:?}: {bounds:?}");
        assert!(host.warnings.lock().unwrap().is_empty(), "{set:?}");
    }
    for (set, expected) in [
        (("face", ParamValue::Int(3)), "parameter `face`: asks for face 3, found 2 faces"),
        (text("880,460,899,479"), "parameter `box`: no face within 880,460,899,479"),
        (text("1,2,3"), "parameter `box`: expected `left,top,right,bottom` in pixels, found `1,2,3`"),
    ] {
        let error = align_with(&group, &[set], &TestHost::new(), &models).err().unwrap();
        assert_eq!(error.to_string(), expected);
        assert!(error.hint_text().is_some());
    }
}

#[test]
fn small_faces_in_large_photos_are_found() {
    let (Some(models), Some(photo)) = (tiny_models(), portrait("data/portrait_a.png")) else { return };
    let out = align(&group(&photo, (2400, 1600), &[130]), &TestHost::new(), &models).unwrap();
    let bounds: Vec<f64> = serde_json::from_value(out.values["crop"].json().unwrap()["box"].clone()).unwrap();
    assert!(bounds[2] < 160.0 && bounds[3] < 170.0, "{bounds:?}");
}

#[test]
fn no_face_is_an_error_with_a_hint() {
    let Some(models) = tiny_models() else { return };
    let noise = RgbImage::from_fn(640, 480, |x, y| {
        Rgb([(x * 7 % 251) as u8, (y * 13 % 241) as u8, ((x ^ y) % 256) as u8])
    });
    let error = align(&noise, &TestHost::new(), &models).err().unwrap();
    assert_eq!(error.to_string(), "no face found in the image (640x480)");
    assert!(error.hint_text().is_some());
}

fn clip(frames: &[RgbImage]) -> Value {
    let (width, height) = frames[0].dimensions();
    let bytes = frames.iter().flat_map(|frame| frame.as_raw().clone()).collect();
    let tensor = Tensor::u8([frames.len(), height as usize, width as usize, 3], bytes).unwrap();
    Value::Tensors(Tensors::new().with("frames", tensor))
}

fn track(chunks: &[Vec<RgbImage>], host: &TestHost, models: &Models) -> Result<Vec<crate::body::Outputs>> {
    let node = node();
    let params = crate::testing::params(node.contract(), &[("frame_side", ParamValue::Int(64))]);
    let Body::Scan(mut body) = node.body(&params, &contract::frames())? else { panic!("not a scan body") };
    let ctx = crate::body::Context { host, models };
    let (mut state, mut outputs) = (None, vec![]);
    for frames in chunks {
        let (chunk, next) = body.chunk(state.as_ref(), &inputs(0, vec![("frames", clip(frames))]), &ctx)?;
        outputs.push(chunk);
        state = Some(next);
    }
    Ok(outputs)
}

#[test]
fn frames_without_a_face_repeat_the_landmarks_and_are_counted() {
    let (Some(models), Some(folder)) = (tiny_models(), shared("data/driving")) else { return };
    let frame = |k: usize| image::open(folder.join(format!("{k:05}.jpg"))).unwrap().to_rgb8();
    let blank = RgbImage::from_pixel(256, 256, Rgb([90; 3]));
    let host = TestHost::new();
    let chunks = [vec![blank.clone(), frame(1), frame(2)], vec![frame(3), blank, frame(4)]];
    let outputs = track(&chunks, &host, &models).unwrap();
    let points = |k: usize| {
        let tensor = outputs[k]["landmarks"].tensors().unwrap().get("landmarks").unwrap().clone();
        assert_eq!(tensor.shape(), [3, 468, 2]);
        tensor.as_f32().unwrap().to_vec()
    };
    let second = points(1);
    assert_eq!(second[..936], second[936..1872]);
    assert_ne!(second[936..1872], second[1872..]);
    assert_eq!(host.noted("frames_without_face"), Some(1.into()));
    let told = |name: &str| -> Vec<Tensor> {
        outputs.iter().map(|out| out["landmarks"].tensors().unwrap().get(name).unwrap().clone()).collect()
    };
    let found: Vec<u8> = told("found").iter().flat_map(|tensor| tensor.as_u8().unwrap().to_vec()).collect();
    assert_eq!(found, [0, 1, 1, 1, 0, 1]);
    assert!(
        told("shot").iter().all(|tensor| tensor.as_i64().unwrap().iter().all(|&shot| shot == 0)),
        "no cut"
    );
    let sharpness: Vec<f32> =
        told("sharpness").iter().flat_map(|tensor| tensor.as_f32().unwrap().to_vec()).collect();
    assert!(sharpness[0] < 1.0 && sharpness[1] > 10.0, "{sharpness:?}");
    // The nose is nearer than the cheeks; the irises lie within their eyes.
    let near = told("near")[0].as_f32().unwrap()[468..936].to_vec();
    assert!(
        near[1] > near[234] + 0.1 && near[1] > near[454] + 0.1,
        "{} {} {}",
        near[1],
        near[234],
        near[454]
    );
    let (eyes, points) = (told("eyes").swap_remove(0), points(0)[936..1872].to_vec());
    assert_eq!(eyes.shape(), [3, 2, 21, 2]);
    for (eye, [outer, inner]) in [[33, 133], [263, 362]].into_iter().enumerate() {
        let iris = &eyes.as_f32().unwrap()[84 + eye * 42 + 32..][..2];
        let (a, b) = (points[2 * outer].min(points[2 * inner]), points[2 * outer].max(points[2 * inner]));
        assert!(a < iris[0] && iris[0] < b, "eye {eye}: {a} {iris:?} {b}");
    }
    assert_eq!(outputs[0]["frames"].tensors().unwrap().get("frames").unwrap().shape(), [3, 64, 64, 3]);
}

#[test]
fn a_clip_may_begin_without_a_face() {
    let (Some(models), Some(folder)) = (tiny_models(), shared("data/driving")) else { return };
    let frame = |k: usize| image::open(folder.join(format!("{k:05}.jpg"))).unwrap().to_rgb8();
    let blank = RgbImage::from_pixel(256, 256, Rgb([90; 3]));
    let host = TestHost::new();
    let outputs =
        track(&[vec![blank.clone(); 2], vec![blank; 2], vec![frame(1), frame(2)]], &host, &models).unwrap();
    let told =
        |chunk: usize, name: &str| outputs[chunk]["landmarks"].tensors().unwrap().get(name).unwrap().clone();
    for chunk in 0..2 {
        assert_eq!(told(chunk, "found").as_u8().unwrap(), [0, 0]);
        assert_eq!(told(chunk, "landmarks"), Tensor::f32([2, 468, 2], vec![0.5; 1872]).unwrap());
        assert_eq!(told(chunk, "eyes").shape(), [2, 2, 21, 2]);
    }
    assert_eq!(told(2, "found").as_u8().unwrap(), [1, 1]);
    assert_eq!(told(2, "shot").as_i64().unwrap(), [0, 0]);
    // The crop is the face's, as it is in a clip that begins with it.
    let alone = track(&[vec![frame(1), frame(2)]], &host, &models).unwrap();
    let landmarks = alone[0]["landmarks"].tensors().unwrap().get("landmarks").unwrap().clone();
    assert_eq!(told(2, "landmarks"), landmarks);
}

#[test]
fn exactly_one_form_is_used() {
    let connected = |ports: &[&str]| {
        let connected = ports.iter().map(|port| (*port).to_owned()).collect();
        let params = Params::default();
        let use_ = NodeUse { params: &params, connected: &connected, folder: std::path::Path::new("") };
        node().resolve(&use_).map(|contract| contract.time)
    };
    assert_eq!(connected(&["image"]).unwrap(), Time::Value);
    assert_eq!(connected(&["frames"]).unwrap(), Time::Scan);
    assert!(connected(&[]).is_err() && connected(&["image", "frames"]).is_err());
}
