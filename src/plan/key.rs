//! Keys: exactly what determines a unit's outputs. `docs/cache-key.md` tables the fields.

use std::{path::Path, sync::Arc};

use talkgraph_cache::{Digest, Fingerprint, Key, KeyBuilder, Store};
use talkgraph_nodes::{
    body::NodeType,
    contract::{Arity, ParamKind, ParamValue, Pool, Time},
    error::NodeError,
    models::Models,
    onnx::unchecked,
};

use super::board::{Board, Feed, NodeState};
use super::unit::UnitRef;
use crate::graph::Node;

/// Names and values, in any order.
pub type Fields = Vec<(String, String)>;

/// Raised whenever the meaning of a field changes.
const ENCODING: u32 = 1;

/// The fields of a node's keys that do not depend on its inputs, and the files among its parameters.
pub fn fixed_fields(
    node: &Node,
    ty: &dyn NodeType,
    models: &Models,
    store: &Store,
    folder: &Path,
) -> Result<(Fields, Vec<Arc<Fingerprint>>), NodeError> {
    let mut files = vec![];
    let mut fields = vec![
        ("type".to_owned(), node.contract.name.to_string()),
        ("version".to_owned(), node.contract.version.to_string()),
    ];
    for param in &node.contract.params {
        let Some(value) = node.params.0.get(param.name.as_ref()) else { continue };
        let text = match (&param.kind, value) {
            (ParamKind::File, ParamValue::Text(path)) if !path.is_empty() => {
                let path = folder.join(path);
                let file = store.fingerprint(&path, Some(unchecked)).map_err(|error| {
                    NodeError::io(format!("parameter `{}`: {}: cannot be read", param.name, path.display()))
                        .caused_by(error)
                })?;
                let digest = file.digest().to_string();
                files.push(Arc::new(file));
                digest
            }
            (_, value) => param_text(value),
        };
        fields.push((format!("param.{}", param.name), text));
    }
    let roles = ty.roles(&node.params, models)?;
    for role in &roles {
        fields.push((format!("model.{role}"), models.pack()?.model(role)?.digest.to_string()));
    }
    if !roles.is_empty() || node.contract.pool == Pool::Model {
        let numerics = models.numerics(&roles)?;
        fields.push(("numerics.provider".into(), numerics.provider));
        fields.push(("numerics.precision".into(), numerics.precision.to_string()));
        fields.push(("numerics.onnxruntime".into(), numerics.runtime));
    }
    for (name, value) in ty.facts() {
        fields.push((format!("fact.{name}"), value));
    }
    Ok((fields, files))
}

/// A parameter's value, so that equal numbers give equal texts and a text never looks like a number.
fn param_text(value: &ParamValue) -> String {
    match value {
        ParamValue::Bool(value) => value.to_string(),
        ParamValue::Int(value) => value.to_string(),
        // A whole number given for a real parameter means the same number.
        ParamValue::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        ParamValue::Float(value) => format!("{value:?}"),
        ParamValue::Text(value) => format!("\"{value}\""),
    }
}

/// Digest that stands for an output that is not stored: it follows from the action instead of the content.
pub fn derived(key: &Digest, port: &str, index: usize) -> Digest {
    let mut builder = KeyBuilder::new("talkgraph-unstored", ENCODING);
    builder.field("action", key).field("port", port).field("index", index);
    builder.finish().digest
}

/// Digest of a sequence: of the list of its chunks.
pub fn list_digest<'a>(chunks: impl Iterator<Item = &'a Digest>) -> Digest {
    let mut bytes = b"talkgraph-sequence 1\n".to_vec();
    for chunk in chunks {
        bytes.extend_from_slice(chunk.as_bytes());
    }
    Digest::of(&bytes)
}

impl Board<'_> {
    /// The key of a unit, once everything that enters it is known.
    pub(super) fn key_of(&self, unit: UnitRef) -> Option<Key> {
        let (ix, k) = unit;
        let node = &self.nodes[ix];
        let mut builder = KeyBuilder::new("talkgraph-action", ENCODING);
        for port in &node.inputs {
            builder.field(format!("in.{}", port.name), self.input_digest(node, port.arity, &port.feed, k)?);
        }
        if node.time == Time::Scan {
            match k.checked_sub(1) {
                Some(before) => builder.field("state", node.units[before].state?),
                None => builder.field("state", "start"),
            };
        }
        if let Some(rate) = node.rate {
            builder.field("rate", format!("{}/{}", rate.num, rate.den));
        }
        for (path, value) in &node.fields {
            builder.field(path, value);
        }
        Some(builder.finish())
    }

    fn input_digest(&self, node: &NodeState, arity: Arity, feed: &Feed, k: usize) -> Option<Digest> {
        match feed {
            Feed::File { digest, .. } => Some(*digest),
            Feed::Absent => None,
            Feed::Port(from, port) => {
                let port = &self.nodes[*from].outputs[*port];
                match arity {
                    Arity::Value => port.slots.first()?.digest,
                    Arity::Chunk if node.time != Time::Reduce => port.slots.get(k)?.digest,
                    Arity::Chunk | Arity::Sequence => port.list,
                }
            }
        }
    }
}
