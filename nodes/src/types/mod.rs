//! The node types, a folder each, and their one-line registrations.

use crate::body::NodeType;

mod audio_decode;
mod image_decode;
mod mel;

/// Every node type, in documentation order.
pub(crate) fn all() -> Vec<Box<dyn NodeType>> {
    vec![Box::new(image_decode::node()), Box::new(audio_decode::node()), Box::new(mel::node())]
}
