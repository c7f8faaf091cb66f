//! A person of the tiny pack, and short ways through the rendering nodes, for their tests.

use crate::{
    artifact::Value,
    body::Inputs,
    models::Models,
    tensor::{Tensor, Tensors},
    testing::inputs,
};

/// The identity and the reference coefficients of a person that was drawn, looking straight ahead.
pub(crate) fn person(models: &Models) -> (Tensors, Tensors) {
    let width = models.session("mapping").unwrap().signature().input("z").unwrap().dims.clone().unwrap();
    let crate::onnx::Dim::Fixed(width) = width[1] else { panic!("z has no fixed size") };
    let z: Vec<f32> = (0..width).map(|i| ((i * 37 % 19) as f32 - 9.0) / 9.0).collect();
    let drawn = Tensors::new()
        .with("z", Tensor::f32([1, width], z).unwrap())
        .with("psi", Tensor::f32([1], vec![0.7]).unwrap());
    let mut identity = models.run("mapping", &drawn).unwrap();
    identity.0.extend(models.run("identity", &identity.clone()).unwrap().0);
    let size = models.pack().unwrap().coefficients().size;
    let reference = Tensors::new().with("coefficients", Tensor::f32([1, size], vec![0.0; size]).unwrap());
    (identity, reference)
}

/// Which expression coefficient the face unit `name` is.
pub(crate) fn unit(models: &Models, name: &str) -> usize {
    models.pack().unwrap().expression().iter().position(|one| one == name).unwrap()
}

/// Expressions of `frames` frames whose jaw opens from 0 to `jaw`.
pub(crate) fn opening(models: &Models, frames: usize, jaw: f32) -> Tensors {
    let size = models.pack().unwrap().coefficients().expressions();
    let (mut rows, at) = (vec![0.0; frames * size], unit(models, "jawOpen"));
    for (frame, row) in rows.chunks_mut(size).enumerate() {
        row[at] = jaw * frame as f32 / (frames - 1).max(1) as f32;
    }
    Tensors::new().with("expression", Tensor::f32([frames, size], rows).unwrap())
}

/// The tensors of the value at `port`.
pub(crate) fn tensors<'a>(outputs: &'a crate::body::Outputs, port: &str) -> &'a Tensors {
    outputs[port].tensors().unwrap()
}

/// Inputs by port, of tensors.
pub(crate) fn ports(ports: Vec<(&str, Tensors)>) -> Inputs {
    inputs(0, ports.into_iter().map(|(name, tensors)| (name, Value::Tensors(tensors))).collect())
}
