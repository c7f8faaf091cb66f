//! Node types of talkgraph: contracts and bodies of the talking-head stages, and what they stand on: artifacts,
//! tensors, model packs and the ONNX Runtime host. A new node type touches its own folder below `types` and one line
//! of `types/mod.rs`.

#[cfg(test)]
mod fused;

pub use talkgraph_models::{
    error, file, home, layout, models, onnx, optimise, pack, precision, runtime, safetensors, tensor,
};

pub mod arkit;
pub mod artifact;
pub mod body;
pub mod codec;
pub mod contract;
pub mod geometry;
pub(crate) mod kept;
pub(crate) mod media;
pub mod params;
pub(crate) mod pictures;
pub mod rate;
pub mod registry;
pub(crate) mod room;
#[cfg(test)]
pub(crate) mod testing;
pub mod types;
pub mod volume;
pub(crate) mod warp;

pub(crate) use talkgraph_media::sniff;
