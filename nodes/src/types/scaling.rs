//! How a picture is brought to the size that a network takes.

use crate::{
    contract::{Contract, ParamKind, ParamValue},
    error::Result,
    params::Params,
};

/// The name of the parameter.
const NAME: &str = "scaling";

/// Without aliasing by a triangle, or as the published code has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scaling {
    /// Bilinear, the filter as wide as a new pixel where the picture shrinks.
    Smooth,
    /// Bicubic, in the way that the published code scales what the node looks at.
    Bicubic,
}

impl Scaling {
    /// `contract` with the parameter that chooses; `bicubic` says what that is here.
    pub(crate) fn param(contract: Contract, bicubic: &str) -> Contract {
        contract.param(
            NAME,
            ParamKind::Choice { options: vec!["smooth".into(), "bicubic".into()] },
            ParamValue::Text("smooth".into()),
            format!("how the picture is brought to the network's size: bilinearly and without aliasing, or {bicubic}"),
        )
    }

    /// What the parameter says.
    pub(crate) fn of(params: &Params) -> Result<Self> {
        Ok(if params.text(NAME)? == "bicubic" { Self::Bicubic } else { Self::Smooth })
    }
}
