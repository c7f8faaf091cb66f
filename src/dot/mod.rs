//! Drawings of a graph: Graphviz DOT, Mermaid, SVG and JSON, coloured by what a plan says of each node.

mod graphviz;
mod json;
mod mermaid;

use std::collections::BTreeMap;

use petgraph::visit::{EdgeRef, IntoEdgeReferences};

use crate::{
    graph::{Graph, NodeId},
    plan::{Plan, Verdict},
};

pub use graphviz::{dot, svg};
pub use json::json;
pub use mermaid::mermaid;

/// What a plan says of a node, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Everything it gives is known.
    Cached,
    /// Some of its chunks are stored.
    Partial,
    /// It will run.
    Run,
    /// Whether it runs depends on what nodes before it give.
    Unknown,
    /// No wanted output needs it.
    Unneeded,
}

impl Mark {
    /// Every mark, in the order of the legend.
    pub const ALL: [Self; 5] = [Self::Cached, Self::Partial, Self::Run, Self::Unknown, Self::Unneeded];

    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Partial => "partial",
            Self::Run => "run",
            Self::Unknown => "unknown",
            Self::Unneeded => "unneeded",
        }
    }

    /// Fill colour, light enough for dark text (and told apart by people who do not see red and green).
    fn fill(self) -> &'static str {
        match self {
            Self::Cached => "#c7e9c0",
            Self::Partial => "#e5f0a8",
            Self::Run => "#fdd0a2",
            Self::Unknown => "#fff7bc",
            Self::Unneeded => "#eeeeee",
        }
    }
}

/// Marks by node; empty without a plan.
pub type Marks = BTreeMap<NodeId, Mark>;

/// The marks of every node by `plan`, which leaves out nodes that no wanted output needs.
pub fn marks(graph: &Graph, plan: &Plan) -> Marks {
    let verdicts: BTreeMap<&str, Verdict> =
        plan.nodes.iter().map(|node| (node.id.as_ref(), node.verdict)).collect();
    let mark = |id: NodeId| match verdicts.get(graph.dag[id].id.as_str()) {
        Some(Verdict::Cached) => Mark::Cached,
        Some(Verdict::Partial) => Mark::Partial,
        Some(Verdict::Run) => Mark::Run,
        Some(Verdict::Unknown) => Mark::Unknown,
        None => Mark::Unneeded,
    };
    graph.dag.node_indices().map(|id| (id, mark(id))).collect()
}

/// Fill colour of graph inputs and outputs without a mark.
const ENDS: &str = "#deebf7";
/// Fill colour of nodes without a mark.
const PLAIN: &str = "#ffffff";

/// A node as drawn.
struct Shape<'a> {
    id: &'a str,
    ty: &'a str,
    is_input: bool,
    mark: Option<Mark>,
}

impl Shape<'_> {
    fn fill(&self) -> &'static str {
        self.mark.map_or(if self.is_input { ENDS } else { PLAIN }, Mark::fill)
    }
}

/// A connection as drawn.
struct Arrow<'a> {
    from: usize,
    to: usize,
    output: &'a str,
    input: &'a str,
    ty: &'static str,
    sequence: bool,
}

/// What every format draws: nodes in file order, connections in the order of their targets.
struct Picture<'a> {
    name: &'a str,
    nodes: Vec<Shape<'a>>,
    arrows: Vec<Arrow<'a>>,
    outputs: Vec<(&'a str, usize, &'a str)>,
}

impl<'a> Picture<'a> {
    fn new(graph: &'a Graph, marks: &Marks) -> Self {
        let number: BTreeMap<NodeId, usize> =
            graph.dag.node_indices().enumerate().map(|(number, id)| (id, number)).collect();
        let nodes = graph.dag.node_indices().map(|id| {
            let node = &graph.dag[id];
            Shape {
                id: &node.id,
                ty: &node.contract.name,
                is_input: node.is_input,
                mark: marks.get(&id).copied(),
            }
        });
        let arrows = graph.dag.edge_references().map(|edge| {
            let output = graph.dag[edge.source()].contract.find_output(&edge.weight().from);
            Arrow {
                from: number[&edge.source()],
                to: number[&edge.target()],
                output: &edge.weight().from,
                input: &edge.weight().to,
                ty: output.map_or("", |output| output.ty.name()),
                sequence: output.is_some_and(|output| output.sequence.is_some()),
            }
        });
        let outputs = graph.outputs.iter();
        let outputs =
            outputs.map(|output| (output.name.as_str(), number[&output.node], output.port.as_str()));
        let mut picture = Self {
            name: &graph.name,
            nodes: nodes.collect(),
            arrows: arrows.collect(),
            outputs: outputs.collect(),
        };
        picture.arrows.sort_by_key(|arrow| (arrow.to, arrow.input, arrow.from));
        picture
    }
}
