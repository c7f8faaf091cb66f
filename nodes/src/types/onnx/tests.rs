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
