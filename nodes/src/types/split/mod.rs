//! Coefficients taken apart.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::one_of::one_of;
use crate::{
    artifact::{ArtifactType, Value},
    body::{Body, Context, Emit, Inputs, MapBody, NodeType, NodeUse, Outputs, ValueBody},
    contract::{Arity, Contract, Pool, SequenceRate, Time},
    error::Result,
    models::Models,
    params::Params,
    tensor::{Tensor, Tensors},
    volume,
};

/// The ports of which one is connected.
const PORTS: [&str; 2] = ["coefficients", "sequence"];

const DOC: &str = "\
The pose and the expression that coefficients hold, as they are. With `coefficients` the outputs are values, with `sequence` they are sequences.";

/// The node type `split`.
pub(crate) struct Split(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Split {
    let [value, sequence] = PORTS;
    Split(
        Contract::new("split", 1, Time::Value, Pool::Cpu, "takes coefficients apart")
            .doc(DOC)
            .optional(value, ArtifactType::Coefficients, Arity::Value, "coefficients; this or `sequence`")
            .optional(
                sequence,
                ArtifactType::Coefficients,
                Arity::Chunk,
                "coefficients along time; this or `coefficients`",
            )
            .output("pose", ArtifactType::Pose, "`pose` [n,6]")
            .output("expression", ArtifactType::Expression, "`expression` [n,E]"),
    )
}

impl NodeType for Split {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let mut contract = one_of(&self.0, use_, PORTS)?;
        if contract.find_input("sequence").is_some() {
            contract.time = Time::Map;
            contract.outputs.iter_mut().for_each(|output| output.sequence = Some(SequenceRate::Inherited));
        }
        Ok(contract)
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(vec!["pack.coefficients".into()])
    }

    fn body(&self, _: &Params, contract: &Contract) -> Result<Body> {
        Ok(match contract.time {
            Time::Map => Body::Map(Arc::new(Apart)),
            _ => Body::Value(Box::new(Apart)),
        })
    }
}

struct Apart;

/// Pose and expression of the coefficients at `port`.
fn parts(port: &str, inputs: &Inputs, models: &Models) -> Result<[(&'static str, Tensors); 2]> {
    let layout = models.pack()?.coefficients();
    let rows = volume::rows(inputs.tensors(port)?, "coefficients", layout.size);
    let rows = rows.map_err(|error| error.at_port(port))?;
    let count = rows.len();
    let (mut poses, mut expressions) = (vec![], vec![]);
    for row in rows {
        poses.extend(layout.pose_of(row)?);
        expressions.extend_from_slice(layout.expression_of(row)?);
    }
    let one = |name, width, numbers| -> Result<_> {
        Ok((name, Tensors::new().with(name, Tensor::f32([count, width], numbers)?)))
    };
    Ok([one("pose", 6, poses)?, one("expression", layout.expressions(), expressions)?])
}

impl ValueBody for Apart {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let parts = parts("coefficients", inputs, ctx.models)?;
        parts.into_iter().try_for_each(|(name, tensors)| out.value(name, Value::Tensors(tensors)))
    }
}

impl MapBody for Apart {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let parts = parts("sequence", inputs, ctx.models)?;
        Ok(parts.into_iter().map(|(name, tensors)| (name.to_owned(), Value::Tensors(tensors))).collect())
    }
}
