//! Tensors that live in ONNX Runtime, and their exchange with [`Tensors`].

use std::{collections::BTreeMap, sync::Arc};

use half::f16;
use ort::{
    memory::AllocationDevice,
    value::{DynValue, Tensor as OrtTensor, TensorElementType, TensorRef},
};

use super::{copies, failed};
use crate::{
    error::{NodeError, Result},
    onnx::{Element, Port},
    tensor::{Tensor, TensorData, Tensors},
};

/// Named tensors in ONNX Runtime's memory, on whichever device made them. Cloning shares them. For loops whose state
/// should not travel between the runtime and the program at every turn. Made by
/// [`Runtime::values`](super::Runtime::values) and [`Session::run_values`](super::Session::run_values).
#[derive(Clone, Default)]
pub struct Values(pub(super) BTreeMap<String, Arc<DynValue>>);

impl Values {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is a value called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds all of `others`; values of the same name are replaced.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Gives the value called `from` the name `to`, replacing what had it; fails when it is missing.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let value = self.0.remove(from).ok_or_else(|| self.missing(from))?;
        self.0.insert(to.to_owned(), value);
        Ok(())
    }

    /// Drops the value called `name`, if there is one.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// A copy of the value called `name`.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let value = self.0.get(name).ok_or_else(|| self.missing(name))?;
        from_value(name, value)
    }

    /// Each of a batch on its own: of values [n,…] of floats, n times their rows as [1,…].
    pub fn rows(&self) -> Result<Vec<Self>> {
        let mut rows: Vec<Self> = vec![];
        for (name, value) in &self.0 {
            let tensor;
            let (shape, data) = match value.try_extract_tensor::<f32>() {
                Ok((shape, data)) => (shape.to_vec(), data),
                // On a device, or of other elements.
                Err(_) => {
                    tensor = from_value(name, value)?;
                    (tensor.shape().iter().map(|&size| size as i64).collect(), tensor.as_f32()?)
                }
            };
            let count = shape.first().map_or(0, |&count| count.max(0) as usize);
            if rows.is_empty() {
                rows.resize(count, Self::new());
            }
            if count == 0 || rows.len() != count {
                return Err(NodeError::model(format!(
                    "value `{name}`: {count} rows, expected {}",
                    rows.len()
                )));
            }
            let one: Vec<i64> = std::iter::once(1).chain(shape[1..].iter().copied()).collect();
            for (row, part) in rows.iter_mut().zip(data.chunks_exact(data.len() / count)) {
                let part = OrtTensor::from_array((one.clone(), part.to_vec()))
                    .map_err(|error| failed(format!("value `{name}`"), &error))?;
                row.0.insert(name.clone(), Arc::new(part.into_dyn()));
            }
        }
        Ok(rows)
    }

    /// The single float called `name`.
    pub fn scalar(&self, name: &str) -> Result<f32> {
        let tensor = self.tensor(name)?;
        match tensor.as_f32()? {
            [value] => Ok(*value),
            other => Err(NodeError::model(format!("`{name}`: expected one number, found {}", other.len()))),
        }
    }

    /// A copy of everything.
    pub fn tensors(&self) -> Result<Tensors> {
        self.0
            .iter()
            .map(|(name, value)| Ok((name.clone(), from_value(name, value)?)))
            .collect::<Result<_>>()
            .map(Tensors)
    }

    /// The same on a CUDA device; what is there already stays as it is.
    pub(super) fn on_cuda(self, number: u32) -> Result<Self> {
        let moved = self.0.into_iter().map(|(name, value)| {
            let broken = |error: ort::Error| failed(format!("value `{name}`"), &error);
            let tensor = value.view().downcast::<ort::value::DynTensorValueType>().map_err(broken)?;
            if tensor.memory_info().allocation_device() == AllocationDevice::CUDA {
                return Ok((name, value.clone()));
            }
            let there = tensor.to(AllocationDevice::CUDA, number as i32).map_err(broken)?;
            Ok((name, Arc::new(there.into_dyn())))
        });
        moved.collect::<Result<_>>().map(Self)
    }

    fn missing(&self, name: &str) -> NodeError {
        let known: Vec<_> = self.names().collect();
        NodeError::model(format!("value `{name}` is missing, found: {}", known.join(", ")))
    }
}

/// A value of its own memory with the element type that `tensor` has.
pub(super) fn to_value(name: &str, tensor: &Tensor) -> Result<DynValue> {
    copies::given(tensor.data().bytes());
    let shape = tensor.shape().to_vec();
    let value = match tensor.data() {
        TensorData::F32(data) => OrtTensor::from_array((shape, data.to_vec())).map(|value| value.into_dyn()),
        TensorData::F64(data) => OrtTensor::from_array((shape, data.to_vec())).map(|value| value.into_dyn()),
        TensorData::I64(data) => OrtTensor::from_array((shape, data.to_vec())).map(|value| value.into_dyn()),
        TensorData::U8(data) => OrtTensor::from_array((shape, data.to_vec())).map(|value| value.into_dyn()),
    };
    value.map_err(|error| failed(format!("tensor `{name}`"), &error))
}

