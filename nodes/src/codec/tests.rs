use std::path::{Path, PathBuf};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    artifact::Audio,
    tensor::{Tensor, Tensors},
};

fn blob(value: &Value, ty: ArtifactType) -> Vec<u8> {
    match encode(value, ty).unwrap() {
        Encoded::Bytes(bytes) => bytes,
        Encoded::File(file) => panic!("expected bytes, found {}", file.path.display()),
    }
}

/// Encodes twice, compares the bytes, decodes, and encodes again: what a store round trip must keep.
fn round_trip(value: &Value, ty: ArtifactType) -> Value {
    let bytes = blob(value, ty);
    assert_eq!(bytes, blob(value, ty), "encoding is not deterministic");
    let back = decode(ty, &bytes, Path::new("blob")).unwrap();
    assert_eq!(bytes, blob(&back, ty), "the decoded value encodes differently");
    back
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let shape = vec(0usize..4, 0..4);
    shape.prop_flat_map(|shape| {
        let n: usize = shape.iter().product();
        let of = |shape: &Vec<usize>| shape.clone();
        let (a, b, c, d) = (of(&shape), of(&shape), of(&shape), of(&shape));
        prop_oneof![
            vec(any::<u32>(), n)
                .prop_map(move |x| Tensor::f32(a.clone(), x.into_iter().map(f32::from_bits).collect())),
            vec(any::<f64>(), n).prop_map(move |x| Tensor::f64(b.clone(), x)),
            vec(any::<i64>(), n).prop_map(move |x| Tensor::i64(c.clone(), x)),
            vec(any::<u8>(), n).prop_map(move |x| Tensor::u8(d.clone(), x)),
        ]
        .prop_map(Result::unwrap)
    })
}

proptest! {
    #[test]
    fn tensors_round_trip(set in proptest::collection::btree_map("[a-zA-Z0-9_./ é]{1,12}", tensor(), 0..6)) {
        let value = Value::Tensors(Tensors(set.clone()));
        let back = round_trip(&value, ArtifactType::Tensors);
        let shapes = |set: &Tensors| set.0.iter().map(|(k, v)| (k.clone(), v.shape().to_vec())).collect::<Vec<_>>();
        prop_assert_eq!(shapes(back.tensors().unwrap()), shapes(&Tensors(set)));
    }

    #[test]
    fn sound_round_trips(rate in 1u32..200_000, bits in vec(any::<u32>(), 0..300)) {
        let samples: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        let back = round_trip(&Value::Audio(Audio { rate, samples: samples.clone() }), ArtifactType::Audio);
        let audio = back.audio().unwrap();
        prop_assert_eq!(audio.rate, rate);
        let bits = |samples: &[f32]| samples.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&audio.samples), bits(&samples));
    }

    #[test]
    fn pictures_round_trip(width in 1u32..20, height in 1u32..20, seed in any::<u32>()) {
        let image = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb((seed ^ (x * 7919 + y * 104_729)).wrapping_mul(2_654_435_761).to_le_bytes()[..3].try_into().unwrap())
        });
        let back = round_trip(&Value::Image(image.clone()), ArtifactType::Image);
        prop_assert_eq!(back.image().unwrap(), &image);
    }

    #[test]
    fn any_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        for ty in ArtifactType::ALL {
            let _ = decode(*ty, &bytes, Path::new("blob"));
        }
    }
}

#[test]
fn json_keeps_key_order() {
    let json = serde_json::json!({ "zebra": 1.5, "apple": [true, null], "text": "ä" });
    let back = round_trip(&Value::Json(json.clone()), ArtifactType::Crop);
    assert_eq!(back.json().unwrap().to_string(), json.to_string());
}

#[test]
fn tensor_blobs_do_not_depend_on_insertion_order() {
    let (a, b) = (Tensor::f32([2], vec![1.0, 2.0]).unwrap(), Tensor::f32([1], vec![3.0]).unwrap());
    let one = Tensors::new().with("a", a.clone()).with("b", b.clone());
    let two = Tensors::new().with("b", b).with("a", a);
    assert_eq!(
        blob(&Value::Tensors(one), ArtifactType::Pose),
        blob(&Value::Tensors(two), ArtifactType::Pose)
    );
}

#[test]
fn files_pass_as_they_are() {
    let file = FileRef { path: PathBuf::from("clip.mp4"), digest: None };
    assert_eq!(encode(&Value::File(file.clone()), ArtifactType::Video).unwrap(), Encoded::File(file.clone()));
    assert_eq!(decode(ArtifactType::Video, &[], &file.path).unwrap().file().unwrap(), &file);
}

#[test]
fn a_value_of_another_kind_is_an_error() {
    let error = encode(&Value::Json(serde_json::json!(1)), ArtifactType::Image).unwrap_err();
    assert_eq!(error.to_string(), "type `image`: expected an image, found JSON");
}

#[test]
fn half_floats_and_small_integers_widen() {
    let half = half::f16::from_f32(0.5).to_le_bytes();
    let int = (-3i32).to_le_bytes();
    let views = [
        ("half", ::safetensors::tensor::TensorView::new(::safetensors::Dtype::F16, vec![1], &half).unwrap()),
        ("int", ::safetensors::tensor::TensorView::new(::safetensors::Dtype::I32, vec![1], &int).unwrap()),
    ];
    let bytes = ::safetensors::serialize(views, None).unwrap();
    let value = decode(ArtifactType::Tensors, &bytes, Path::new("blob")).unwrap();
    let tensors = value.tensors().unwrap();
    assert_eq!(tensors.get("half").unwrap().as_f32().unwrap(), [0.5]);
    assert_eq!(tensors.get("int").unwrap().as_i64().unwrap(), [-3]);
}
