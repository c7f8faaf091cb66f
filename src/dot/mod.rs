//! Drawings of a graph: Graphviz DOT, Mermaid, SVG and JSON, coloured by what a plan says of each node. Parts are drawn around what is in
//! them, or as one node each.

mod graphviz;
mod json;
mod layout;
mod mermaid;
mod svg;

use std::{borrow::Cow, collections::BTreeMap};

use petgraph::visit::{EdgeRef, IntoEdgeReferences};

use crate::{
    graph::{Graph, NodeId},
    plan::{Plan, Verdict},
    spec::SEPARATOR,
};

pub use graphviz::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use svg::svg;

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
/// Fill colour around what is in a part.
const PART: &str = "#f7f7f7";

/// A node as drawn.
struct Shape<'a> {
    id: &'a str,
    /// Its name within its part.
    name: &'a str,
    /// Its type; of a part the name of its file.
    ty: Cow<'a, str>,
    is_input: bool,
    is_part: bool,
    mark: Option<Mark>,
    /// The part that it is drawn in.
    group: Option<usize>,
}

impl Shape<'_> {
    fn fill(&self) -> &'static str {
        self.mark.map_or(if self.is_input { ENDS } else { PLAIN }, Mark::fill)
    }
}

/// A part around what is in it.
struct Group<'a> {
    id: &'a str,
    /// Its name within the part that it is in.
    name: &'a str,
    parent: Option<usize>,
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

impl Arrow<'_> {
    /// Its ports, once where they have the same name.
    fn label(&self) -> String {
        match self.output == self.input {
            true => self.input.to_owned(),
            false => format!("{} → {}", self.output, self.input),
        }
    }
}

/// What every format draws: nodes in file order, connections in the order of their targets.
pub struct Picture<'a> {
    name: &'a str,
    groups: Vec<Group<'a>>,
    nodes: Vec<Shape<'a>>,
    arrows: Vec<Arrow<'a>>,
    outputs: Vec<(&'a str, usize, &'a str)>,
}

impl<'a> Picture<'a> {
    /// The graph with its parts around what is in them; `collapse`: parts of the graph itself as one node each.
    pub fn new(graph: &'a Graph, marks: &Marks, collapse: bool) -> Self {
        let mut picture =
            Self { name: &graph.name, groups: vec![], nodes: vec![], arrows: vec![], outputs: vec![] };
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        if !collapse {
            for (number, part) in graph.parts.iter().enumerate() {
                let (around, name) = split(&part.id);
                let parent = around.and_then(|around| groups.get(around)).copied();
                groups.insert(&part.id, number);
                picture.groups.push(Group { id: &part.id, name, parent });
            }
        }
        let mut number: BTreeMap<NodeId, usize> = BTreeMap::new();
        let mut drawn: BTreeMap<&str, usize> = BTreeMap::new();
        for id in graph.dag.node_indices() {
            let (node, mark) = (&graph.dag[id], marks.get(&id).copied());
            let part = node.id.split_once(SEPARATOR).filter(|_| collapse).map(|(part, _)| part);
            if let Some(&known) = part.and_then(|part| drawn.get(part)) {
                picture.nodes[known].mark = joined(picture.nodes[known].mark, mark);
                number.insert(id, known);
                continue;
            }
            number.insert(id, picture.nodes.len());
            drawn.extend(part.map(|part| (part, picture.nodes.len())));
            let (around, name) = split(&node.id);
            let file = part.and_then(|part| graph.parts.iter().find(|one| one.id == part));
            let stem = file.and_then(|part| part.file.file_stem()).map(|stem| stem.to_string_lossy());
            picture.nodes.push(Shape {
                id: part.unwrap_or(&node.id),
                name: part.unwrap_or(name),
                ty: stem.unwrap_or(Cow::Borrowed(&node.contract.name)),
                is_input: node.is_input,
                is_part: part.is_some(),
                mark,
                group: around.and_then(|around| groups.get(around)).copied(),
            });
        }
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
        picture.arrows = arrows.filter(|arrow| arrow.from != arrow.to).collect();
        picture.arrows.sort_by_key(|arrow| (arrow.to, arrow.input, arrow.from, arrow.output));
        picture.arrows.dedup_by_key(|arrow| (arrow.to, arrow.input, arrow.from, arrow.output));
        let outputs = graph.outputs.iter();
        picture.outputs = outputs
            .map(|output| (output.name.as_str(), number[&output.node], output.port.as_str()))
            .collect();
        picture
    }

    /// What is drawn in a part, or beside all parts: nodes and further parts, by number.
    fn inside(&self, group: Option<usize>) -> (impl Iterator<Item = usize>, impl Iterator<Item = usize>) {
        let nodes = self.nodes.iter().enumerate().filter(move |(_, node)| node.group == group);
        let groups = self.groups.iter().enumerate().filter(move |(_, one)| one.parent == group);
        (nodes.map(|(number, _)| number), groups.map(|(number, _)| number))
    }

    /// How many lines connect what is drawn.
    pub fn edges(&self) -> usize {
        self.arrows.len() + self.outputs.len()
    }
}

/// The part that something is in, and its name there.
fn split(id: &str) -> (Option<&str>, &str) {
    id.rsplit_once(SEPARATOR).map_or((None, id), |(around, name)| (Some(around), name))
}

/// What a plan says of two nodes that are drawn as one.
fn joined(one: Option<Mark>, other: Option<Mark>) -> Option<Mark> {
    let (one, other) = one.zip(other)?;
    let pair = (one.min(other), one.max(other));
    Some(match pair {
        (one, other) if one == other => one,
        (one, Mark::Unneeded) => one,
        (Mark::Cached, Mark::Run | Mark::Partial) => Mark::Partial,
        (_, Mark::Unknown) => Mark::Unknown,
        (_, other) => other,
    })
}
