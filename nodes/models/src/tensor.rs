//! Named dense tensors, the payload of most artifacts.

use std::{collections::BTreeMap, sync::Arc};

use crate::error::{NodeError, Result};

/// Elements of a tensor, row-major. Cloning shares the memory.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData {
    /// 32-bit floats.
    F32(Arc<Vec<f32>>),
    /// 64-bit floats.
    F64(Arc<Vec<f64>>),
    /// Signed 64-bit integers.
    I64(Arc<Vec<i64>>),
    /// Bytes: pixels and class maps.
    U8(Arc<Vec<u8>>),
}

/// A dense row-major tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: TensorData,
}

macro_rules! constructor {
    ($name:ident, $getter:ident, $type:ty, $variant:ident, $word:literal) => {
        #[doc = concat!("A tensor of ", $word, "; fails when `shape` and the number of elements disagree.")]
        pub fn $name(shape: impl Into<Vec<usize>>, data: Vec<$type>) -> Result<Self> {
            let shape = shape.into();
            let expected: usize = shape.iter().product();
            if expected != data.len() {
                return Err(NodeError::input(format!(
                    "tensor of shape {shape:?} holds {expected} elements, found {}",
                    data.len()
                )));
            }
            Ok(Self { shape, data: TensorData::$variant(Arc::new(data)) })
        }

        #[doc = concat!("The elements as ", $word, "; fails for another element type.")]
        pub fn $getter(&self) -> Result<&[$type]> {
            match &self.data {
                TensorData::$variant(data) => Ok(data),
                other => Err(NodeError::input(format!(
                    "expected a tensor of {}, found {}",
                    $word,
                    other.type_name()
                ))),
            }
        }
    };
}

impl TensorData {
    /// How many bytes all elements take.
    pub fn bytes(&self) -> usize {
        match self {
            Self::F32(data) => std::mem::size_of_val(&data[..]),
            Self::F64(data) => std::mem::size_of_val(&data[..]),
            Self::I64(data) => std::mem::size_of_val(&data[..]),
            Self::U8(data) => data.len(),
        }
    }

    /// The element type in words.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
            Self::I64(_) => "i64",
            Self::U8(_) => "u8",
        }
    }
}

impl Tensor {
    constructor!(f32, as_f32, f32, F32, "f32");
    constructor!(f64, as_f64, f64, F64, "f64");
    constructor!(i64, as_i64, i64, I64, "i64");
    constructor!(u8, as_u8, u8, U8, "u8");

    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements.
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// Some rows of the first axis.
    ///
    /// # Errors
    /// A scalar, or rows that there are not.
    pub fn rows(&self, rows: std::ops::Range<usize>) -> Result<Self> {
        let Some((&count, inner)) = self.shape.split_first() else {
            return Err(NodeError::input("a scalar has no rows"));
        };
        if rows.start > rows.end || rows.end > count {
            return Err(NodeError::input(format!("rows {rows:?}: there are {count}")));
        }
        let size: usize = inner.iter().product();
        let shape = [&[rows.len()], inner].concat();
        let at = rows.start * size..rows.end * size;
        match &self.data {
            TensorData::F32(data) => Self::f32(shape, data[at].to_vec()),
            TensorData::F64(data) => Self::f64(shape, data[at].to_vec()),
            TensorData::I64(data) => Self::i64(shape, data[at].to_vec()),
            TensorData::U8(data) => Self::u8(shape, data[at].to_vec()),
        }
    }

    /// Tensors one after the other along the first axis.
    ///
    /// # Errors
    /// None at all, scalars, other sizes along other axes, other elements.
    pub fn joined(parts: &[Self]) -> Result<Self> {
        fn all<T: Copy>(parts: &[Tensor], of: impl Fn(&Tensor) -> Result<&[T]>) -> Result<Vec<T>> {
            let mut data = vec![];
            for part in parts {
                data.extend_from_slice(of(part)?);
            }
            Ok(data)
        }
        let Some((first, rest)) = parts.split_first() else {
            return Err(NodeError::input("no chunks"));
        };
        if rest.is_empty() {
            return Ok(first.clone());
        }
        let Some((_, inner)) = first.shape.split_first() else {
            return Err(NodeError::input("a scalar in every chunk"));
        };
        if let Some(other) = rest.iter().find(|part| part.shape.get(1..) != Some(inner)) {
            return Err(NodeError::input(format!("shapes {:?} and {:?}", first.shape, other.shape)));
        }
        let shape = [&[parts.iter().map(|part| part.shape[0]).sum()], inner].concat();
        match &first.data {
            TensorData::F32(_) => Self::f32(shape, all(parts, Self::as_f32)?),
            TensorData::F64(_) => Self::f64(shape, all(parts, Self::as_f64)?),
            TensorData::I64(_) => Self::i64(shape, all(parts, Self::as_i64)?),
            TensorData::U8(_) => Self::u8(shape, all(parts, Self::as_u8)?),
        }
    }

    /// The same elements under another shape of equal size.
    pub fn reshape(self, shape: impl Into<Vec<usize>>) -> Result<Self> {
        let shape = shape.into();
        let (from, to): (usize, usize) = (self.shape.iter().product(), shape.iter().product());
        if from != to {
            return Err(NodeError::input(format!("cannot reshape {:?} to {shape:?}", self.shape)));
        }
        Ok(Self { shape, data: self.data })
    }
}

/// Tensors by name, in name order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(pub BTreeMap<String, Tensor>);

impl Tensors {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same set with one more tensor.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, tensor: Tensor) -> Self {
        self.0.insert(name.into(), tensor);
        self
    }

    /// The tensor called `name`; fails when it is missing.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.0.get(name).ok_or_else(|| {
            let known: Vec<_> = self.0.keys().map(String::as_str).collect();
            NodeError::input(format!("tensor `{name}` is missing, found: {}", known.join(", ")))
        })
    }
}
