//! YAML files as values with their places, read within limits: whoever wrote the file, reading takes time and memory in
//! proportion to its size, and what is too large, too deep or too often repeated is refused with its place.

mod build;
mod de;
mod file;
mod scalar;

use std::fmt;

pub use build::parse;
pub use de::from_str;
pub use file::read;
pub use scalar::{Scalar, scalar};

/// Most bytes of a file: far more than a graph of ten thousand nodes.
pub const MOST_BYTES: u64 = 4 << 20;

/// Most lists and mappings inside one another. Graphs and packs need six.
pub const MOST_DEEP: usize = 64;

/// Most values, those that aliases stand for included; long texts count as several.
pub const MOST_VALUES: usize = 1 << 19;

/// Line and column, both from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A YAML value with its place. Aliases are followed; each has its own place, and what is in it those of the anchor.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it starts.
    pub spot: Spot,
    /// What it is.
    pub content: Content,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A plain value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping in file order, with duplicate keys kept.
    Map(Vec<(Node, Node)>),
}

/// Why a text is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, if known.
    pub spot: Option<Spot>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Fault {
    fn at(spot: Spot, message: impl Into<String>) -> Self {
        Self { spot: Some(spot), message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
