//! Face parsing: a class for every pixel.

mod body;
#[cfg(test)]
mod tests;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, Pool, SequenceRate, Time},
    error::Result,
    models::Models,
    params::Params,
    types::one_of::which,
};

const DOC: &str = "\
The pack's parsing network (published: BiSeNet, Yu et al. 2018, arXiv:1808.00897, with 16 classes) at its own size, colours normalised as the pack says; the \
class with the largest logit wins. Classes: 0 background, 1 skin, 2 and 3 brows, 4 and 5 eyes, 6 nose, 7 upper lip, 8 mouth interior, 9 lower lip, 10 neck, 11 and 12 \
ears, 13 hair, 14 clothes, 15 body.";

/// The node type `parse`.
pub(crate) struct Parse(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Parse {
    let contract = base(Time::Value)
        .optional("image", ArtifactType::Image, Arity::Value, "an aligned image; this or `frames`")
        .optional("frames", ArtifactType::Frames, Arity::Chunk, "aligned frames; this or `image`");
    Parse(contract.output("parsing", ArtifactType::Parsing, "`classes` [n,Q,Q]"))
}

fn base(time: Time) -> Contract {
    Contract::new("parse", 1, time, Pool::Model, "labels skin, eyes, lips, hair, clothes and the rest")
        .doc(DOC)
}

impl NodeType for Parse {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let ty = ArtifactType::Parsing;
        Ok(match which(use_, ["image", "frames"])? {
            "frames" => base(Time::Map)
                .input("frames", ArtifactType::Frames, Arity::Chunk, "aligned frames")
                .sequence("parsing", ty, SequenceRate::Inherited, "`classes` [n,Q,Q]"),
            _ => base(Time::Value)
                .input("image", ArtifactType::Image, Arity::Value, "an aligned image")
                .output("parsing", ty, "`classes` [1,Q,Q]"),
        })
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(vec!["parse".into(), "pack.parsing".into()])
    }

    fn body(&self, _: &Params, contract: &Contract) -> Result<Body> {
        Ok(match contract.time {
            Time::Map => Body::Map(std::sync::Arc::new(body::Classify)),
            _ => Body::Value(Box::new(body::Classify)),
        })
    }
}
