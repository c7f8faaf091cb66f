use std::fs;

use super::*;
use crate::{
    tensor::{Tensor, Tensors},
    testing::{TestHost, file, no_models, run_value},
};

#[test]
fn reads_what_the_codec_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let tensors = Tensors::new().with("pose", Tensor::f32([2, 3], vec![1.0; 6]).unwrap());
    fs::write(&path, safetensors::encode(&tensors).unwrap()).unwrap();
    let out = run_value(&node(), &[], &file(&path), &TestHost::new(), &no_models()).unwrap();
    assert_eq!(out.values["tensors"].tensors().unwrap(), &tensors);
}

#[test]
fn other_files_are_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    let message = |bytes: &[u8]| {
        let path = folder.path().join("a.safetensors");
        fs::write(&path, bytes).unwrap();
        let error = run_value(&node(), &[], &file(&path), &TestHost::new(), &no_models()).err().unwrap();
        error.to_string().rsplit_once('/').unwrap().1.to_owned()
    };
    assert_eq!(message(b""), "a.safetensors: expected a safetensors file, found an empty file");
    assert_eq!(message(b"hello"), "a.safetensors: expected a safetensors file, found text: `hello`");
    assert_eq!(message(b"\0\x01\x02\x03\0\x05\x06\x07\x08"), "a.safetensors: not a safetensors file");
    assert_eq!(message(&safetensors::encode(&Tensors::new()).unwrap()), "a.safetensors: holds no tensors");
}
