//! The node types, a folder each, and their one-line registrations.

use crate::body::NodeType;

mod image_decode;

/// Every node type, in documentation order.
pub(crate) fn all() -> Vec<Box<dyn NodeType>> {
    vec![Box::new(image_decode::node())]
}
