use std::{collections::BTreeMap, fs};

use super::format;
use talkgraph_models::safetensors;

use crate::{
    artifact::{FileRef, Value},
    body::{Context, Emit, Inputs, Sequence, ValueBody},
    error::{NodeError, Result},
    tensor::{Tensor, TensorData, Tensors},
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

/// The tensors of all chunks, each joined along the first axis.
fn joined(sequence: &dyn Sequence) -> Result<Tensors> {
    let mut parts: BTreeMap<String, Vec<Tensor>> = BTreeMap::new();
    for k in 0..sequence.len() {
        for (name, tensor) in &sequence.chunk(k)?.tensors()?.0 {
            parts.entry(name.clone()).or_default().push(tensor.clone());
        }
    }
    let mut tensors = Tensors::new();
    for (name, parts) in parts {
        let tensor = join(&parts).map_err(|error| {
            NodeError::input(format!("tensor `{name}`: its chunks cannot be joined")).caused_by(error)
        })?;
        tensors.0.insert(name, tensor);
    }
    Ok(tensors)
}

fn join(parts: &[Tensor]) -> Result<Tensor> {
    let Some((first, rest)) = parts.split_first() else {
        return Err(NodeError::input("no chunks"));
    };
    if rest.is_empty() {
        return Ok(first.clone());
    }
    let Some((_, inner)) = first.shape().split_first() else {
        return Err(NodeError::input("a scalar in every chunk"));
    };
    if let Some(other) = rest.iter().find(|part| part.shape().get(1..) != Some(inner)) {
        return Err(NodeError::input(format!("shapes {:?} and {:?}", first.shape(), other.shape())));
    }
    let shape = [&[parts.iter().map(|part| part.shape()[0]).sum()], inner].concat();
    match first.data() {
        TensorData::F32(_) => Tensor::f32(shape, all(parts, Tensor::as_f32)?),
        TensorData::F64(_) => Tensor::f64(shape, all(parts, Tensor::as_f64)?),
        TensorData::I64(_) => Tensor::i64(shape, all(parts, Tensor::as_i64)?),
        TensorData::U8(_) => Tensor::u8(shape, all(parts, Tensor::as_u8)?),
    }
}

fn all<T: Copy>(parts: &[Tensor], of: impl Fn(&Tensor) -> Result<&[T]>) -> Result<Vec<T>> {
    let mut data = vec![];
    for part in parts {
        data.extend_from_slice(of(part)?);
    }
    Ok(data)
}
