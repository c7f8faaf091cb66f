//! The node types, a folder each, and their one-line registrations.

use crate::body::NodeType;

mod audio_decode;
mod fit3dmm;
mod image_decode;
mod lipaint;
mod mel;
mod nerf_render;
mod pti;
mod upsample;

/// Every node type, in documentation order.
pub(crate) fn all() -> Vec<Box<dyn NodeType>> {
    vec![
        Box::new(image_decode::node()),
        Box::new(audio_decode::node()),
        Box::new(mel::node()),
        Box::new(fit3dmm::node()),
        Box::new(pti::node()),
        Box::new(nerf_render::node()),
        Box::new(lipaint::node()),
        Box::new(upsample::node()),
    ]
}
