//! The list of node types: one line a type.

use crate::{artifact::ArtifactType, body::NodeType};

/// All node types.
pub struct Registry {
    types: Vec<Box<dyn NodeType>>,
}

impl Registry {
    /// The types of this crate, in documentation order.
    pub fn builtin() -> Self {
        Self { types: crate::types::all() }
    }

    /// A registry of other types.
    pub fn new(types: Vec<Box<dyn NodeType>>) -> Self {
        Self { types }
    }

    /// The type called `name`.
    pub fn get(&self, name: &str) -> Option<&dyn NodeType> {
        self.iter().find(|ty| ty.contract().name == name)
    }

    /// The type that decodes graph inputs of type `ty`.
    pub fn decoder(&self, ty: ArtifactType) -> Option<&dyn NodeType> {
        self.iter().find(|node| node.contract().decodes == Some(ty))
    }

    /// All types.
    pub fn iter(&self) -> impl Iterator<Item = &dyn NodeType> {
        self.types.iter().map(|ty| &**ty)
    }
}
