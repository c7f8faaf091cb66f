//! A graph file as written, and the parts that it is made of: names, references and parameters with their places, not yet checked
//! against node types.

mod expand;
mod follow;
mod marked;
mod read;
mod text;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

pub(crate) use expand::{Unsaved, canonical, expand};
pub(crate) use follow::{Names, Origin, Way};
pub(crate) use read::{SEQUENCE, read};
pub use talkgraph_yaml::Scalar;
pub(crate) use text::decode;

use crate::{
    error::{Diagnostic, Diagnostics},
    place::Place,
};
use talkgraph_nodes::contract::CacheMode;

/// The version of the graph format that this program reads.
pub const VERSION: i64 = 1;

/// What parts names of nodes into part and node: `person/pti`.
pub(crate) const SEPARATOR: char = '/';

/// Where something is written; line and column count from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Which of the files that were read.
    pub file: usize,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A spot in some file, or one in the file that is being read.
pub(crate) trait InFile {
    /// The spot, `current` being the file that is read.
    fn in_file(self, current: usize) -> Spot;
}

impl InFile for Spot {
    fn in_file(self, _: usize) -> Spot {
        self
    }
}

impl InFile for talkgraph_yaml::Spot {
    fn in_file(self, current: usize) -> Spot {
        Spot { file: current, line: self.line, column: self.column }
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
    /// Whether it is said to be a sequence of that type.
    pub sequence: bool,
    /// Whether a graph that uses this one as a part may leave it out.
    pub optional: bool,
    /// Parameters of the type that decodes it.
    pub params: Vec<ParamSpec>,
    /// How its decoded form is stored.
    pub cache: CacheMode,
}

/// Connections of input ports; `None` where the reference itself is unreadable (reported already).
pub type Connections = Vec<(At<String>, Option<At<Reference>>)>;

/// A node as it is written in one file: of a type, or a graph file as a part.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Name.
    pub id: At<String>,
    /// What it is.
    pub kind: Kind,
    /// Connections of input ports.
    pub inputs: Connections,
    /// Parameters.
    pub params: Vec<ParamSpec>,
    /// How its outputs are stored; of a part, those of its nodes that say nothing themselves.
    pub cache: CacheMode,
}

/// What an [`Entry`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A node of the type with this name.
    Type(At<String>),
    /// The graph in this file, relative to the one that names it.
    Part(At<String>),
}

/// A node, in a graph with all its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// Name, behind those of the parts that it is in: `person/pti`.
    pub id: At<String>,
    /// What its references are relative to: empty, or the part that it is in and a slash.
    pub scope: String,
    /// Node type, by name.
    pub ty: At<String>,
    /// Connections of input ports.
    pub inputs: Connections,
    /// Parameters: its own, and what the graphs around its part say in their place.
    pub params: Vec<ParamSpec>,
    /// How its outputs are stored.
    pub cache: CacheMode,
    /// Frames a second of the part that it is in, where the graph itself says nothing.
    pub fps: Option<At<Scalar>>,
}

/// A graph file used as a node.
#[derive(Clone, Debug, PartialEq)]
pub struct PartSpec {
    /// Name, as that of a node.
    pub id: At<String>,
    /// What its own connections are relative to.
    pub scope: String,
    /// The file as messages name it.
    pub file: PathBuf,
    /// Its connections.
    pub connections: Connections,
    /// Its inputs, which are its input ports.
    pub inputs: Vec<InputSpec>,
    /// Its outputs, relative to what is in it.
    pub outputs: Vec<OutputSpec>,
    /// Its parameters.
    pub params: Vec<AliasSpec>,
    /// Its frames a second.
    pub fps: Option<At<Scalar>>,
}

impl PartSpec {
    /// What the names in it are relative to.
    pub fn inside(&self) -> String {
        format!("{}{SEPARATOR}", self.id.value)
    }
}

/// A parameter of a whole graph: a name for parameters of its nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasSpec {
    /// Name.
    pub name: At<String>,
    /// What it sets: `node.param`, `part/node.param`, or `part.name` for a parameter of a part.
    pub targets: Vec<At<String>>,
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

/// One graph file as written.
#[derive(Clone, Debug, PartialEq)]
pub struct FileSpec {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Name in the file, or the file's own without its ending.
    pub name: String,
    /// Frames a second, for every parameter of this name that no node sets.
    pub fps: Option<At<Scalar>>,
    /// Inputs in file order.
    pub inputs: Vec<InputSpec>,
    /// Parameters of the whole graph.
    pub params: Vec<AliasSpec>,
    /// Nodes in file order.
    pub nodes: Vec<Entry>,
    /// Outputs in file order.
    pub outputs: Vec<OutputSpec>,
}

/// A graph with all its parts. Names of nodes in parts lie behind those of the parts; references are as written, each relative to
/// the scope of who has it.
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
    /// Parameters of the whole graph.
    pub params: Vec<AliasSpec>,
    /// Nodes, those of a part in its place.
    pub nodes: Vec<NodeSpec>,
    /// Parts, outer ones before those in them.
    pub parts: Vec<PartSpec>,
    /// Names of parts whose files are no graphs, which is among the mistakes.
    pub unread: Vec<String>,
    /// Outputs in file order.
    pub outputs: Vec<OutputSpec>,
}

/// Most mistakes that are told at once; so many come of one slip or of a file that is no graph.
const MOST_MISTAKES: usize = 200;

/// The files read, and the mistakes met, with their spots.
#[derive(Debug)]
pub(crate) struct Mistakes {
    files: Vec<PathBuf>,
    /// The file that is being read.
    current: usize,
    found: Diagnostics,
}

impl Mistakes {
    /// No mistakes in `file` so far.
    pub(crate) fn new(file: &Path) -> Self {
        Self { files: vec![file.to_owned()], current: 0, found: Diagnostics::default() }
    }

    /// A further file is being read from now on.
    pub(crate) fn open(&mut self, file: &Path) {
        self.current = self.files.len();
        self.files.push(file.to_owned());
    }

    /// The files that spots are in, by their numbers.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Adds an error at `spot`.
    pub(crate) fn error(&mut self, spot: impl InFile, message: impl Into<String>) -> &mut Diagnostic {
        let place = self.place(self.spot(spot));
        self.push(Diagnostic::error(message).at(place))
    }

    /// A spot of the file that is being read.
    pub(crate) fn spot(&self, spot: impl InFile) -> Spot {
        spot.in_file(self.current)
    }

    /// The spot's place.
    pub(crate) fn place(&self, spot: Spot) -> Place {
        Place { file: self.files[spot.file].clone(), line: spot.line, column: spot.column }
    }

    /// The folder of the file that the spot is in.
    pub(crate) fn folder(&self, spot: Spot) -> &Path {
        self.files[spot.file].parent().unwrap_or(Path::new(""))
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
        // A file that is a part twice has its mistakes once.
        let mut told = HashSet::new();
        self.found.0.retain(|one| told.insert((one.place.clone(), unplaced(&one.message))));
        let more = self.found.0.len().saturating_sub(MOST_MISTAKES);
        if more > 0 {
            self.found.0.truncate(MOST_MISTAKES);
            let file = self.files[0].display();
            self.found.push(Diagnostic::error(format!("{file}: {more} more mistakes are not shown")));
        }
        self.found
    }
}

/// A message with names of nodes as their own file says them.
fn unplaced(message: &str) -> String {
    let words = message.split('`').map(|word| word.rsplit(SEPARATOR).next().unwrap_or(word));
    words.collect::<Vec<_>>().join("`")
}
