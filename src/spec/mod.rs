//! A graph file as written: names, references and parameters with their places, not yet checked against node types.

mod marked;
mod read;
mod text;

use std::path::{Path, PathBuf};

pub(crate) use read::read;
pub use talkgraph_yaml::{Scalar, Spot};
pub(crate) use text::decode;

use crate::{
    error::{Diagnostic, Diagnostics},
    place::Place,
};
use talkgraph_nodes::contract::CacheMode;

/// The version of the graph format that this program reads.
pub const VERSION: i64 = 1;

/// The spot in `file`.
pub(crate) fn place(spot: Spot, file: &Path) -> Place {
    Place { file: file.to_owned(), line: spot.line, column: spot.column }
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
    /// Frames a second, for every parameter of this name that no node sets.
    pub fps: Option<At<Scalar>>,
    /// Inputs in file order.
    pub inputs: Vec<InputSpec>,
    /// Nodes in file order.
    pub nodes: Vec<NodeSpec>,
    /// Outputs in file order.
    pub outputs: Vec<OutputSpec>,
}

/// Most mistakes that are told at once; so many come of one slip or of a file that is no graph.
const MOST_MISTAKES: usize = 200;

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
        self.push(Diagnostic::error(message).at(place(spot, &self.file)))
    }

    /// The spot's place in the file.
    pub(crate) fn place(&self, spot: Spot) -> Place {
        place(spot, &self.file)
    }

    /// Adds a diagnostic with its place.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.found.push(diagnostic);
        let last = self.found.0.len() - 1;
        &mut self.found.0[last]
    }

    /// Whether there are more than will be told: looking for hints, which may take long, is in vain.
    pub(crate) fn is_full(&self) -> bool {
        self.found.0.len() > MOST_MISTAKES
    }

    /// The mistakes in file order, the first ones of very many.
    pub(crate) fn finish(mut self) -> Diagnostics {
        self.found.sort();
        let more = self.found.0.len().saturating_sub(MOST_MISTAKES);
        if more > 0 {
            self.found.0.truncate(MOST_MISTAKES);
            let file = self.file.display();
            self.found.push(Diagnostic::error(format!("{file}: {more} more mistakes are not shown")));
        }
        self.found
    }
}
