//! The node types, a folder each, and their one-line registrations.

use crate::body::NodeType;

pub(crate) mod align;
mod arkit_decode;
mod audio2exp;
mod audio_decode;
mod blink;
mod by_picture;
mod deep3d;
mod detail;
mod fit3dmm;
mod frames_decode;
mod fuse;
mod head_motion;
mod image_decode;
mod levels;
mod lipaint;
mod match_length;
mod matte;
mod mel;
mod mux;
mod nerf_render;
mod one_of;
mod onnx;
mod parse;
mod paste_back;
mod portrait;
mod pti;
mod retarget;
mod sample;
mod sequence;
mod smooth;
mod split;
mod tensors_decode;
mod timeline;
mod track;
mod upsample;
mod write_arkit;
mod write_image;
mod write_tensors;

/// Every node type, in documentation order.
pub(crate) fn all() -> Vec<Box<dyn NodeType>> {
    vec![
        Box::new(image_decode::node()),
        Box::new(audio_decode::node()),
        Box::new(frames_decode::node()),
        Box::new(tensors_decode::node()),
        Box::new(arkit_decode::node()),
        Box::new(align::node()),
        Box::new(matte::node()),
        Box::new(deep3d::node()),
        Box::new(fit3dmm::node()),
        Box::new(split::node()),
        Box::new(parse::node()),
        Box::new(pti::node()),
        Box::new(sample::node()),
        Box::new(portrait::node()),
        Box::new(match_length::node()),
        Box::new(mel::node()),
        Box::new(blink::node()),
        Box::new(audio2exp::node()),
        Box::new(smooth::node()),
        Box::new(track::node()),
        Box::new(retarget::node()),
        Box::new(fuse::node()),
        Box::new(head_motion::node()),
        Box::new(sequence::node()),
        Box::new(nerf_render::node()),
        Box::new(lipaint::node()),
        Box::new(upsample::node()),
        Box::new(detail::node()),
        Box::new(paste_back::node()),
        Box::new(mux::node()),
        Box::new(write_image::node()),
        Box::new(write_tensors::node()),
        Box::new(write_arkit::node()),
        Box::new(onnx::node()),
    ]
}
