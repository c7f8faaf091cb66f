//! Expression from speech.

mod body;
#[cfg(test)]
mod tests;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::Result,
    models::Models,
    params::Params,
};

const DOC: &str = "\
The pack's audio2exp network (published: SadTalker, Zhang et al., CVPR 2023), frame after frame because it is recurrent: it sees the mel window, a reference expression \
and `ratio`, by which it shuts the eyes; after each frame the reference becomes `reference_blend` parts of the person's expression and the rest of the prediction. Predictions are scaled \
by `scale` last, outside the recurrence. Where the pack splits the network, the encoder runs once a chunk and only the last layer frame by frame.";

/// The node type `audio2exp`.
pub(crate) struct Audio2Exp(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Audio2Exp {
    let fraction = || ParamKind::Float { min: 0.0, max: 1.0 };
    Audio2Exp(
        Contract::new("audio2exp", 1, Time::Scan, Pool::Model, "turns speech into the mouth's motion")
            .doc(DOC)
            .input("mel", ArtifactType::Mel, Arity::Chunk, "mel windows, one a frame")
            .input(
                "reference",
                ArtifactType::Coefficients,
                Arity::Value,
                "the person's coefficients: their expression is where the recurrence starts",
            )
            .optional(
                "ratio",
                ArtifactType::Ratio,
                Arity::Chunk,
                "the blink ratio of every frame, of `blink` for example; without it the parameter holds for all",
            )
            .sequence("expression", ArtifactType::Expression, SequenceRate::Inherited, "`expression` [n,E]")
            .param(
                "scale",
                ParamKind::Float { min: 0.0, max: 4.0 },
                ParamValue::Float(1.5),
                "factor on every prediction; more moves the mouth more",
            )
            .param(
                "ratio",
                fraction(),
                ParamValue::Float(0.0),
                "the network's blink ratio in all frames, where the port `ratio` is not connected (published: 0 where nobody blinks)",
            )
            .param(
                "reference_blend",
                fraction(),
                ParamValue::Float(0.5),
                "weight of the person's own expression in the next frame's reference; 1 cuts the recurrence",
            ),
    )
}

impl NodeType for Audio2Exp {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, _: &Params, models: &Models) -> Result<Vec<String>> {
        let roles: &[&str] = if body::is_split(models)? { &body::SPLIT } else { &[body::WHOLE] };
        Ok(roles.iter().chain(&["pack.coefficients"]).map(|role| (*role).to_owned()).collect())
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Scan(Box::new(body::Speak {
            scale: params.float("scale")? as f32,
            ratio: params.float("ratio")? as f32,
            blend: params.float("reference_blend")? as f32,
        })))
    }
}