/// An input of a run: borrowed where the element types agree, converted where the model wants a narrower one.
pub(super) enum Feed<'a> {
    Borrowed(ort::session::SessionInputValue<'a>),
    Owned(DynValue),
}

/// `tensor` as the model's `port` wants it. Element types must have been checked.
pub(super) fn feed<'a>(port: &Port, tensor: &'a Tensor) -> Result<Feed<'a>> {
    copies::given(tensor.data().bytes());
    let shape = tensor.shape().to_vec();
    let broken = |error: ort::Error| failed(format!("input `{}`", port.name), &error);
    Ok(match (tensor.data(), port.element) {
        (TensorData::F32(data), Element::F16) => {
            let data: Vec<f16> = data.iter().map(|&value| f16::from_f32(value)).collect();
            Feed::Owned(OrtTensor::from_array((shape, data)).map_err(broken)?.into_dyn())
        }
        (TensorData::I64(data), Element::I32) => {
            let data: Option<Vec<i32>> = data.iter().map(|&value| i32::try_from(value).ok()).collect();
            let data = data.ok_or_else(|| {
                NodeError::input(format!("input `{}`: a number exceeds 32 bits", port.name))
            })?;
            Feed::Owned(OrtTensor::from_array((shape, data)).map_err(broken)?.into_dyn())
        }
        (TensorData::U8(data), Element::Bool) => {
            let data: Vec<bool> = data.iter().map(|&value| value != 0).collect();
            Feed::Owned(OrtTensor::from_array((shape, data)).map_err(broken)?.into_dyn())
        }
        (TensorData::F32(data), _) => {
            Feed::Borrowed(TensorRef::from_array_view((shape, &data[..])).map_err(broken)?.into())
        }
        (TensorData::F64(data), _) => {
            Feed::Borrowed(TensorRef::from_array_view((shape, &data[..])).map_err(broken)?.into())
        }
        (TensorData::I64(data), _) => {
            Feed::Borrowed(TensorRef::from_array_view((shape, &data[..])).map_err(broken)?.into())
        }
        (TensorData::U8(data), _) => {
            Feed::Borrowed(TensorRef::from_array_view((shape, &data[..])).map_err(broken)?.into())
        }
    })
}

/// Whether a tensor of this kind can be fed to a port of `element`.
pub(super) fn feeds(data: &TensorData, element: Element) -> bool {
    matches!(
        (data, element),
        (TensorData::F32(_), Element::F32 | Element::F16)
            | (TensorData::F64(_), Element::F64)
            | (TensorData::I64(_), Element::I64 | Element::I32)
            | (TensorData::U8(_), Element::U8 | Element::Bool)
    )
}

/// A copy of `value` on the program's side; element types that [`Tensor`] lacks are widened.
pub(super) fn from_value(name: &str, value: &DynValue) -> Result<Tensor> {
    let broken = |error: ort::Error| failed(format!("output `{name}`"), &error);
    let kind = value
        .dtype()
        .tensor_type()
        .ok_or_else(|| NodeError::model(format!("output `{name}`: not a tensor")))?;
    let tensor = value.view().downcast::<ort::value::DynTensorValueType>().map_err(broken)?;
    if tensor.memory_info().allocation_device() != AllocationDevice::CPU {
        let copy = tensor.to(AllocationDevice::CPU, 0).map_err(broken)?;
        return from_value(name, &copy.into_dyn());
    }
    macro_rules! copy {
        ($type:ty, $make:ident, $convert:expr) => {{
            let (shape, data) = value.try_extract_tensor::<$type>().map_err(broken)?;
            copies::taken(std::mem::size_of_val(data));
            let shape: Vec<usize> = shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
            Tensor::$make(shape, data.iter().copied().map($convert).collect())
        }};
    }
    match kind {
        TensorElementType::Float32 => copy!(f32, f32, |value| value),
        TensorElementType::Float64 => copy!(f64, f64, |value| value),
        TensorElementType::Float16 => copy!(f16, f32, f16::to_f32),
        TensorElementType::Int64 => copy!(i64, i64, |value| value),
        TensorElementType::Int32 => copy!(i32, i64, i64::from),
        TensorElementType::Uint8 => copy!(u8, u8, |value| value),
        TensorElementType::Bool => copy!(bool, u8, u8::from),
        other => {
            Err(NodeError::model(format!("output `{name}`: elements of type {other} are not supported")))
        }
    }
}
