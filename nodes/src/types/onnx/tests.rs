use std::path::PathBuf;

use super::*;
use crate::{
    artifact::Value,
    body::Context,
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{Collected, TestHost, inputs, params, tiny_models},
};

fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tiny").join(name)
}

fn resolve(path: &Path) -> Result<(Params, Contract)> {
    let params = params(node().contract(), &[("model", ParamValue::Text(path.display().to_string()))]);
    let use_ = NodeUse { params: &params, connected: &Default::default(), folder: Path::new("") };
    let contract = node().resolve(&use_)?;
    Ok((params, contract))
}

#[test]
fn ports_are_read_from_the_file() {
    let (_, contract) = resolve(&tiny("mapping.onnx")).unwrap();
    assert!(contract.find_input("z").is_some_and(|port| port.doc.starts_with("f32 [")));
    assert!(contract.find_input("psi").is_some() && contract.find_output("w").is_some());
    assert_eq!(port_name("/head/out.1"), "_head_out_1");
}

#[test]
fn runs_the_file() {
    let Some(models) = tiny_models() else { return };
    let (params, contract) = resolve(&tiny("camera.onnx")).unwrap();
    let Body::Value(mut body) = node().body(&params, &contract).unwrap() else { panic!("not a value body") };
    let host = TestHost::new();
    let ctx = Context { host: &host, models: &models };
    let pose = |name: &str| Tensors::new().with(name, Tensor::f32([1, 6], vec![0.0; 6]).unwrap());
    let mut out = Collected::default();
    body.run(&inputs(0, vec![("pose", Value::Tensors(pose("anything")))]), &ctx, &mut out).unwrap();
    assert_eq!(out.values["origins"].tensors().unwrap().get("origins").unwrap().shape()[2], 3);
    let mut two = pose("a");
    two.0.extend(pose("b").0);
    let error = body.run(&inputs(0, vec![("pose", Value::Tensors(two))]), &ctx, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "port `pose`: expected a tensor `pose` or a single one, found: a, b");
}

#[test]
fn other_files_are_errors() {
    let error = resolve(Path::new(file!())).or_else(|_| resolve(&tiny("pack.yaml"))).unwrap_err();
    assert!(error.to_string().ends_with("not an ONNX file"), "{error}");
}

/// A model that turns what goes in round: one less each number.
fn turned(folder: &Path, sizes: &str) -> PathBuf {
    let path = folder.join(format!("turned{}.onnx", sizes.replace(',', "_")));
    let model = talkgraph_models::testing::onnx::Model::new()
        .node("Sub", &["one", "frames"], &["turned"], &[])
        .node("ReduceMean", &["frames"], &["mean"], &[("axes", &[1, 2, 3])])
        .constant("one", &[1.0])
        .input("frames", sizes)
        .output("turned", sizes)
        .output("mean", "n,1,1,1");
    std::fs::write(&path, model.file()).unwrap();
    path
}

fn mapped(path: &Path, over: &str) -> Result<(Params, Contract)> {
    let text = |text: &str| ParamValue::Text(text.into());
    let given = [("model", text(&path.display().to_string())), ("over", text(over))];
    let params = params(node().contract(), &given);
    let use_ = NodeUse { params: &params, connected: &Default::default(), folder: Path::new("") };
    let contract = node().resolve(&use_)?;
    Ok((params, contract))
}

#[test]
fn a_model_runs_along_frames() {
    let Some(models) = tiny_models() else { return };
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::new();
    let ctx = Context { host: &host, models: &models };
    // As many as there are, one at a time, three at a time; pixels last.
    for sizes in ["n,3,h,w", "1,3,2,4", "3,3,2,4", "n,2,4,3"] {
        let (params, contract) = mapped(&turned(folder.path(), sizes), "frames").unwrap();
        assert_eq!((contract.time, contract.inputs[0].ty), (Time::Map, ArtifactType::Frames));
        assert_eq!(contract.find_output("turned").unwrap().ty, ArtifactType::Frames);
        assert_eq!(contract.find_output("mean").unwrap().ty, ArtifactType::Tensors);
        let Body::Map(body) = node().body(&params, &contract).unwrap() else { panic!("not a map") };
        let bytes: Vec<u8> = (0..5 * 2 * 4 * 3).map(|k| (k * 2) as u8).collect();
        let frames = Tensors::new().with("frames", Tensor::u8([5, 2, 4, 3], bytes.clone()).unwrap());
        let outputs = body.chunk(&inputs(0, vec![("frames", Value::Tensors(frames))]), &ctx).unwrap();
        let turned = outputs["turned"].tensors().unwrap().get("frames").unwrap();
        assert_eq!(turned.shape(), [5, 2, 4, 3], "{sizes}");
        assert_eq!(turned.as_u8().unwrap(), bytes.iter().map(|x| 255 - x).collect::<Vec<_>>(), "{sizes}");
        let mean = outputs["mean"].tensors().unwrap().get("mean").unwrap();
        let first = bytes[..24].iter().map(|&x| f32::from(x) / 255.0).sum::<f32>() / 24.0;
        assert_eq!(mean.shape()[0], 5);
        assert!((mean.as_f32().unwrap()[0] - first).abs() < 1e-5);
    }
}

#[test]
fn frames_are_brought_to_the_size_that_a_model_fixes() {
    let Some(models) = tiny_models() else { return };
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::new();
    let ctx = Context { host: &host, models: &models };
    let (params, contract) = mapped(&turned(folder.path(), "n,3,2,2"), "frames").unwrap();
    let Body::Map(body) = node().body(&params, &contract).unwrap() else { panic!("not a map") };
    let frames = Tensors::new().with("frames", Tensor::u8([1, 4, 4, 3], vec![55; 48]).unwrap());
    let outputs = body.chunk(&inputs(0, vec![("frames", Value::Tensors(frames))]), &ctx).unwrap();
    let turned = outputs["turned"].tensors().unwrap().get("frames").unwrap();
    assert_eq!((turned.shape(), turned.as_u8().unwrap()), (&[1, 2, 2, 3][..], &[200; 12][..]));
}

#[test]
fn a_model_runs_along_tensors_and_says_what_it_cannot() {
    let Some(models) = tiny_models() else { return };
    let host = TestHost::new();
    let ctx = Context { host: &host, models: &models };
    let (params, contract) = mapped(&tiny("camera.onnx"), "tensors").unwrap();
    assert!(contract.find_output("origins").unwrap().sequence.is_some());
    let Body::Map(body) = node().body(&params, &contract).unwrap() else { panic!("not a map") };
    let pose = Tensors::new().with("pose", Tensor::f32([11, 6], vec![0.0; 66]).unwrap());
    let outputs = body.chunk(&inputs(0, vec![("pose", Value::Tensors(pose))]), &ctx).unwrap();
    assert_eq!(outputs["directions"].tensors().unwrap().get("directions").unwrap().shape()[0], 11);

    let error = mapped(&tiny("camera.onnx"), "frames").unwrap_err();
    assert!(error.to_string().contains("expected pictures, [n,3,H,W] or [n,H,W,3]"), "{error}");
    let error = mapped(&tiny("mapping.onnx"), "tensors").unwrap_err();
    assert!(error.to_string().ends_with("the model has several inputs"), "{error}");
}
