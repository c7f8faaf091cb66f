use super::*;
use crate::{
    artifact::Value,
    body::{Inputs, Outputs},
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, run_chunks, tiny_models},
};

/// Columns of a mel window of the tiny pack, W.
const COLUMNS: usize = 36;
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

/// Expressions of frames 0..8, their blink ratios given frame by frame, in chunks of the given sizes.
fn blinking(models: &Models, ratios: &[f32; 8], sizes: &[usize]) -> Result<Vec<f32>> {
    let mut at = 0;
    let chunks: Vec<_> = sizes
        .iter()
        .map(|&n| {
            let mut ports = vec![];
            let plain = chunk(models, at, at + n);
            for port in ["mel", "reference"] {
                ports.push((port, Value::Tensors(plain.tensors(port).unwrap().clone())));
            }
            let ratio = Tensor::f32([n, 1], ratios[at..at + n].to_vec()).unwrap();
            ports.push(("ratio", Value::Tensors(Tensors::new().with("ratio", ratio))));
            at += n;
            inputs(0, ports)
        })
        .collect();
    Ok(expression(&run_chunks(&node(), &[], &chunks, &TestHost::new(), models)?))
}

#[test]
fn ratios_are_used_frame_by_frame_within_the_recurrence() {
    let Some(models) = tiny_models() else { return };
    let open = run(&models, &[], &[(0, 8)]);
    assert!(close(&blinking(&models, &[0.0; 8], &[8]).unwrap(), &open));
    let half = run(&models, &[("ratio", ParamValue::Float(0.5))], &[(0, 8)]);
    assert!(close(&blinking(&models, &[0.5; 8], &[3, 5]).unwrap(), &half));

    let one = blinking(&models, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], &[8]).unwrap();
    let (size, lid) = (open.len() / 8, crate::volume::testing::unit(&models, "eyeBlinkLeft"));
    let blinks = |frames: &[f32]| frames.chunks_exact(size).map(|frame| frame[lid]).collect::<Vec<_>>();
    let moved: Vec<f32> = blinks(&one).iter().zip(blinks(&open)).map(|(one, open)| one - open).collect();
    assert!(moved[..3].iter().all(|by| by.abs() < 1e-6) && (blinks(&one)[3] - 1.5).abs() < 1e-4, "{moved:?}");
    // The recurrence halves what the reference keeps of the blink, so the eyes open within a few frames.
    for k in 3..7 {
        assert!((moved[k + 1] - 0.5 * moved[k]).abs() < 1e-4, "{moved:?}");
    }
}

#[test]
fn ratios_for_another_number_of_frames_are_an_error() {
    let Some(models) = tiny_models() else { return };
    let plain = chunk(&models, 0, 2);
    let ratio = Tensors::new().with("ratio", Tensor::f32([3, 1], vec![0.0; 3]).unwrap());
    let ports = ["mel", "reference"].map(|port| (port, Value::Tensors(plain.tensors(port).unwrap().clone())));
    let chunk = inputs(0, ports.into_iter().chain([("ratio", Value::Tensors(ratio))]).collect());
    let error = run_chunks(&node(), &[], &[chunk], &TestHost::new(), &models).unwrap_err();
    assert_eq!(error.to_string(), "port `ratio`: shape [3, 1], expected [2, 1] as there are mel windows");
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
    assert_eq!(error.to_string(), "port `mel`: expected windows of 36 columns, found 16");
    assert!(error.hint_text().unwrap().contains("columns"));
}
