//! Tensors as a file.

mod body;
mod format;
#[cfg(test)]
mod tests;
mod window;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::Result,
    params::Params,
    types::one_of::one_of,
};

/// The node type `write_tensors`.
pub(crate) struct WriteTensors(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> WriteTensors {
    WriteTensors(
        Contract::new("write_tensors", 1, Time::Value, Pool::Io, "writes tensors to a file")
            .doc(
                "Writes the tensors at `tensors`, or those of the sequence at `sequence` joined along the first axis; \
                 where chunks hold windows of larger tensors (`corner`), as those of `lipaint` do, in one window around all, zero where a chunk has nothing, and frames \
                 that are a part of larger ones (`canvas`) whole. \
                 `safetensors` and `json` hold all of them by name (JSON as nested lists, numbers that are not finite \
                 as null), `npy` one: the only one, or the one that `tensor` names.",
            )
            .optional("tensors", ArtifactType::Tensors, Arity::Value, "tensors; or connect `sequence`")
            .optional("sequence", ArtifactType::Tensors, Arity::Sequence, "a sequence; or connect `tensors`")
            .output("file", ArtifactType::File, "the file")
            .named("format", &[("safetensors", "safetensors"), ("npy", "npy"), ("json", "json")], None)
            .param(
                "format",
                ParamKind::Choice { options: vec!["safetensors".into(), "npy".into(), "json".into()] },
                ParamValue::Text("safetensors".into()),
                "file format",
            )
            .param(
                "tensor",
                ParamKind::Text,
                ParamValue::Text(String::new()),
                "write only the tensor of this name; empty: all",
            ),
    )
}

impl NodeType for WriteTensors {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        one_of(&self.0, use_, ["tensors", "sequence"])
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Write {
            format: params.text("format")?.to_owned(),
            tensor: params.text("tensor")?.to_owned(),
        })))
    }
}
