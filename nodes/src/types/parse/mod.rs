//! Face parsing: a class for every pixel.

mod body;
#[cfg(test)]
mod tests;

use super::{by_picture::ByPicture, levels::Levels, scaling::Scaling};
use crate::{
    artifact::ArtifactType,
    contract::{Contract, Pool, Time},
};

const DOC: &str = "\
The pack's parsing network (published: BiSeNet, Yu et al. 2018, arXiv:1808.00897, with 16 classes) at its own size, colours normalised as the pack says; the \
class with the largest logit wins. Classes: 0 background, 1 skin, 2 and 3 brows, 4 and 5 eyes, 6 nose, 7 upper lip, 8 mouth interior, 9 lower lip, 10 neck, 11 and 12 \
ears, 13 hair, 14 clothes, 15 body.";

/// The node type `parse`, for the registry.
pub(crate) fn node() -> ByPicture {
    let summary = "labels skin, eyes, lips, hair, clothes and the rest";
    let contract = Contract::new("parse", 1, Time::Value, Pool::Model, summary).doc(DOC).output(
        "parsing",
        ArtifactType::Parsing,
        "`classes` [n,Q,Q]",
    );
    let contract = Scaling::param(Levels::param(contract), "bicubically, which aliases (published)");
    ByPicture::new(contract, ["parse", "pack.parsing"], body::classify)
}
