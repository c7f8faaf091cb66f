use std::{fs, sync::Arc};

use super::*;
use crate::{
    artifact::{ArtifactType, Value},
    body::{Input, Inputs},
    codec,
    tensor::{Tensor, Tensors},
    testing::{self, InMemory, TestHost, no_models, run_value},
};

fn pose(rows: &[[f32; 2]]) -> Tensors {
    Tensors::new().with("pose", Tensor::f32([rows.len(), 2], rows.concat()).unwrap())
}

fn written(inputs: &Inputs, set: &[(&str, ParamValue)]) -> Result<Vec<u8>> {
    let host = TestHost::new();
    let out = run_value(&node(), set, inputs, &host, &no_models())?;
    Ok(fs::read(&out.values["file"].file()?.path).unwrap())
}

fn value(tensors: Tensors) -> Inputs {
    testing::inputs(0, vec![("tensors", Value::Tensors(tensors))])
}

fn text(name: &'static str, word: &str) -> (&'static str, ParamValue) {
    (name, ParamValue::Text(word.into()))
}

#[test]
fn a_sequence_is_joined() {
    let chunks = [pose(&[[1.0, 2.0], [3.0, 4.0]]), pose(&[[5.0, 6.0]])];
    let chunks = chunks.map(|tensors| Arc::new(Value::Tensors(tensors)));
    let ports = [("sequence".to_owned(), Input::Sequence(Arc::new(InMemory(chunks.into()))))];
    let bytes = written(&Inputs::new(ports.into(), 0, None), &[]).unwrap();
    let back = codec::decode(ArtifactType::Tensors, &bytes, std::path::Path::new("")).unwrap();
    assert_eq!(back.tensors().unwrap(), &pose(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
}

#[test]
fn npy_is_what_numpy_writes() {
    let bytes = written(&value(pose(&[[1.0, -2.5]])), &[text("format", "npy")]).unwrap();
    let mut expected =
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2,), }".to_vec();
    expected.resize(127, b' ');
    expected.push(b'\n');
    expected.extend([1.0f32.to_le_bytes(), (-2.5f32).to_le_bytes()].concat());
    assert_eq!(bytes, expected);
}

#[test]
fn json_has_nested_lists_and_short_numbers() {
    let tensors = pose(&[[0.1, f32::NAN]]).with("n", Tensor::i64([1], vec![7]).unwrap());
    let bytes = written(&value(tensors), &[text("format", "json")]).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), r#"{"n":[7],"pose":[[0.1,null]]}"#);
}

#[test]
fn one_tensor_can_be_chosen() {
    let both = pose(&[[1.0, 2.0]]).with("n", Tensor::u8([2], vec![7, 8]).unwrap());
    let error = written(&value(both.clone()), &[text("format", "npy")]).unwrap_err();
    assert_eq!(error.to_string(), "npy holds one tensor, found 2: n, pose");
    let set = [text("format", "json"), text("tensor", "n")];
    assert_eq!(written(&value(both.clone()), &set).unwrap(), br#"{"n":[7,8]}"#);
    let error = written(&value(both), &[text("tensor", "x")]).unwrap_err();
    assert_eq!(error.to_string(), "tensor `x` is missing, found: n, pose");
}

#[test]
fn windows_of_chunks_become_one_around_all() {
    let map = |value: f32, rows: usize, columns: usize| {
        Tensor::f32([1, 2, rows, columns], vec![value; 2 * rows * columns]).unwrap()
    };
    let chunk = |corner: [i64; 2], value: f32, rows: usize, columns: usize| {
        Tensors::new()
            .with("corner", Tensor::i64([2], corner.to_vec()).unwrap())
            .with("features", map(value, rows, columns))
            .with("fine", map(value, 2 * rows, 2 * columns))
    };
    let windows = super::window::whole(vec![chunk([2, 3], 1.0, 1, 2), chunk([1, 4], 2.0, 2, 3)]).unwrap();
    let [first, second] = windows.as_slice() else { panic!("two chunks") };
    for one in [first, second] {
        assert_eq!(one.get("corner").unwrap().as_i64().unwrap(), [1, 3]);
        assert_eq!(one.get("features").unwrap().shape(), [1, 2, 2, 4]);
        assert_eq!(one.get("fine").unwrap().shape(), [1, 2, 4, 8]);
    }
    assert_eq!(
        first.get("features").unwrap().as_f32().unwrap()[..8],
        [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    );
    assert_eq!(
        second.get("features").unwrap().as_f32().unwrap()[..8],
        [0.0, 2.0, 2.0, 2.0, 0.0, 2.0, 2.0, 2.0]
    );

    let framed = Tensors::new()
        .with("corner", Tensor::i64([2], vec![1, 0]).unwrap())
        .with("canvas", Tensor::u8([2, 1, 3], vec![7; 6]).unwrap())
        .with("frames", Tensor::u8([2, 1, 1, 3], vec![9; 6]).unwrap());
    let whole = super::window::whole(vec![framed]).unwrap();
    let frames = whole[0].get("frames").unwrap();
    assert_eq!((frames.shape(), &frames.as_u8().unwrap()[..6]), (&[2, 2, 1, 3][..], &[7, 7, 7, 9, 9, 9][..]));
    assert!(!whole[0].0.contains_key("canvas"));
}
