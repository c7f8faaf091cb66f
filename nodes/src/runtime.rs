//! ONNX Runtime: the library, the device and the sessions.

use std::sync::Arc;

use crate::{
    error::{NodeError, Result},
    models::Numerics,
    pack::ModelFile,
    tensor::Tensors,
};

/// The loaded library and the sessions by model digest.
pub struct Runtime {}

/// A loaded model.
pub struct Session {}

impl Runtime {
    /// What changes the numbers that sessions give; known without loading the library.
    pub fn numerics(&self) -> Result<Numerics> {
        Err(NodeError::model("no runtime"))
    }

    /// The session of `model`, loaded on first use.
    pub fn session(&self, model: &ModelFile) -> Result<Arc<Session>> {
        Err(NodeError::model(format!("{}: no runtime", model.name)))
    }
}

impl Session {
    /// Runs on those of `inputs` that the model declares.
    pub fn run(&self, inputs: &Tensors) -> Result<Tensors> {
        inputs.get("").cloned().map(|_| Tensors::new())
    }
}
