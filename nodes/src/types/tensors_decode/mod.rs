//! A safetensors file as tensors.

#[cfg(test)]
mod tests;

use std::fs;

use talkgraph_models::safetensors;

use crate::{
    artifact::{ArtifactType, Value},
    body::{Body, Context, Emit, Inputs, NodeType, ValueBody},
    contract::{Arity, Contract, Pool, Time},
    error::{NodeError, Result},
    media::Told,
    params::Params,
    sniff,
};

/// The node type `tensors_decode`.
pub(crate) struct TensorsDecode(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> TensorsDecode {
    TensorsDecode(
        Contract::new("tensors_decode", 1, Time::Value, Pool::Io, "reads a safetensors file")
            .doc(
                "Elements of float32, float64, int64 and uint8 are taken as they are; float16 and bfloat16 become \
                 float32, smaller integers int64, booleans uint8.",
            )
            .input("file", ArtifactType::File, Arity::Value, "the safetensors file")
            .output("tensors", ArtifactType::Tensors, "its tensors by name")
            .decodes(ArtifactType::Tensors),
    )
}

impl NodeType for TensorsDecode {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn body(&self, _: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(Decode)))
    }
}

struct Decode;

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, _: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let path = &inputs.file("file")?.path;
        let name = sniff::name(path);
        if path.is_dir() {
            return Err(NodeError::input(format!("{name}: expected a safetensors file, found a folder")));
        }
        let bytes = fs::read(path).map_err(|error| sniff::unreadable(path, error)).told()?;
        let tensors = safetensors::decode(&bytes).map_err(|error| {
            let message = match sniff::describe(&bytes[..bytes.len().min(512)]).as_str() {
                "unknown bytes" => format!("{name}: {error}"),
                found => format!("{name}: expected a safetensors file, found {found}"),
            };
            NodeError::input(message).caused_by(error)
        })?;
        if tensors.0.is_empty() {
            return Err(NodeError::input(format!("{name}: holds no tensors")));
        }
        out.value("tensors", Value::Tensors(tensors))
    }
}
