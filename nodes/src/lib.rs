//! Node types of talkgraph: contracts and bodies of the talking-head stages, and what they stand on: artifacts,
//! tensors, model packs and the ONNX Runtime host. A new node type touches its own folder below `types` and one line
//! of `types/mod.rs`.

pub mod artifact;
pub mod body;
pub mod codec;
pub mod contract;
pub mod error;
pub mod geometry;
pub(crate) mod media;
pub mod models;
pub(crate) mod operator;
pub mod optimise;
pub mod pack;
pub mod params;
pub(crate) mod pictures;
pub mod registry;
pub mod runtime;
pub mod tensor;
#[cfg(test)]
pub(crate) mod testing;
pub mod types;
pub mod volume;
pub(crate) mod warp;

pub(crate) use talkgraph_media::sniff;
