//! Blinks, as the ratio that `audio2exp` takes.

mod body;
#[cfg(test)]
mod tests;

use super::timeline;
use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::Result,
    params::Params,
};

const DOC: &str = "\
For every frame of another sequence, how far blinks shut the eyes: connect it to `ratio` of `audio2exp`. The published systems differ: SadTalker (Zhang et al., CVPR 2023) \
puts five frames of 0.5, 0.9, 1, 0.9, 0.5 after 10 to 70 frames at random, NeRFFaceSpeech (Kim et al. 2024) never blinks. Here the lids fall within 60 to 90 ms, \
rest for 20 to 50 and rise within 100 to 160 (opening takes longer, VanderWerf et al. 2003; the recurrence of `audio2exp` adds two or three frames to it); times between blinks are log-normal \
(σ 0.6, at least 0.6 s), so that a few come close together and some are long in coming. A frame shows the most that the eyes are shut while it lasts.

The numbers are ChaCha with 8 rounds, seeded with `seed`: a frame has the same ratio whatever the sequence is cut into and whatever follows.";

/// The node type `blink`.
pub(crate) struct Blink(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Blink {
    Blink(
        Contract::new("blink", 1, Time::Scan, Pool::Cpu, "makes blinks, seeded, at human intervals")
            .doc(DOC)
            .input(
                timeline::PORT,
                ArtifactType::Tensors,
                Arity::Chunk,
                "any sequence, `mel` for example: each of its frames gets a ratio",
            )
            .sequence("ratio", ArtifactType::Ratio, SequenceRate::Inherited, "`ratio` [n,1]")
            .param(
                "interval",
                ParamKind::Float { min: 1.0, max: 60.0 },
                ParamValue::Float(3.5),
                "mean time from blink to blink, in seconds",
            )
            .param(
                "depth",
                ParamKind::Float { min: 0.0, max: 1.0 },
                ParamValue::Float(1.0),
                "how far the deepest blinks shut the eyes; the others are up to a tenth less deep",
            )
            .param("seed", ParamKind::Int { min: 0, max: i64::MAX }, ParamValue::Int(1), "other blinks"),
    )
}

impl NodeType for Blink {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Scan(Box::new(body::Blinking {
            seed: params.int("seed")?.unsigned_abs(),
            interval: params.float("interval")?,
            depth: params.float("depth")?,
        })))
    }
}
