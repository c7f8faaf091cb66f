//! Artifacts to blobs and back: the bytes that the store keeps are files that people can open.
//!
//! Encoding is deterministic: equal values give equal bytes, so equal results get equal digests.

pub(crate) mod picture;
mod sound;
#[cfg(test)]
mod tests;

use std::path::Path;

use talkgraph_models::safetensors;

use crate::{
    artifact::{ArtifactType, Encoding, FileRef, Value},
    error::{NodeError, Result},
};

/// A value as the store takes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Encoded {
    /// The blob itself.
    Bytes(Vec<u8>),
    /// A file: to be moved into the store when it lies in a body's scratch folder, else to be copied.
    File(FileRef),
}

/// Encodes `value` as a port of type `ty` stores it. Fails when the value is of another kind than the type, and when
/// it has no form as a blob (a picture without pixels).
pub fn encode(value: &Value, ty: ArtifactType) -> Result<Encoded> {
    let bytes = match (ty.encoding(), value) {
        (Encoding::Png, Value::Image(image)) => picture::encode(image)?,
        (Encoding::Wav, Value::Audio(audio)) => sound::encode(audio)?,
        (Encoding::Safetensors, Value::Tensors(tensors)) => safetensors::encode(tensors)?,
        (Encoding::Json, Value::Json(json)) => serde_json::to_vec(json)
            .map_err(|error| NodeError::input("json: cannot be written").caused_by(error))?,
        (Encoding::Raw, Value::File(file)) => return Ok(Encoded::File(file.clone())),
        _ => {
            return Err(NodeError::input(format!(
                "type `{ty}`: expected {}, found {}",
                kind(ty.encoding()),
                value.kind()
            )));
        }
    };
    Ok(Encoded::Bytes(bytes))
}

/// Decodes a blob of type `ty`. `bytes` is its content, `path` where the store keeps it; raw types take the path alone.
pub fn decode(ty: ArtifactType, bytes: &[u8], path: &Path) -> Result<Value> {
    match ty.encoding() {
        Encoding::Png => picture::decode(bytes).map(Value::Image),
        Encoding::Wav => sound::decode(bytes).map(Value::Audio),
        Encoding::Safetensors => safetensors::decode(bytes).map(Value::Tensors),
        Encoding::Json => serde_json::from_slice(bytes)
            .map(Value::Json)
            .map_err(|error| NodeError::input("not a JSON text").caused_by(error)),
        Encoding::Raw => Ok(Value::File(FileRef { path: path.to_owned(), digest: None })),
    }
}

fn kind(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Png => "an image",
        Encoding::Wav => "audio",
        Encoding::Safetensors => "tensors",
        Encoding::Json => "JSON",
        Encoding::Raw => "a file",
    }
}
