//! Which of a generated picture's levels the parsing network sees.

use crate::{
    contract::{Contract, ParamKind, ParamValue},
    error::Result,
    params::Params,
};

/// The name of the parameter.
const NAME: &str = "levels";

/// What becomes of a value x, nominally in [-1,1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Levels {
    /// (x + 1)/2, in [0,1].
    All,
    /// x itself, in [0,1]: whatever is darker than the middle is black.
    Bright,
}

impl Levels {
    /// `contract` with the parameter that chooses.
    pub(crate) fn param(contract: Contract) -> Contract {
        contract.param(
            NAME,
            ParamKind::Choice { options: vec!["all".into(), "bright".into()] },
            ParamValue::Text("all".into()),
            "what the parsing network sees: all levels, or the brighter half, stretched; what is darker is black then (published: bright)",
        )
    }

    /// What the parameter says.
    pub(crate) fn of(params: &Params) -> Result<Self> {
        Ok(if params.text(NAME)? == "bright" { Self::Bright } else { Self::All })
    }

    /// A value of [-1,1] in [0,1].
    pub(crate) fn unit(self, x: f32) -> f32 {
        match self {
            Self::All => x.clamp(-1.0, 1.0) * 0.5 + 0.5,
            Self::Bright => x.clamp(0.0, 1.0),
        }
    }
}
