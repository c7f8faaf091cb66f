//! JSON as a file.

#[cfg(test)]
mod tests;

use std::fs;

use crate::{
    artifact::{ArtifactType, FileRef, Value},
    body::{Body, Context, Emit, Inputs, NodeType, ValueBody},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::{NodeError, Result},
    params::Params,
};

/// The node type `write_json`.
pub(crate) struct WriteJson(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> WriteJson {
    WriteJson(
        Contract::new("write_json", 1, Time::Value, Pool::Io, "writes JSON to a file")
            .doc(
                "Writes what is JSON already: where `align` cut a face out (`crop`), for example. For tensors there is `write_tensors`, \
                 which has a format `json` too.",
            )
            .input("json", ArtifactType::Json, Arity::Value, "any JSON value, a `crop` for example")
            .output("file", ArtifactType::File, "the file, in UTF-8")
            .param("indent", ParamKind::Bool, ParamValue::Bool(true), "a line for every value; else all in one line"),
    )
}

impl NodeType for WriteJson {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(Write { indent: params.bool("indent")? })))
    }
}

struct Write {
    indent: bool,
}

impl ValueBody for Write {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let json = inputs.json("json")?;
        let text = if self.indent { serde_json::to_string_pretty(json) } else { serde_json::to_string(json) };
        let text =
            text.map_err(|error| NodeError::input("port `json`: cannot be written").caused_by(error))?;
        let path = ctx.host.scratch().join("value.json");
        fs::write(&path, text + "\n").map_err(|error| {
            NodeError::io(format!("{}: cannot be written", path.display())).caused_by(error)
        })?;
        out.value("file", Value::File(FileRef { path, digest: None }))
    }
}
