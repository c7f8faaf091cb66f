//! Audio as long as the speech or the driving frames.

mod body;
#[cfg(test)]
mod tests;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::Result,
    params::Params,
};

const DOC: &str = "\
Cuts audio, or adds silence at its end, so that what is made of it has as many frames as `length` says, at the driving sequence's rate. The speech has as many \
as `mel` makes of it: whole ones. Of `driving` only the frames are counted, chunk by chunk as they come, so that any sequence made of the driving frames serves: \
take a small one, such as `coefficients`; frames themselves would be kept for it. The result is known once the last driving frame is: until then only what \
does not need the audio works.";

/// The words for the parameter `length`, in the order of [`body::Length`].
const LENGTHS: [&str; 4] = ["speech", "driving", "longest", "shortest"];

/// The node type `match_length`.
pub(crate) struct MatchLength(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> MatchLength {
    let choice = ParamKind::Choice { options: LENGTHS.iter().map(|&length| length.into()).collect() };
    MatchLength(
        Contract::new(
            "match_length",
            1,
            Time::Reduce,
            Pool::Cpu,
            "makes audio as long as the speech or the driving frames",
        )
        .doc(DOC)
        .input("audio", ArtifactType::Audio, Arity::Value, "the speech")
        .input(
            body::DRIVING,
            ArtifactType::Tensors,
            Arity::Chunk,
            "any sequence with a row for every driving frame; its rows are counted, not looked at",
        )
        .output("audio", ArtifactType::Audio, "the speech, cut or with silence after it")
        .param("length", choice, ParamValue::Text("longest".into()), "whose length it gets"),
    )
}

impl NodeType for MatchLength {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Reduce(Box::new(body::Match::new(params.text("length")?)?)))
    }
}
