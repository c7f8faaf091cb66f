//! The validated graph: nodes with resolved contracts, edges between their ports, and the outputs wanted by name.

use std::{collections::BTreeSet, fmt, path::PathBuf};

use petgraph::{
    graph::NodeIndex,
    stable_graph::StableDiGraph,
    visit::{Dfs, Reversed, VisitMap},
};
use talkgraph_nodes::{
    artifact::ArtifactType,
    contract::{CacheMode, Contract, Rate},
    params::Params,
};

use crate::{
    error::{Diagnostic, Diagnostics},
    place::Place,
    spec::SEPARATOR,
};

/// A node of a [`Graph`].
pub type NodeId = NodeIndex<u32>;

/// One node. A graph input is a node too: of the type that decodes its artifact type, with the input's name as id.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name in the graph file, behind those of the parts that it is in; no part of any key.
    pub id: String,
    /// The contract, resolved for this use; its name finds the type in the registry.
    pub contract: Contract,
    /// Parameters, defaults filled in.
    pub params: Params,
    /// Connected input ports.
    pub connected: BTreeSet<String>,
    /// What the graph file says about storing.
    pub cache: CacheMode,
    /// Whether this node decodes the graph input of the same name.
    pub is_input: bool,
    /// Frame rate of its sequence outputs, where it has any.
    pub rate: Option<Rate>,
    /// Where it is defined.
    pub place: Place,
}

/// A connection from an output port to an input port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Output port of the source.
    pub from: String,
    /// Input port of the target.
    pub to: String,
}

/// A graph input.
#[derive(Clone, Debug)]
pub struct GraphInput {
    /// Name, as in `-i NAME=PATH`.
    pub name: String,
    /// Declared type.
    pub ty: ArtifactType,
    /// The node that decodes it.
    pub node: NodeId,
}

/// A graph output.
#[derive(Clone, Debug)]
pub struct GraphOutput {
    /// Name, as in `-o NAME=PATH`.
    pub name: String,
    /// The node that gives it.
    pub node: NodeId,
    /// Its port.
    pub port: String,
    /// Where it is defined.
    pub place: Place,
    /// Index of the row that wants it, in a graph of many.
    pub row: Option<usize>,
}

/// One of many jobs that are done as one graph. Names in that graph are its number, a slash and the name in the graph of one job; what
/// several rows share has the number of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number, from one.
    pub number: usize,
    /// Where it is written, if in a file.
    pub place: Option<Place>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}"),
            None => write!(f, "row {}", self.number),
        }
    }
}

/// A graph file used as a node.
#[derive(Clone, Debug)]
pub struct Part {
    /// Name; those of its nodes begin with it and a slash.
    pub id: String,
    /// Its file.
    pub file: PathBuf,
}

/// A validated graph: acyclic, every edge well-typed, every required port connected.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Name in the file.
    pub name: String,
    /// The file as the user named it.
    pub file: PathBuf,
    /// Its parts, outer ones before those in them.
    pub parts: Vec<Part>,
    /// Nodes and edges.
    pub dag: StableDiGraph<Node, Edge, u32>,
    /// Inputs in file order.
    pub inputs: Vec<GraphInput>,
    /// Outputs in file order.
    pub outputs: Vec<GraphOutput>,
    /// What `check` complains of although the graph can run: nodes and inputs that no output needs.
    pub warnings: Vec<Diagnostic>,
    /// Inputs that no file can be given for: the graph is a part of others and cannot run by itself.
    pub unfed: Diagnostics,
    /// The rows that it is put together of, by number; none in a graph of one job.
    pub rows: Vec<Row>,
}

impl Graph {
    /// What people call `name`, of a node, an input or an output: in a graph of many rows the name in its own row's.
    pub fn shown(&self, name: &str) -> String {
        let of = self
            .row_of(name)
            .and_then(|(number, local)| Some((self.rows.iter().find(|row| row.number == number)?, local)));
        of.map_or_else(|| format!("`{name}`"), |(row, local)| format!("`{local}` of {row}"))
    }

    /// The number of the row that `name` belongs to, and the name in that row's own graph; `None` in a graph of one job.
    pub fn row_of<'a>(&self, name: &'a str) -> Option<(usize, &'a str)> {
        let (number, local) = name.split_once(SEPARATOR).filter(|_| !self.rows.is_empty())?;
        Some((number.parse().ok()?, local))
    }

    /// The inputs without which the outputs called so cannot be made.
    pub fn inputs_for(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<&GraphInput> {
        let upwards = Reversed(&self.dag);
        let mut walk = Dfs::empty(upwards);
        for output in self.outputs.iter().filter(|output| is_wanted(&output.name)) {
            walk.move_to(output.node);
            while walk.next(upwards).is_some() {}
        }
        self.inputs.iter().filter(|input| walk.discovered.is_visited(&input.node)).collect()
    }

    /// The node called `id`.
    pub fn find(&self, id: &str) -> Option<NodeId> {
        self.dag.node_indices().find(|&node| self.dag[node].id == id)
    }

    /// The node called `name`, or all nodes in the part called so.
    pub fn find_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.dag.node_indices().filter(move |&node| is_in(&self.dag[node].id, name))
    }
}

/// Whether the node `id` is called `name`, or is in the part that is.
pub fn is_in(id: &str, name: &str) -> bool {
    id.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATOR))
}
