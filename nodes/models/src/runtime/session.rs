//! A loaded model.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use ort::{
    memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType},
    session::{RunOptions, SessionInputValue},
    value::DynValue,
};

use super::{
    device::Device,
    failed,
    interrupt::Interrupt,
    profile::Profile,
    values::{Feed, Values, feed, feeds, from_value},
};
use crate::{
    error::{NodeError, Result},
    onnx::{Dim, Port, Signature},
    tensor::{Tensor, Tensors},
};

/// A loaded model. Runs are one at a time: each uses every core that the runtime has.
pub struct Session {
    pub(super) name: String,
    pub(super) signature: Signature,
    pub(super) device: Device,
    pub(super) session: Mutex<ort::session::Session>,
    pub(super) options: Arc<RunOptions>,
    pub(super) interrupt: Arc<Interrupt>,
    pub(super) profile: Option<Arc<Profile>>,
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(profile) = &self.profile else { return };
        let session = self.session.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        let told = match session.end_profiling() {
            Ok(file) => profile.take(&self.name, self.device, file.as_ref()),
            Err(error) => Err(failed(format!("model {}", self.name), &error)),
        };
        if let Err(error) = told {
            tracing::warn!("{error}");
        }
    }
}

impl Session {
    /// Role or file name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it takes and gives.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Runs on those of `inputs` that the model declares, and gives its outputs by name. Missing inputs, wrong types
    /// and shapes are errors before anything runs.
    pub fn run(&self, inputs: &Tensors) -> Result<Tensors> {
        let mut symbols = Symbols::default();
        let mut feeds = Vec::with_capacity(self.signature.inputs.len());
        for port in &self.signature.inputs {
            let tensor = inputs.0.get(&port.name).ok_or_else(|| self.missing(port, inputs.0.keys()))?;
            self.check(port, tensor, &mut symbols)?;
            let value = match feed(port, tensor)? {
                Feed::Borrowed(value) => value,
                Feed::Owned(value) => SessionInputValue::Owned(value),
            };
            feeds.push((Cow::Borrowed(port.name.as_str()), value));
        }
        self.with_session(|session| {
            let outputs =
                session.run_with_options(feeds, &*self.options).map_err(|error| self.failed(&error))?;
            outputs
                .iter()
                .map(|(name, value)| Ok((name.to_owned(), from_value(name, &value)?)))
                .collect::<Result<_>>()
                .map(Tensors)
        })
    }

    /// Like [`run`](Self::run) on values that stay in ONNX Runtime; on CUDA the outputs stay on the device. Shapes are
    /// left to the runtime to check.
    pub fn run_values(&self, inputs: &Values) -> Result<Values> {
        let mut feeds: Vec<(&str, &DynValue)> = Vec::with_capacity(self.signature.inputs.len());
        for port in &self.signature.inputs {
            let value = inputs.0.get(&port.name).ok_or_else(|| self.missing(port, inputs.0.keys()))?;
            feeds.push((&port.name, value));
        }
        self.with_session(|session| match self.device {
            Device::Cpu => {
                let feeds: Vec<_> = feeds
                    .into_iter()
                    .map(|(name, value)| (Cow::Borrowed(name), value.into()))
                    .collect::<Vec<(Cow<'_, str>, SessionInputValue<'_>)>>();
                let outputs =
                    session.run_with_options(feeds, &*self.options).map_err(|error| self.failed(&error))?;
                Ok(Values(
                    outputs.into_iter().map(|(name, value)| (name.to_owned(), Arc::new(value))).collect(),
                ))
            }
            Device::Cuda(number) => self.run_bound(session, &feeds, number),
        })
    }

    fn run_bound(
        &self,
        session: &mut ort::session::Session,
        feeds: &[(&str, &DynValue)],
        number: u32,
    ) -> Result<Values> {
        let memory = MemoryInfo::new(
            AllocationDevice::CUDA,
            number as i32,
            AllocatorType::Device,
            MemoryType::Default,
        )
        .map_err(|error| self.failed(&error))?;
        let mut binding = session.create_binding().map_err(|error| self.failed(&error))?;
        for (name, value) in feeds {
            binding.bind_input(*name, *value).map_err(|error| self.failed(&error))?;
        }
        for port in &self.signature.outputs {
            binding
                .bind_output_to_device(port.name.as_str(), &memory)
                .map_err(|error| self.failed(&error))?;
        }
        let outputs =
            session.run_binding_with_options(&binding, &self.options).map_err(|error| self.failed(&error))?;
        Ok(Values(outputs.into_iter().map(|(name, value)| (name.to_owned(), Arc::new(value))).collect()))
    }

    fn with_session<T>(&self, run: impl FnOnce(&mut ort::session::Session) -> Result<T>) -> Result<T> {
        self.interrupt.check()?;
        // A panic while the lock was held left no state behind that could be wrong: ONNX Runtime owns all of it.
        let mut session = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        run(&mut session)
    }

    fn check(&self, port: &Port, tensor: &Tensor, symbols: &mut Symbols) -> Result<()> {
        let dims_fit = port.dims.as_ref().is_none_or(|dims| {
            dims.len() == tensor.shape().len()
                && dims.iter().zip(tensor.shape()).all(|(dim, &size)| match dim {
                    Dim::Fixed(expected) => *expected == size,
                    Dim::Symbol(symbol) => symbols.agree(symbol, size),
                    Dim::Any => true,
                })
        });
        if dims_fit && feeds(tensor.data(), port.element) {
            return Ok(());
        }
        let found = format!("{} {:?}", tensor.data().type_name(), tensor.shape()).replace(", ", ",");
        let bound = symbols.describe(port);
        Err(NodeError::model(format!(
            "model {}: input `{}`: expected {port}{bound}, found {found}",
            self.name, port.name
        )))
    }

    fn missing<'n>(&self, port: &Port, offered: impl Iterator<Item = &'n String>) -> NodeError {
        let offered: Vec<_> = offered.map(String::as_str).collect();
        NodeError::model(format!(
            "model {}: input `{}` ({port}) is missing, offered: {}",
            self.name,
            port.name,
            offered.join(", ")
        ))
    }

    fn failed(&self, error: &ort::Error) -> NodeError {
        if self.interrupt.check().is_err() {
            NodeError::cancelled()
        } else {
            let place = match self.device {
                Device::Cpu => format!("model {}", self.name),
                Device::Cuda(_) => format!("model {} on {}", self.name, self.device),
            };
            failed(place, error)
        }
    }
}

/// Sizes that symbols took in one run.
#[derive(Default)]
struct Symbols(BTreeMap<String, usize>);

impl Symbols {
    fn agree(&mut self, symbol: &str, size: usize) -> bool {
        match self.0.get(symbol) {
            Some(&known) => known == size,
            None => {
                self.0.insert(symbol.to_owned(), size);
                true
            }
        }
    }

    fn describe(&self, port: &Port) -> String {
        let bound: Vec<_> = port
            .dims
            .iter()
            .flatten()
            .filter_map(|dim| match dim {
                Dim::Symbol(symbol) => self.0.get(symbol).map(|size| format!("{symbol}={size}")),
                _ => None,
            })
            .collect();
        if bound.is_empty() { String::new() } else { format!(" with {}", bound.join(", ")) }
    }
}
