use super::*;
use crate::{
    body::Outputs,
    tensor::{Tensor, Tensors},
    testing::{TestHost, run_chunks, tiny_models, tiny_models_in},
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
    let state = volume::prepare(models, &person(models).0).unwrap();
    let background = state.tensor("background").unwrap();
    let (channels, side) = (background.shape()[1], background.shape()[2]);
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

/// Painted features that are the same at both pitches give a window that is the frame, enlarged; and where the mask is not, nothing.
#[test]
fn the_inside_is_the_frame_at_twice_the_pitch() {
    let Some(models) = tiny_models() else { return };
    let (identity, _) = person(&models);
    let flat = |tensors: &Tensors, rows: usize, columns: usize| {
        let channels = tensors.get("features").unwrap().shape()[1];
        let numbers = (0..channels * rows * columns).map(|at| (at / (rows * columns)) as f32 * 0.05 - 0.3);
        Tensor::f32([1, channels, rows, columns], numbers.collect()).unwrap()
    };
    let plain = features(&models, 0.0);
    let inpainted = Tensors::new()
        .with("features", flat(&plain, 9, 8))
        .with("fine", flat(&plain, 18, 16))
        .with("corner", Tensor::i64([2], vec![4, 5]).unwrap());
    let whole = plain.clone().with("features", flat(&plain, 16, 16));
    let run = |mask: Tensors| {
        let chunk = vec![
            ("identity", identity.clone()),
            ("features", whole.clone()),
            ("inpainted", inpainted.clone()),
            ("mask", mask),
        ];
        run_chunks(&node(), &[], &[ports(chunk)], &TestHost::new(), &models).unwrap().remove(0)
    };
    let out = run(mask(32, |x| f32::from((16..18).contains(&x))));
    let (frames, inside) = (tensors(&out, "frames"), tensors(&out, "inside"));
    // columns 8 to 9 of the rays are masked, and four more on each side fit into 5 to 13
    assert_eq!(inside.get("corner").unwrap().as_i64().unwrap(), [16, 20]);
    let shown = inside.get("frames").unwrap();
    assert_eq!(shown.shape(), [1, 36, 32, 3]);
    let (frame, shown) = (frames.get("frames").unwrap().as_u8().unwrap(), shown.as_u8().unwrap());
    let mut differences = vec![];
    for (at, rgb) in shown.as_chunks::<3>().0.iter().enumerate() {
        let (row, column) = (16 + at / 32, 20 + at % 32);
        let same = &frame[3 * (row / 2 * 32 + column / 2)..][..3];
        differences.extend(rgb.iter().zip(same).map(|(a, b)| a.abs_diff(*b)));
    }
    // Of equal features every pixel has one of four colours, by its place among those of a ray.
    let worst = differences.iter().max().unwrap();
    let phases = frame.as_chunks::<3>().0;
    let spread = (0..3)
        .map(|c| phases.iter().map(|p| p[c]).max().unwrap() - phases.iter().map(|p| p[c]).min().unwrap());
    assert!(*worst <= spread.max().unwrap(), "{worst}");
    assert!(tensors(&run(mask(32, |_| 0.0)), "inside").0.is_empty());
}

/// The last channels stay those of `features` wherever the mask is.
#[test]
fn channels_that_are_not_blended_stay() {
    let folder = tempfile::tempdir().unwrap();
    let Some(models) = tiny_models_in(folder.path(), |yaml| yaml + "unblended: 3\n", &[]) else { return };
    let (identity, _) = person(&models);
    let (plain, painted) = (features(&models, 0.4), features(&models, -0.9));
    let blended = |models: &Models, inpainted: &Tensors| {
        let chunk = vec![
            ("identity", identity.clone()),
            ("features", plain.clone()),
            ("inpainted", inpainted.clone()),
            ("mask", mask(512, |_| 1.0)),
        ];
        finish(models, chunk).unwrap()
    };
    let (from, to) = (plain.get("features").unwrap(), painted.get("features").unwrap());
    let shape = from.shape().to_vec();
    let kept = 3 * shape[2] * shape[3];
    let (from, to) = (from.as_f32().unwrap(), to.as_f32().unwrap());
    let mixed = [&to[..to.len() - kept], &from[from.len() - kept..]].concat();
    let mixed = Tensors::new().with("features", Tensor::f32(shape, mixed).unwrap());
    let chunk = vec![("identity", identity.clone()), ("features", mixed)];
    assert_eq!(blended(&models, &painted), finish(&models, chunk).unwrap());
    let all = tiny_models().unwrap();
    assert_ne!(blended(&models, &painted), blended(&all, &painted));
    assert!(node().roles(&Params::default(), &models).unwrap().contains(&"pack.unblended".to_owned()));
}

/// Where a mask ends inside a ray's pixel, the middle of the pixel decides.
#[test]
fn a_mask_may_be_read_at_the_middles() {
    let Some(models) = tiny_models() else { return };
    let (identity, _) = person(&models);
    let (plain, painted) = (features(&models, 0.4), features(&models, -0.9));
    let side = plain.get("features").unwrap().shape()[2];
    let end = (side / 2 * 16 + 10) * 512 / (16 * side);
    let run = |shrink: &str, mask: Tensors| {
        let chunk = vec![
            ("identity", identity.clone()),
            ("features", plain.clone()),
            ("inpainted", painted.clone()),
            ("mask", mask),
        ];
        let set = [("shrink", crate::contract::ParamValue::Text(shrink.into()))];
        let out = run_chunks(&node(), &set, &[ports(chunk)], &TestHost::new(), &models).unwrap().remove(0);
        tensors(&out, "frames").get("frames").unwrap().as_u8().unwrap().to_vec()
    };
    let inside = mask(512, |x| f32::from(x < end));
    let rays = mask(side, |x| f32::from(x <= side / 2));
    assert_eq!(run("bicubic", inside.clone()), run("bicubic", rays));
    assert_ne!(run("smooth", inside.clone()), run("bicubic", inside));
}
