//! The operators of the ONNX domain `talkgraph`: volume rendering on the CPU, fused.
//!
//! Decoding tri-planes point by point is the hot spot of a frame, and as a chain of plain operators it writes every
//! intermediate to memory. These operators do it ray by ray in registers, with the instructions that the machine has.
//! A model that uses them carries their plain bodies as ONNX functions of the same name, which run wherever the
//! operators are not registered (on CUDA, in Python); the bodies are also the reference that the operators are tested
//! against. `tools/pack/fused.py` writes such models, docs/packs.md says what the operators compute.
//!
//! The planes of a mouth or an eye that moves are made by modulated convolutions (`convolution`), as finished pictures are, and are
//! sums of a few learned maps (`mix`); `tools/pack/mixing.py` and `convolution.py` write their calls.
//!
//! The steps of an inversion look planes up at given points (`features`) and add gradients back (`gradient`); their models
//! come from `tools/pack/planes.py`.
//!
//! A decoder has one hidden layer after the summed planes, so the feature rows of its last layer are applied once a ray,
//! to the composited hidden vector.

mod attributes;
mod convolution;
mod depths;
mod features;
mod gradient;
mod isa;
mod kernel;
mod lanes;
mod march;
mod mix;
mod occupancy;
mod operator;
mod ports;
mod render;
mod scene;
#[cfg(test)]
mod testing;
mod texels;
mod volume;

use ort::operator::OperatorDomain;

pub use self::isa::Isa;
use self::operator::operator;

/// The domain's name in models.
const DOMAIN: &str = "talkgraph";

/// Raised whenever the operators give other numbers for the same inputs.
const VERSION: u32 = 1;

/// What the operators change in the numbers of nodes that render, finish or invert, for their keys.
pub fn facts() -> Vec<(&'static str, String)> {
    let numbers = Isa::chosen().map_or("plain".into(), |isa| format!("{VERSION} {}", isa.rounding()));
    vec![("operators", numbers)]
}

/// The domain with its operators; those of rendering use the instructions of `isa`.
pub fn domain(isa: Isa) -> ort::Result<OperatorDomain> {
    OperatorDomain::new(DOMAIN)?
        .add(operator::<render::Render>(isa))?
        .add(operator::<depths::Depths>(isa))?
        .add(operator::<occupancy::Occupancy>(isa))?
        .add(operator::<mix::Mix>(isa))?
        .add(operator::<convolution::Convolution>(isa))?
        .add(operator::<march::Forward>(isa))?
        .add(operator::<march::Backward>(isa))?
        .add(operator::<features::Features>(isa))?
        .add(operator::<gradient::Gradient>(isa))
}
