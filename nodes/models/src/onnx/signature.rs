//! What an ONNX file takes and gives, read from the file without ONNX Runtime.
//!
//! Only the graph's inputs and outputs and the names of its weights are decoded (protobuf wire format, field numbers of
//! `onnx.proto3`); everything else is skipped by its length, so a file of any size is read in well under a millisecond.

use std::{collections::BTreeSet, fmt, fs::File, path::Path};

use super::wire::{Payload, fields, message, number, text};
use crate::error::{NodeError, Result};

/// The element type of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 16-bit float.
    F16,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
    /// Byte.
    U8,
    /// Truth value.
    Bool,
    /// Any other, by its number in `onnx.proto3`.
    Other(u64),
}

/// One size of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// Always this.
    Fixed(usize),
    /// The same wherever this symbol stands.
    Symbol(String),
    /// Anything.
    Any,
}

/// A named tensor of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in the model.
    pub name: String,
    /// Element type.
    pub element: Element,
    /// Sizes; `None`: any rank.
    pub dims: Option<Vec<Dim>>,
}

/// Inputs and outputs of a model, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// What must be fed. Weights that old files list as inputs are left out.
    pub inputs: Vec<Port>,
    /// What comes out.
    pub outputs: Vec<Port>,
}

impl Signature {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self> {
        let unreadable =
            |error| NodeError::io(format!("{}: cannot be read", path.display())).caused_by(error);
        let file = File::open(path).map_err(unreadable)?;
        // SAFETY: the map is dropped before this function ends. Model files are written by rename, never in place.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(unreadable)?;
        Self::parse(&map).ok_or_else(|| NodeError::model(format!("{}: not an ONNX file", path.display())))
    }

    /// Reads a serialised `ModelProto`; `None` when it is not one.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let graph = fields(bytes).find_map(|field| match field {
            Some((7, Payload::Bytes(graph))) => Some(Some(graph)),
            Some(_) => None,
            None => Some(None),
        })??;
        let mut signature = Self::default();
        let mut weights = BTreeSet::new();
        for field in fields(graph) {
            match field? {
                (5, Payload::Bytes(tensor)) => weights.insert(text(tensor, 8)?),
                (11, Payload::Bytes(value)) => {
                    signature.inputs.push(port(value)?);
                    true
                }
                (12, Payload::Bytes(value)) => {
                    signature.outputs.push(port(value)?);
                    true
                }
                _ => true,
            };
        }
        signature.inputs.retain(|input| !weights.contains(&input.name));
        (!signature.outputs.is_empty()).then_some(signature)
    }

    /// The input called `name`.
    pub fn input(&self, name: &str) -> Option<&Port> {
        self.inputs.iter().find(|port| port.name == name)
    }

    /// The output called `name`.
    pub fn output(&self, name: &str) -> Option<&Port> {
        self.outputs.iter().find(|port| port.name == name)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::F16 => "f16",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::U8 => "u8",
            Self::Bool => "bool",
            Self::Other(number) => return write!(f, "ONNX type {number}"),
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.element)?;
        let Some(dims) = &self.dims else { return f.write_str("[…]") };
        let dims: Vec<_> = dims
            .iter()
            .map(|dim| match dim {
                Dim::Fixed(size) => size.to_string(),
                Dim::Symbol(symbol) => symbol.clone(),
                Dim::Any => "?".into(),
            })
            .collect();
        write!(f, "[{}]", dims.join(","))
    }
}

/// A `ValueInfoProto`.
fn port(value: &[u8]) -> Option<Port> {
    let name = text(value, 1)?;
    // Sequences, maps and optionals have another field than 1 here; they are told as an unknown element type.
    let Some(tensor) = message(message(value, 2)?.unwrap_or_default(), 1)? else {
        return Some(Port { name, element: Element::Other(0), dims: None });
    };
    let element = match number(tensor, 1)?.unwrap_or(0) {
        1 => Element::F32,
        2 => Element::U8,
        6 => Element::I32,
        7 => Element::I64,
        9 => Element::Bool,
        10 => Element::F16,
        11 => Element::F64,
        other => Element::Other(other),
    };
    let dims = match message(tensor, 2)? {
        Some(shape) => Some(fields(shape).map(|field| dim(field?)).collect::<Option<Vec<_>>>()?),
        None => None,
    };
    Some(Port { name, element, dims })
}

/// A `Dimension` of a `TensorShapeProto`.
fn dim(field: (u64, Payload<'_>)) -> Option<Dim> {
    let (1, Payload::Bytes(dim)) = field else { return None };
    if let Some(size) = number(dim, 1)? {
        return Some(Dim::Fixed(usize::try_from(size).ok()?));
    }
    let symbol = text(dim, 2)?;
    Some(if symbol.is_empty() { Dim::Any } else { Dim::Symbol(symbol) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u64, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![(number << 3 | 2) as u8, payload.len() as u8];
        bytes.extend_from_slice(payload);
        bytes
    }

    fn value(name: &str, dims: &[Vec<u8>]) -> Vec<u8> {
        let shape: Vec<u8> = dims.iter().flat_map(|dim| field(1, dim)).collect();
        let tensor = [vec![8, 1], field(2, &shape)].concat();
        [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
    }

    #[test]
    fn reads_names_types_and_sizes_and_leaves_weights_out() {
        let graph = [
            field(5, &field(8, b"weight")),
            field(11, &value("image", &[field(2, b"n"), vec![8, 3]])),
            field(11, &value("weight", &[vec![8, 3]])),
            field(12, &value("out", &[vec![]])),
        ]
        .concat();
        let signature = Signature::parse(&[vec![8, 10], field(7, &graph)].concat()).unwrap();
        assert_eq!(signature.inputs.len(), 1);
        assert_eq!(signature.inputs[0].to_string(), "f32 [n,3]");
        assert_eq!(signature.output("out").unwrap().to_string(), "f32 [?]");
    }

    proptest! {
        #[test]
        fn never_panics_on_other_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Signature::parse(&bytes);
        }
    }
}
