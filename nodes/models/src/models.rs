//! The models of a run: a pack, checked, and one shared ONNX Runtime session a role.

use std::sync::Arc;

use crate::{
    error::{NodeError, Result},
    pack::Pack,
    precision::Precision,
    runtime::{Device, Numerics, Runtime, Session, Values},
    tensor::Tensors,
};

/// A pack and the sessions opened from it so far. A graph without models needs neither pack nor runtime.
#[derive(Default)]
pub struct Models {
    pack: Option<Arc<Pack>>,
    /// Why there is no pack, with a hint.
    unsound: Option<(String, Option<String>)>,
    runtime: Option<Arc<Runtime>>,
    /// Which of several devices that share the work this is.
    lane: usize,
}

impl Models {
    /// Models of `pack`, opened on `runtime` when first asked for.
    pub fn new(pack: Arc<Pack>, runtime: Arc<Runtime>) -> Self {
        Self::with(Some(pack), Some(runtime))
    }

    /// Models of what there is; asking for what is absent is an error.
    pub fn with(pack: Option<Arc<Pack>>, runtime: Option<Arc<Runtime>>) -> Self {
        Self { pack, unsound: None, runtime, lane: 0 }
    }

    /// Models without the pack that was found, since `error` is wrong with it. Who asks for the pack is told so; a graph
    /// without models runs all the same.
    pub fn without_pack(error: &NodeError, runtime: Arc<Runtime>) -> Self {
        let unsound = Some((error.to_string(), error.hint_text().map(ToOwned::to_owned)));
        Self { pack: None, unsound, runtime: Some(runtime), lane: 0 }
    }

    /// No models at all: asking for one is an error.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same as one of several devices that share the work, with this number.
    #[must_use]
    pub fn on_lane(self, lane: usize) -> Self {
        Self { lane, ..self }
    }

    /// The number of the device among those that share the work. Values of one are of no use to another.
    pub fn lane(&self) -> usize {
        self.lane
    }

    /// The device in words. Of several on the CPU each has its number.
    pub fn device(&self) -> String {
        match self.runtime.as_ref().map(|runtime| runtime.device()) {
            Some(Device::Cpu) => format!("cpu.{}", self.lane),
            Some(device) => device.to_string(),
            None => "none".into(),
        }
    }

    /// The same models on another device, nothing opened yet.
    #[must_use]
    pub fn beside(&self, runtime: Arc<Runtime>, lane: usize) -> Self {
        Self { pack: self.pack.clone(), unsound: self.unsound.clone(), runtime: Some(runtime), lane }
    }

    /// The pack; an error when there is none.
    pub fn pack(&self) -> Result<&Pack> {
        match (&self.pack, &self.unsound) {
            (Some(pack), _) => Ok(pack),
            (None, Some((message, Some(hint)))) => Err(NodeError::model(message).hint(hint)),
            (None, Some((message, None))) => Err(NodeError::model(message)),
            (None, None) => {
                Err(NodeError::model("no model pack found").hint("name a pack folder with --pack"))
            }
        }
    }

    /// The runtime; an error when there is none.
    pub fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_deref().ok_or_else(|| NodeError::model("ONNX Runtime was not set up for this run"))
    }

    /// What changes the numbers of a node that uses `roles`. Knows it without loading the library.
    pub fn numerics(&self, roles: &[String]) -> Result<Numerics> {
        let half = |pack: &Arc<Pack>| roles.iter().any(|role| pack.precision_of(role) == Precision::F16);
        let precision = if self.pack.as_ref().is_some_and(half) { Precision::F16 } else { Precision::F32 };
        Ok(Numerics { precision, ..self.runtime()?.numerics()? })
    }

    /// In what models compute where the pack has them so.
    pub fn precision(&self) -> Precision {
        self.pack.as_ref().map(|pack| pack.precision()).unwrap_or_default()
    }

    /// The session of `role`, loaded on first use; an error names the role when the pack lacks it. Before the first one the
    /// whole pack is checked.
    pub fn session(&self, role: &str) -> Result<Arc<Session>> {
        let (runtime, pack) = (self.runtime()?, self.pack()?);
        let model = pack.model(role)?;
        pack.ensure_sound()?;
        runtime.session(model)
    }

    /// Runs the model of `role` on those tensors of `inputs` that it declares, and gives its outputs by name.
    pub fn run(&self, role: &str, inputs: &Tensors) -> Result<Tensors> {
        self.session(role)?.run(inputs)
    }

    /// Like [`run`](Self::run) on values that stay in ONNX Runtime.
    pub fn run_values(&self, role: &str, inputs: &Values) -> Result<Values> {
        self.session(role)?.run_values(inputs)
    }

    /// `tensors` in ONNX Runtime's memory.
    pub fn values(&self, tensors: &Tensors) -> Result<Values> {
        self.runtime()?.values(tensors)
    }
}
