//! The models of a run: a pack, checked, and one shared ONNX Runtime session a role.

use std::sync::Arc;

use crate::{
    error::Result,
    pack::Pack,
    runtime::{Runtime, Session},
    tensor::Tensors,
};

/// A pack and the sessions opened from it so far.
pub struct Models {
    pack: Arc<Pack>,
    runtime: Arc<Runtime>,
}

impl Models {
    /// Models of `pack`, opened on `runtime` when first asked for.
    pub fn new(pack: Arc<Pack>, runtime: Arc<Runtime>) -> Self {
        Self { pack, runtime }
    }

    /// The pack.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// The runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The session of `role`, loaded and checked on first use; an error names the role when the pack lacks it.
    pub fn session(&self, role: &str) -> Result<Arc<Session>> {
        self.runtime.session(self.pack.model(role)?)
    }

    /// Runs the model of `role` on those tensors of `inputs` that it declares, and gives its outputs by name.
    pub fn run(&self, role: &str, inputs: &Tensors) -> Result<Tensors> {
        self.session(role)?.run(inputs)
    }
}
