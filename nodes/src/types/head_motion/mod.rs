//! Idle motion of the head.

mod body;
#[cfg(test)]
mod tests;

use super::{one_of::one_of, timeline};
use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::Result,
    models::Models,
    params::Params,
};

/// The ports of which one says where the head rests.
const REST: [&str; 2] = ["reference", "pose"];

const DOC: &str = "\
A head that nobody holds still sways. For every frame of another sequence, a pose that swings slowly around the reference pose: each angle is a sum of four \
sines whose periods lie between a third and three times `period`, the slower the wider, with periods and phases drawn by `seed`. The angles of a node never leave \
`pitch`, `yaw` and `roll`, reach about half of them most of the time, and begin at rest in the reference pose, from which they set out within two seconds. The place of the head stays. No published mode has this: connect \
the output to `pose` of `nerf_render` and `lipaint`.

The numbers are ChaCha with 8 rounds: a frame has the same pose whatever the sequence is cut into and whatever follows.";

/// The node type `head_motion`.
pub(crate) struct HeadMotion(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> HeadMotion {
    let angle = || ParamKind::Float { min: 0.0, max: 15.0 };
    HeadMotion(
        Contract::new("head_motion", 1, Time::Scan, Pool::Cpu, "lets the head sway a little")
            .doc(DOC)
            .input(
                timeline::PORT,
                ArtifactType::Tensors,
                Arity::Chunk,
                "any sequence, `mel` for example: each of its frames gets a pose",
            )
            .optional(
                REST[0],
                ArtifactType::Coefficients,
                Arity::Value,
                "the person's coefficients: their pose is the reference; this or `pose`",
            )
            .optional(REST[1], ArtifactType::Pose, Arity::Value, "the reference pose; this or `reference`")
            .sequence("pose", ArtifactType::Pose, SequenceRate::Inherited, "`pose` [n,6]")
            .param("pitch", angle(), ParamValue::Float(1.6), "largest nod either way, in degrees")
            .param("yaw", angle(), ParamValue::Float(3.0), "largest turn either way, in degrees")
            .param("roll", angle(), ParamValue::Float(1.2), "largest lean either way, in degrees")
            .param(
                "period",
                ParamKind::Float { min: 0.5, max: 120.0 },
                ParamValue::Float(5.0),
                "middle of the periods of the sway, in seconds; less is livelier",
            )
            .param("seed", ParamKind::Int { min: 0, max: i64::MAX }, ParamValue::Int(1), "another motion"),
    )
}

impl NodeType for HeadMotion {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        one_of(&self.0, use_, REST)
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(vec!["pack.coefficients".to_owned()])
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        let radians = |name: &str| -> Result<_> { Ok(params.float(name)?.to_radians()) };
        Ok(Body::Scan(Box::new(body::Sway::new(
            params.int("seed")?.unsigned_abs(),
            [radians("pitch")?, radians("yaw")?, radians("roll")?],
            params.float("period")?,
        ))))
    }
}
