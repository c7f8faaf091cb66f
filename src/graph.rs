//! The validated graph: nodes with resolved contracts, edges between their ports, and the outputs wanted by name.

use std::{collections::BTreeSet, path::PathBuf};

use petgraph::{graph::NodeIndex, stable_graph::StableDiGraph};
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
}

impl Graph {
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
