//! Any ONNX file as a node.

mod along;
mod body;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use along::Along;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::{NodeError, Result},
    onnx::Signature,
    params::Params,
};

const DOC: &str = "\
Runs an ONNX file. The ports are read from the file: one input port for each of its inputs and one output port for each of its outputs, by their names (characters that \
port names lack become `_`). A port takes any tensors: the tensor of the port's own name, or the only one there is. Elements are f32, f64, i64 or u8; f16, i32 and bool models \
are fed and read through f32, i64 and u8.

`over` maps the model along a sequence, chunk by chunk, so that results are stored by chunks and an edit runs the model on what it changed only. The input that `along` names \
(else the model's only one) takes the sequence; its first size is the batch: as many as the model fixes, else up to eight at a time. Other inputs take one value for all. \
`over: tensors`: rows of the tensor of the input's name, or of the only one; outputs are sequences of tensors. `over: frames`: frames as pictures, which go in and come out as \
[n,3,H,W] or [n,H,W,3] by the model's sizes, f32 in the numbers that `range` says or u8; where it fixes height and width, frames are brought to them, and what comes out has the size \
that the model gives. A restorer of faces (GFPGAN's kind: f32 [1,3,512,512] in [-1,1]) or a style is one node this way. Outputs that are no pictures are sequences of tensors.";

/// The node type `onnx`.
pub(crate) struct Onnx(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Onnx {
    let one_of = |options: &[&'static str]| ParamKind::Choice {
        options: options.iter().map(|&one| one.into()).collect(),
    };
    Onnx(
        Contract::new("onnx", 1, Time::Value, Pool::Model, "runs any ONNX file")
            .doc(DOC)
            .required_param("model", ParamKind::File, "the ONNX file")
            .param(
                "over",
                one_of(&["nothing", "frames", "tensors"]),
                ParamValue::Text("nothing".into()),
                "what the model is mapped over: one value at every port, or a sequence of frames or of tensors at one",
            )
            .param(
                "along",
                ParamKind::Text,
                ParamValue::Text(String::new()),
                "the model's input that takes the sequence; empty: its only one",
            )
            .param(
                "range",
                one_of(&["0..1", "-1..1", "0..255"]),
                ParamValue::Text("0..1".into()),
                "the numbers of pictures from black to white, where the model takes and gives floats",
            ),
    )
}

impl NodeType for Onnx {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let path = use_.folder.join(use_.params.text("model")?);
        let signature = Signature::read(&path)?;
        let mut contract = self.0.clone();
        if use_.params.text("over")? != "nothing" {
            let along = Along::of(&path, &signature, use_.params)?;
            return along.contract(contract, &path, &signature);
        }
        for port in &signature.inputs {
            let name = port_name(&port.name);
            if contract.find_input(&name).is_some() {
                return Err(clash(&path, &name));
            }
            contract = contract.input(name, ArtifactType::Tensors, Arity::Value, port.to_string());
        }
        for port in &signature.outputs {
            let name = port_name(&port.name);
            if contract.find_output(&name).is_some() {
                return Err(clash(&path, &name));
            }
            contract = contract.output(name, ArtifactType::Tensors, port.to_string());
        }
        Ok(contract)
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        let path = PathBuf::from(params.text("model")?);
        if params.text("over")? == "nothing" {
            return Ok(Body::Value(Box::new(body::Run { path })));
        }
        let along = Along::of(&path, &Signature::read(&path)?, params)?;
        Ok(Body::Map(std::sync::Arc::new(along)))
    }
}

/// A tensor's name as a port's: exporters write names like `/head/out.1`.
fn port_name(tensor: &str) -> String {
    tensor.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

fn clash(path: &Path, port: &str) -> NodeError {
    NodeError::model(format!("{}: two tensors would both be the port `{port}`", path.display()))
        .hint("rename one of them in the model")
}
