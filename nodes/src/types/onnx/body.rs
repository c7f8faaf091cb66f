use std::path::PathBuf;

use super::port_name;
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    file::ModelFile,
    tensor::{Tensor, Tensors},
};

pub(super) struct Run {
    pub(super) path: PathBuf,
}

impl ValueBody for Run {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let session = ctx.models.runtime()?.session(&ModelFile::at(&self.path)?)?;
        let mut offered = Tensors::new();
        for port in &session.signature().inputs {
            let name = port_name(&port.name);
            let tensor = pick(inputs.tensors(&name)?, &port.name).map_err(|error| error.at_port(&name))?;
            offered.0.insert(port.name.clone(), tensor.clone());
        }
        for (name, tensor) in session.run(&offered)?.0 {
            out.value(&port_name(&name), Value::Tensors(Tensors::new().with(name, tensor)))?;
        }
        Ok(())
    }
}

/// The tensor called `name`, or the only one.
pub(super) fn pick<'a>(tensors: &'a Tensors, name: &str) -> Result<&'a Tensor> {
    let mut all = tensors.0.values();
    match (tensors.0.get(name), all.next(), all.next()) {
        (Some(tensor), ..) | (None, Some(tensor), None) => Ok(tensor),
        _ => {
            let known: Vec<_> = tensors.0.keys().map(String::as_str).collect();
            Err(NodeError::input(format!(
                "expected a tensor `{name}` or a single one, found: {}",
                known.join(", ")
            )))
        }
    }
}
