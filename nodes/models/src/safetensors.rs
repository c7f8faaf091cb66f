//! Tensors as safetensors. Written in name order within an element type, floats that half precision holds exactly in half
//! precision; read with every element type that fits one of ours without loss.

use std::{borrow::Cow, sync::Arc};

use half::{bf16, f16, slice::HalfFloatSliceExt};
use safetensors::{Dtype, SafeTensors, View};

use crate::{
    error::{NodeError, Result},
    tensor::{Tensor, TensorData, Tensors},
};

#[cfg(not(target_endian = "little"))]
compile_error!("tensors are written as they lie in memory, which must be little-endian");

/// The one name that the format keeps for itself.
const RESERVED: &str = "__metadata__";

struct Borrowed<'a> {
    tensor: &'a Tensor,
    /// The elements in half precision, where that is exact.
    half: Option<Vec<u8>>,
}

impl<'a> Borrowed<'a> {
    fn new(tensor: &'a Tensor) -> Self {
        let half = match tensor.data() {
            TensorData::F32(data) => halves(data),
            _ => None,
        };
        Self { tensor, half }
    }
}

/// Little-endian half precision of `numbers`, if it holds them all exactly. Few numbers are not worth it.
fn halves(numbers: &[f32]) -> Option<Vec<u8>> {
    const PART: usize = 4096;
    if numbers.len() < PART {
        return None;
    }
    let mut bytes = Vec::with_capacity(2 * numbers.len());
    let (mut half, mut back) = ([f16::ZERO; PART], [0.0; PART]);
    for part in numbers.chunks(PART) {
        let (half, back) = (&mut half[..part.len()], &mut back[..part.len()]);
        half.convert_from_f32_slice(part);
        half.convert_to_f32_slice(back);
        // By bits: a negative zero and the payload of what is no number are kept as well.
        if part.iter().zip(&*back).any(|(a, b)| a.to_bits() != b.to_bits()) {
            return None;
        }
        bytes.extend(half.iter().flat_map(|x| x.to_le_bytes()));
    }
    Some(bytes)
}

impl View for Borrowed<'_> {
    fn dtype(&self) -> Dtype {
        match self.tensor.data() {
            TensorData::F32(_) if self.half.is_some() => Dtype::F16,
            TensorData::F32(_) => Dtype::F32,
            TensorData::F64(_) => Dtype::F64,
            TensorData::I64(_) => Dtype::I64,
            TensorData::U8(_) => Dtype::U8,
        }
    }

    fn shape(&self) -> &[usize] {
        self.tensor.shape()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.half.as_deref().unwrap_or_else(|| bytes(self.tensor.data())))
    }

    fn data_len(&self) -> usize {
        self.half.as_deref().unwrap_or_else(|| bytes(self.tensor.data())).len()
    }
}

/// The elements as they lie in memory.
pub fn bytes(data: &TensorData) -> &[u8] {
    match data {
        TensorData::F32(data) => bytemuck::cast_slice(data),
        TensorData::F64(data) => bytemuck::cast_slice(data),
        TensorData::I64(data) => bytemuck::cast_slice(data),
        TensorData::U8(data) => data,
    }
}

/// The tensors as a safetensors file; equal tensors give equal bytes.
pub fn encode(tensors: &Tensors) -> Result<Vec<u8>> {
    if tensors.0.contains_key(RESERVED) {
        return Err(NodeError::input(format!("tensor `{RESERVED}`: the name is reserved by safetensors")));
    }
    safetensors::serialize(tensors.0.iter().map(|(name, tensor)| (name, Borrowed::new(tensor))), None)
        .map_err(|error| NodeError::input("tensors: cannot be written as safetensors").caused_by(error))
}

/// The tensors of a safetensors file. Fails on a damaged file and on elements that no type of ours holds without loss.
pub fn decode(bytes: &[u8]) -> Result<Tensors> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| NodeError::input("not a safetensors file").caused_by(error))?;
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        let data = elements(view.dtype(), view.data()).ok_or_else(|| {
            NodeError::input(format!("tensor `{name}`: element type {} is not supported", view.dtype()))
                .hint("convert it to float32, float64, int64 or uint8")
        })?;
        let shape = view.shape().to_vec();
        let tensor = match data {
            TensorData::F32(data) => Tensor::f32(shape, Arc::unwrap_or_clone(data)),
            TensorData::F64(data) => Tensor::f64(shape, Arc::unwrap_or_clone(data)),
            TensorData::I64(data) => Tensor::i64(shape, Arc::unwrap_or_clone(data)),
            TensorData::U8(data) => Tensor::u8(shape, Arc::unwrap_or_clone(data)),
        }?;
        tensors.0.insert(name.to_owned(), tensor);
    }
    Ok(tensors)
}

/// Reads little-endian elements; smaller types widen to the next one that holds them exactly.
fn elements(dtype: Dtype, bytes: &[u8]) -> Option<TensorData> {
    fn read<const N: usize, T, U>(bytes: &[u8], from: fn([u8; N]) -> T, to: impl Fn(T) -> U) -> Arc<Vec<U>> {
        let (elements, _) = bytes.as_chunks::<N>();
        Arc::new(elements.iter().map(|&element| to(from(element))).collect())
    }
    Some(match dtype {
        Dtype::F32 => TensorData::F32(read(bytes, f32::from_le_bytes, |x| x)),
        Dtype::F16 => TensorData::F32(read(bytes, f16::from_le_bytes, f32::from)),
        Dtype::BF16 => TensorData::F32(read(bytes, bf16::from_le_bytes, f32::from)),
        Dtype::F64 => TensorData::F64(read(bytes, f64::from_le_bytes, |x| x)),
        Dtype::I64 => TensorData::I64(read(bytes, i64::from_le_bytes, |x| x)),
        Dtype::I32 => TensorData::I64(read(bytes, i32::from_le_bytes, i64::from)),
        Dtype::U32 => TensorData::I64(read(bytes, u32::from_le_bytes, i64::from)),
        Dtype::I16 => TensorData::I64(read(bytes, i16::from_le_bytes, i64::from)),
        Dtype::U16 => TensorData::I64(read(bytes, u16::from_le_bytes, i64::from)),
        Dtype::I8 => TensorData::I64(read(bytes, i8::from_le_bytes, i64::from)),
        Dtype::U8 | Dtype::BOOL => TensorData::U8(Arc::new(bytes.to_vec())),
        _ => return None,
    })
}
