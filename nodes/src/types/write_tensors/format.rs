//! NumPy's .npy and JSON.

use serde_json::{Map, Value};

use talkgraph_models::safetensors;

use crate::{
    error::{NodeError, Result},
    tensor::{Tensor, TensorData, Tensors},
};

/// The header of an .npy file is padded to a multiple of this.
const ALIGN: usize = 64;

/// One tensor in NumPy's format, version 1.0.
pub(super) fn npy(tensor: &Tensor) -> Vec<u8> {
    let dtype = match tensor.data() {
        TensorData::F32(_) => "<f4",
        TensorData::F64(_) => "<f8",
        TensorData::I64(_) => "<i8",
        TensorData::U8(_) => "|u1",
    };
    let shape: String = tensor.shape().iter().map(|n| format!("{n}, ")).collect();
    let mut header =
        format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // Ten bytes stand before the header, a line feed ends it.
    let length = (10 + header.len() + 1).next_multiple_of(ALIGN) - 10;
    header.push_str(&" ".repeat(length - 1 - header.len()));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(safetensors::bytes(tensor.data()));
    bytes
}

/// All tensors by name as nested lists.
pub(super) fn json(tensors: &Tensors) -> Result<Vec<u8>> {
    let map: Map<String, Value> =
        tensors.0.iter().map(|(name, tensor)| (name.clone(), lists(tensor))).collect();
    serde_json::to_vec(&map)
        .map_err(|error| NodeError::input("tensors: cannot be written as JSON").caused_by(error))
}

fn lists(tensor: &Tensor) -> Value {
    match tensor.data() {
        // The shortest decimal that reads back as the same f32, not the longer one of its f64.
        TensorData::F32(data) => nest(tensor.shape(), data, &|&x: &f32| {
            x.to_string().parse::<f64>().map_or(Value::Null, Value::from)
        }),
        TensorData::F64(data) => nest(tensor.shape(), data, &|&x: &f64| Value::from(x)),
        TensorData::I64(data) => nest(tensor.shape(), data, &|&x: &i64| Value::from(x)),
        TensorData::U8(data) => nest(tensor.shape(), data, &|&x: &u8| Value::from(x)),
    }
}

fn nest<T>(shape: &[usize], data: &[T], leaf: &dyn Fn(&T) -> Value) -> Value {
    match shape.split_first() {
        None => data.first().map_or(Value::Null, leaf),
        Some((&n, inner)) => {
            let size: usize = inner.iter().product();
            Value::Array((0..n).map(|i| nest(inner, &data[i * size..][..size], leaf)).collect())
        }
    }
}
