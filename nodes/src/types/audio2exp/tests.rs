use super::*;
use crate::{
    artifact::Value,
    body::{Inputs, Outputs},
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, run_chunks, tiny_models},
};

/// Columns of a mel window of the tiny pack, W.
const COLUMNS: usize = 32;
const SIZE: usize = 80 * COLUMNS;

/// Mel windows of frames `from..to` of one sound.
fn mel(from: usize, to: usize) -> Tensors {
    let data = (from * SIZE..to * SIZE).map(|k| ((k as f32 * 0.37).sin() * 4.0).clamp(-4.0, 4.0)).collect();
    Tensors::new().with("mel", Tensor::f32([to - from, 80, COLUMNS], data).unwrap())
}

fn chunk(models: &Models, from: usize, to: usize) -> Inputs {
    let size = models.pack().unwrap().coefficients().size;
    let row = (0..size).map(|k| (k as f32 * 0.7).sin() * 0.2).collect();
    let reference = Tensors::new().with("coefficients", Tensor::f32([1, size], row).unwrap());
    inputs(0, vec![("mel", Value::Tensors(mel(from, to))), ("reference", Value::Tensors(reference))])
}

fn expression(outputs: &[Outputs]) -> Vec<f32> {
    let tensors =
        outputs.iter().map(|chunk| chunk["expression"].tensors().unwrap().get("expression").unwrap());
    tensors.flat_map(|tensor| tensor.as_f32().unwrap().to_vec()).collect()
}

fn run(models: &Models, set: &[(&str, ParamValue)], chunks: &[(usize, usize)]) -> Vec<f32> {
    let chunks: Vec<_> = chunks.iter().map(|&(from, to)| chunk(models, from, to)).collect();
    expression(&run_chunks(&node(), set, &chunks, &TestHost::new(), models).unwrap())
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn chunks_continue_where_the_last_ended() {
    let Some(models) = tiny_models() else { return };
    assert!(close(&run(&models, &[], &[(0, 10)]), &run(&models, &[], &[(0, 4), (4, 10)])));
}

#[test]
fn the_split_network_gives_what_the_whole_gives() {
    let Some(models) = tiny_models() else { return };
    assert!(body::is_split(&models).unwrap());
    let layout = models.pack().unwrap().coefficients().clone();
    let inputs = chunk(&models, 0, 3);
    let row = inputs.tensors("reference").unwrap().get("coefficients").unwrap().as_f32().unwrap().to_vec();
    let root = layout.expression_of(&row).unwrap();
    let (mut reference, mut expected) = (root.to_vec(), vec![]);
    for k in 0..3 {
        let window = mel(k, k + 1).get("mel").unwrap().clone().reshape([1, 1, 80, COLUMNS]).unwrap();
        let offered = Tensors::new()
            .with("mel", window)
            .with("reference", Tensor::f32([1, 1, root.len()], reference.clone()).unwrap())
            .with("ratio", Tensor::f32([1, 1], vec![0.0]).unwrap());
        let outputs = models.run("audio2exp", &offered).unwrap();
        let predicted = outputs.get("expression").unwrap().as_f32().unwrap();
        reference =
            root.iter().zip(predicted).map(|(root, predicted)| 0.5 * root + 0.5 * predicted).collect();
        expected.extend(predicted.iter().map(|predicted| predicted * 1.5));
    }
    assert!(close(&run(&models, &[], &[(0, 3)]), &expected));
}

#[test]
fn the_scale_acts_outside_the_recurrence() {
    let Some(models) = tiny_models() else { return };
    let scaled = |scale: f64| run(&models, &[("scale", ParamValue::Float(scale))], &[(0, 8)]);
    let doubled: Vec<f32> = scaled(1.0).iter().map(|value| value * 2.0).collect();
    assert!(close(&scaled(2.0), &doubled));
}

#[test]
fn coefficients_of_another_pack_are_an_error() {
    let Some(models) = tiny_models() else { return };
    let reference = Tensors::new().with("coefficients", Tensor::f32([1, 7], vec![0.0; 7]).unwrap());
    let inputs =
        inputs(0, vec![("mel", Value::Tensors(mel(0, 1))), ("reference", Value::Tensors(reference))]);
    let error = run_chunks(&node(), &[], &[inputs], &TestHost::new(), &models).unwrap_err();
    assert!(error.to_string().starts_with("port `reference`"), "{error}");
}

#[test]
fn mel_windows_of_another_width_name_the_parameter() {
    let Some(models) = tiny_models() else { return };
    let mut inputs = chunk(&models, 0, 1);
    let narrow = Tensors::new().with("mel", Tensor::f32([1, 80, 16], vec![0.0; 1280]).unwrap());
    let reference = inputs.tensors("reference").unwrap().clone();
    inputs = crate::testing::inputs(
        0,
        vec![("mel", Value::Tensors(narrow)), ("reference", Value::Tensors(reference))],
    );
    let error = run_chunks(&node(), &[], &[inputs], &TestHost::new(), &models).unwrap_err();
    assert_eq!(error.to_string(), "port `mel`: expected windows of 32 columns, found 16");
    assert!(error.hint_text().unwrap().contains("columns"));
}
