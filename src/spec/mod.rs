//! A graph file as written: names, references and parameters with their places, not yet checked against node types.

mod marked;
mod places;
mod read;
mod text;
mod yaml;

use std::path::{Path, PathBuf};

pub(crate) use read::read;
pub(crate) use text::decode;
pub use yaml::Scalar;
pub(crate) use yaml::scalar;

use crate::{
    error::{Diagnostic, Diagnostics},
    place::Place,
};
use talkgraph_nodes::contract::CacheMode;

/// The version of the graph format that this program reads.
pub const VERSION: i64 = 1;

/// Line and column, both from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Spot {
    /// The spot in `file`.
    pub fn place(self, file: &Path) -> Place {
        Place { file: file.to_owned(), line: self.line, column: self.column }
    }
}

/// Something with the spot where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    /// The thing.
    pub value: T,
    /// Where it is.
    pub spot: Spot,
}

/// A reference to an output: `node.port`, or the name of a graph input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Node or graph input.
    pub node: String,
    /// Port; `None` stands for the one output of a graph input.
    pub port: Option<String>,
}

/// A graph input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSpec {
    /// Name.
    pub name: At<String>,
    /// Artifact type, by name.
    pub ty: At<String>,
    /// Parameters of the type that decodes it.
    pub params: Vec<ParamSpec>,
    /// How its decoded form is stored.
    pub cache: CacheMode,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// Name.
    pub id: At<String>,
    /// Node type, by name.
    pub ty: At<String>,
    /// Connections of input ports; `None` where the reference itself is unreadable (reported already).
    pub inputs: Vec<(At<String>, Option<At<Reference>>)>,
    /// Parameters.
    pub params: Vec<ParamSpec>,
    /// How its outputs are stored.
    pub cache: CacheMode,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// Name.
    pub name: At<String>,
    /// Value.
    pub value: At<Scalar>,
}

/// A graph output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSpec {
    /// Name.
    pub name: At<String>,
    /// What it refers to.
    pub from: At<Reference>,
}

/// A graph file as written.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphSpec {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Name in the file, or the file's own without its ending.
    pub name: String,
    /// Inputs in file order.
    pub inputs: Vec<InputSpec>,
    /// Nodes in file order.
    pub nodes: Vec<NodeSpec>,
    /// Outputs in file order.
    pub outputs: Vec<OutputSpec>,
}

/// The mistakes met while reading, with their spots.
#[derive(Debug)]
pub(crate) struct Mistakes {
    file: PathBuf,
    found: Diagnostics,
}

impl Mistakes {
    /// No mistakes in `file` so far.
    pub(crate) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), found: Diagnostics::default() }
    }

    /// Adds an error at `spot`.
    pub(crate) fn error(&mut self, spot: Spot, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Diagnostic::error(message).at(spot.place(&self.file)))
    }

    /// The spot's place in the file.
    pub(crate) fn place(&self, spot: Spot) -> Place {
        spot.place(&self.file)
    }

    /// Adds a diagnostic with its place.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.found.push(diagnostic);
        let last = self.found.0.len() - 1;
        &mut self.found.0[last]
    }

    /// The mistakes in file order.
    pub(crate) fn finish(mut self) -> Diagnostics {
        self.found.sort();
        self.found
    }
}
