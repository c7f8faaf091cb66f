//! The identity out of what the phases left.

use super::contract::RENDERING;
use crate::{
    error::{NodeError, Result},
    models::Models,
    tensor::Tensors,
};

/// What the renderer gives itself in every frame.
const PER_FRAME: [&str; 13] = [
    "occupancy",
    "origins",
    "directions",
    "depths",
    "pixels",
    "motion",
    "motion_box",
    "detail",
    "detail_box",
    "offsets",
    "features",
    "expression",
    "reference",
];

/// Those tensors of `set` that the rendering roles take, and the coefficients.
pub(super) fn of(models: &Models, set: &Tensors) -> Result<Tensors> {
    let pack = models.pack()?;
    let mut identity = Tensors::new().with("coefficients", set.get("coefficients")?.clone());
    for role in RENDERING.into_iter().filter(|role| pack.has(role)) {
        for port in &models.session(role)?.signature().inputs {
            if PER_FRAME.contains(&port.name.as_str()) {
                continue;
            }
            match set.0.get(&port.name) {
                Some(tensor) => {
                    identity.0.insert(port.name.clone(), tensor.clone());
                }
                None if role == "prepare" => {
                    return Err(NodeError::model(format!(
                        "pack {}: optimisation `pti` leaves no `{}`, which role `prepare` takes",
                        pack.name(),
                        port.name
                    )));
                }
                None => {}
            }
        }
    }
    Ok(identity)
}
