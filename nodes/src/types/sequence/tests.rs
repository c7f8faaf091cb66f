use super::*;
use crate::{
    artifact::Value,
    contract::{ParamValue, Rate, SequenceRate},
    tensor::{Tensor, Tensors},
    testing::{Collected, TestHost, inputs, no_models, run_value},
};

fn set(of: &str, fps: i64) -> [(&'static str, ParamValue); 2] {
    [("of", ParamValue::Text(of.into())), ("fps", ParamValue::Int(fps))]
}

fn cut(name: &str, tensor: Tensor) -> Result<Collected> {
    let inputs = inputs(0, vec![("tensors", Value::Tensors(Tensors::new().with(name, tensor)))]);
    run_value(&node(), &set("pose", 25), &inputs, &TestHost::new(), &no_models())
}

#[test]
fn chunks_of_a_second_hold_all_frames_in_order() {
    let numbers: Vec<f32> = (0..60 * 6).map(|k| k as f32).collect();
    let out = cut("pose", Tensor::f32([60, 6], numbers.clone()).unwrap()).unwrap();
    let poses: Vec<_> =
        out.chunks["sequence"].iter().map(|chunk| chunk.tensors().unwrap().get("pose").unwrap()).collect();
    assert_eq!(poses.iter().map(|pose| pose.shape()).collect::<Vec<_>>(), [[25, 6], [25, 6], [10, 6]]);
    assert_eq!(poses.iter().flat_map(|pose| pose.as_f32().unwrap().to_vec()).collect::<Vec<_>>(), numbers);
}

#[test]
fn type_and_rate_are_what_the_parameters_say() {
    let params = crate::testing::params(node().contract(), &set("expression", 30));
    let connected = ["tensors".to_owned()].into();
    let use_ = NodeUse { params: &params, connected: &connected, folder: std::path::Path::new("") };
    let output = node().resolve(&use_).unwrap().outputs[0].clone();
    assert_eq!(
        (output.ty.name(), output.sequence),
        ("expression", Some(SequenceRate::Fixed(Rate::new(30, 1))))
    );
}

#[test]
fn other_tensors_are_clear_errors() {
    let message = |name, tensor: Result<Tensor>| cut(name, tensor.unwrap()).err().unwrap().to_string();
    assert_eq!(
        message("poses", Tensor::f32([1, 6], vec![0.0; 6])),
        "port `tensors`: tensor `pose` is missing, found: poses"
    );
    assert_eq!(
        message("pose", Tensor::f32([0, 6], vec![])),
        "port `tensors`: shape [0, 6], expected at least one number"
    );
    assert_eq!(
        message("pose", Tensor::i64([1], vec![1])),
        "port `tensors`: expected a tensor of f32, found i64"
    );
}
