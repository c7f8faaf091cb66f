//! Any ONNX file as a node.

mod body;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, ParamKind, Pool, Time},
    error::{NodeError, Result},
    onnx::Signature,
    params::Params,
};

const DOC: &str = "\
Runs an ONNX file. The ports are read from the file: one input port for each of its inputs and one output port for each of its outputs, by their names (characters that \
port names lack become `_`). A port takes any tensors: the tensor of the port's own name, or the only one there is. Elements are f32, f64, i64 or u8; f16, i32 and bool models \
are fed and read through f32, i64 and u8.";

/// The node type `onnx`.
pub(crate) struct Onnx(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Onnx {
    Onnx(Contract::new("onnx", 1, Time::Value, Pool::Model, "runs any ONNX file").doc(DOC).required_param(
        "model",
        ParamKind::File,
        "the ONNX file",
    ))
}

impl NodeType for Onnx {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let path = use_.folder.join(use_.params.text("model")?);
        let signature = Signature::read(&path)?;
        let mut contract = self.0.clone();
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
        Ok(Body::Value(Box::new(body::Run { path: PathBuf::from(params.text("model")?) })))
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
