use super::*;
use crate::{
    body::Outputs,
    tensor::{Tensor, Tensors},
    testing::{TestHost, run_chunks, tiny_models},
    volume::{
        self,
        testing::{person, ports, tensors},
    },
};

fn finish(models: &Models, chunk: Vec<(&str, Tensors)>) -> Result<Vec<u8>> {
    let mut out: Vec<Outputs> = run_chunks(&node(), &[], &[ports(chunk)], &TestHost::new(), models)?;
    let out = out.remove(0);
    let frames = tensors(&out, "frames").get("frames").unwrap();
    assert_eq!(&frames.shape()[1..], [32, 32, 3]);
    Ok(frames.as_u8().unwrap().to_vec())
}

fn features(models: &Models, level: f32) -> Tensors {
    let shape =
        models.session("upsample").unwrap().signature().input("features").unwrap().dims.clone().unwrap();
    let size = |dim: &crate::runtime::Dim| match dim {
        crate::runtime::Dim::Fixed(size) => *size,
        other => panic!("{other:?}"),
    };
    let (channels, side) = (size(&shape[1]), size(&shape[2]));
    let wave = (0..channels * side * side).map(|i| level * ((i % 23) as f32 / 23.0 - 0.5)).collect();
    Tensors::new().with("features", Tensor::f32([1, channels, side, side], wave).unwrap())
}

fn mask(side: usize, value: impl Fn(usize) -> f32) -> Tensors {
    let mask = (0..side * side).map(|i| value(i % side)).collect();
    Tensors::new().with("mask", Tensor::f32([1, 1, side, side], mask).unwrap())
}

/// Polarity: 0 shows `features`, 1 shows `inpainted`.
#[test]
fn the_mask_chooses_between_features_and_inpainted() {
    let Some(models) = tiny_models() else { return };
    let (identity, _) = person(&models);
    let (plain, painted) = (features(&models, 0.4), features(&models, -0.9));
    let alone = |features: &Tensors| {
        finish(&models, vec![("identity", identity.clone()), ("features", features.clone())]).unwrap()
    };
    let blended = |mask: Tensors| {
        let chunk = vec![
            ("identity", identity.clone()),
            ("features", plain.clone()),
            ("inpainted", painted.clone()),
            ("mask", mask),
        ];
        finish(&models, chunk).unwrap()
    };
    assert_ne!(alone(&plain), alone(&painted));
    assert_eq!(blended(mask(512, |_| 0.0)), alone(&plain));
    assert_eq!(blended(mask(512, |_| 1.0)), alone(&painted));
    let half = blended(mask(512, |x| if x < 256 { 0.0 } else { 1.0 }));
    assert_eq!(half[..3], alone(&plain)[..3], "the left side is of `features`");
    assert_eq!(half[31 * 3..32 * 3], alone(&painted)[31 * 3..32 * 3], "the right side is of `inpainted`");
}

#[test]
fn pixels_are_those_of_the_published_rounding() {
    let Some(models) = tiny_models() else { return };
    let (identity, _) = person(&models);
    let plain = features(&models, 0.4);
    let frames = finish(&models, vec![("identity", identity.clone()), ("features", plain.clone())]).unwrap();
    let state = volume::prepare(&models, &identity).unwrap();
    let image = volume::upsample(&models, &state, plain.get("features").unwrap().clone()).unwrap();
    let planes = image.as_f32().unwrap();
    for (at, rgb) in frames.as_chunks::<3>().0.iter().enumerate() {
        for (channel, value) in rgb.iter().enumerate() {
            let exact = (planes[channel * 1024 + at] * 127.5 + 128.0).clamp(0.0, 255.0);
            assert_eq!(*value, exact as u8);
        }
    }
}

#[test]
fn a_mask_without_features_to_show_is_an_error() {
    let Some(models) = tiny_models() else { return };
    let (identity, _) = person(&models);
    let chunk =
        vec![("identity", identity), ("features", features(&models, 1.0)), ("mask", mask(8, |_| 0.0))];
    let error = finish(&models, chunk).unwrap_err();
    assert!(error.to_string().contains("`inpainted` and `mask`"), "{error}");
}
