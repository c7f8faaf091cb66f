//! The face in a photo or in driving frames: landmarks and crop.

mod choice;
mod contract;
pub(crate) mod crop;
mod detect;
mod frames;
mod iris;
mod mesh;
mod parts;
mod photo;
mod shot;
#[cfg(test)]
mod tests;

use self::choice::Choice;
use crate::{
    body::{Body, NodeType, NodeUse},
    contract::{Contract, Time},
    error::Result,
    models::Models,
    params::Params,
    types::one_of::which,
};

/// The node type `align`.
pub(crate) struct Align(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Align {
    Align(contract::general())
}

impl NodeType for Align {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        Ok(match which(use_, ["image", "frames"])? {
            "frames" => contract::frames(),
            _ => contract::photo(),
        })
    }

    fn roles(&self, _: &Params, models: &Models) -> Result<Vec<String>> {
        let mut roles = vec!["face_detector".into(), "face_mesh".into()];
        // Only driving frames are looked at for it, but a use's form is not known here.
        for role in [parts::ROLE, iris::ROLE] {
            if models.pack()?.has(role) {
                roles.push(role.into());
            }
        }
        Ok(roles)
    }

    fn body(&self, params: &Params, contract: &Contract) -> Result<Body> {
        let choice = Choice::read(params)?;
        Ok(match contract.time {
            Time::Scan => {
                let (side, each) = (params.count("frame_side")?, params.text("crop")? == "each");
                Body::Scan(Box::new(frames::Track { side, choice, each }))
            }
            _ => Body::Value(Box::new(photo::Portrait { side: params.count("side")?, choice })),
        })
    }
}
