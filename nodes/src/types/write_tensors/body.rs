use std::{collections::BTreeMap, fs};

use super::{format, window};
use talkgraph_models::safetensors;

use crate::{
    artifact::{FileRef, Value},
    body::{Context, Emit, Inputs, Sequence, ValueBody},
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
};

pub(super) struct Write {
    pub(super) format: String,
    pub(super) tensor: String,
}

impl ValueBody for Write {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let mut tensors = if inputs.has("sequence") {
            joined(&**inputs.sequence("sequence")?)?
        } else {
            inputs.tensors("tensors")?.clone()
        };
        if !self.tensor.is_empty() {
            let one = tensors.get(&self.tensor)?.clone();
            tensors = Tensors::new().with(&self.tensor, one);
        }
        let bytes = match self.format.as_str() {
            "json" => format::json(&tensors)?,
            "npy" => format::npy(only(&tensors)?),
            _ => safetensors::encode(&tensors)?,
        };
        let path = ctx.host.scratch().join(format!("tensors.{}", self.format));
        fs::write(&path, bytes).map_err(|error| {
            NodeError::io(format!("{}: cannot be written", path.display())).caused_by(error)
        })?;
        out.value("file", Value::File(FileRef { path, digest: None }))
    }
}

fn only(tensors: &Tensors) -> Result<&Tensor> {
    let names: Vec<_> = tensors.0.keys().map(String::as_str).collect();
    match tensors.0.values().next() {
        Some(one) if names.len() == 1 => Ok(one),
        _ => Err(NodeError::input(format!(
            "npy holds one tensor, found {}: {}",
            names.len(),
            names.join(", ")
        ))
        .hint("name one with the parameter `tensor`")),
    }
}

/// The tensors of all chunks, each joined along the first axis. Chunks that are windows of larger tensors become one window around all.
fn joined(sequence: &dyn Sequence) -> Result<Tensors> {
    let chunks: Vec<Tensors> =
        (0..sequence.len()).map(|k| Ok(sequence.chunk(k)?.tensors()?.clone())).collect::<Result<_>>()?;
    let chunks = if chunks.iter().any(|chunk| chunk.0.contains_key(window::CORNER)) {
        window::whole(chunks)?
    } else {
        chunks
    };
    let mut parts: BTreeMap<String, Vec<Tensor>> = BTreeMap::new();
    for chunk in chunks {
        for (name, tensor) in chunk.0 {
            parts.entry(name).or_default().push(tensor);
        }
    }
    let mut tensors = Tensors::new();
    for (name, mut parts) in parts {
        // What is around all frames, and where the window is, stands once.
        if name == window::CORNER || name == window::CANVAS {
            parts.truncate(1);
        }
        let tensor = Tensor::joined(&parts).map_err(|error| {
            NodeError::input(format!("tensor `{name}`: its chunks cannot be joined")).caused_by(error)
        })?;
        tensors.0.insert(name, tensor);
    }
    Ok(tensors)
}
