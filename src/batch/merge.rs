//! One graph of many: nodes that would do the same are one.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
};

use petgraph::{
    Direction,
    algo::toposort,
    stable_graph::StableDiGraph,
    visit::{Dfs, EdgeRef},
};
use talkgraph_nodes::contract::CacheMode;

use super::Checked;
use crate::{
    error::Diagnostics,
    graph::{Graph, GraphInput, GraphOutput, NodeId},
    spec::SEPARATOR,
};

/// The graph of all rows, and what is asked of it.
#[derive(Debug)]
pub struct Merged {
    /// The graph; see [`crate::graph::Row`] for its names.
    pub graph: Graph,
    /// Files of its inputs.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Files of its outputs.
    pub outputs: BTreeMap<String, PathBuf>,
    /// By number of the row and name in its graph: the name in this one.
    names: HashMap<(usize, String), String>,
}

/// What makes two nodes one: whatever enters keys, and how results are stored.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    ty: String,
    params: String,
    cache: CacheMode,
    file: Option<PathBuf>,
    /// Port, and the node and port that feed it.
    feeds: Vec<(String, NodeId, String)>,
}

/// Lays the graphs of jobs into one. They are of the same file, that of `first`.
pub fn merge(first: &Graph, jobs: &[Checked]) -> Merged {
    let graph = Graph {
        name: first.name.clone(),
        file: first.file.clone(),
        parts: first.parts.clone(),
        dag: StableDiGraph::default(),
        inputs: vec![],
        outputs: vec![],
        warnings: vec![],
        unfed: Diagnostics::default(),
        rows: jobs.iter().map(|checked| checked.job.row.clone()).collect(),
    };
    let mut merged =
        Merged { graph, inputs: BTreeMap::new(), outputs: BTreeMap::new(), names: HashMap::new() };
    let mut known = HashMap::new();
    let all = jobs.iter().all(|checked| checked.job.outputs.is_empty());
    for (row, checked) in jobs.iter().enumerate() {
        merged.lay(row, checked, all, &mut known);
    }
    merged
}

impl Merged {
    /// What the node `name` of a row's own graph is called here; a part's name gives those of all nodes in it.
    pub fn called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_meant = |local: &str| crate::graph::is_in(local, name);
        self.names.iter().filter(move |((_, local), _)| is_meant(local)).map(|(_, here)| here.as_str())
    }

    /// The rows whose outputs need the node called `id` here, as indices.
    pub fn rows_of(&self, id: &str) -> Vec<usize> {
        let Some(node) = self.graph.find(id) else { return vec![] };
        let mut reached = HashSet::new();
        let mut walk = Dfs::new(&self.graph.dag, node);
        while let Some(next) = walk.next(&self.graph.dag) {
            reached.insert(next);
        }
        let outputs = self.graph.outputs.iter().filter(|output| reached.contains(&output.node));
        let rows: BTreeSet<usize> = outputs.filter_map(|output| output.row).collect();
        rows.into_iter().collect()
    }

    fn lay(&mut self, row: usize, checked: &Checked, all: bool, known: &mut HashMap<Same, NodeId>) {
        let (job, from) = (&checked.job, &checked.graph);
        let number = job.row.number;
        let here = |name: &str| format!("{number}{SEPARATOR}{name}");
        let wanted: Vec<_> =
            from.outputs.iter().filter(|output| all || job.outputs.contains_key(&output.name)).collect();
        let mut laid: HashMap<NodeId, NodeId> = HashMap::new();
        // A validated graph has no cycles.
        for id in toposort(&from.dag, None).unwrap_or_default() {
            let node = &from.dag[id];
            let mut feeds: Vec<_> = from
                .dag
                .edges_directed(id, Direction::Incoming)
                .map(|edge| {
                    let weight = edge.weight();
                    (weight.to.clone(), laid[&edge.source()], weight.from.clone())
                })
                .collect();
            feeds.sort();
            let file = node.is_input.then(|| job.inputs.get(&node.id)).flatten();
            let same = Same {
                ty: node.contract.name.to_string(),
                params: format!("{:?}", node.params),
                cache: node.cache,
                file: file.cloned(),
                feeds,
            };
            let dag = &mut self.graph.dag;
            let at = *known.entry(same).or_insert_with_key(|same| {
                let mut node = node.clone();
                node.id = here(&node.id);
                let at = dag.add_node(node);
                for (to, source, from) in &same.feeds {
                    dag.add_edge(*source, at, crate::graph::Edge { from: from.clone(), to: to.clone() });
                }
                at
            });
            laid.insert(id, at);
            self.names.insert((number, node.id.clone()), self.graph.dag[at].id.clone());
        }
        for input in &from.inputs {
            let at = laid[&input.node];
            let name = self.graph.dag[at].id.clone();
            let Some(file) = job.inputs.get(&input.name) else { continue };
            if self.inputs.insert(name.clone(), file.clone()).is_none() {
                self.graph.inputs.push(GraphInput { name, ty: input.ty, node: at });
            }
        }
        for output in wanted {
            let name = here(&output.name);
            if let Some(path) = job.outputs.get(&output.name) {
                self.outputs.insert(name.clone(), Path::to_owned(path));
            }
            self.graph.outputs.push(GraphOutput {
                name,
                node: laid[&output.node],
                port: output.port.clone(),
                place: output.place.clone(),
                row: Some(row),
            });
        }
    }
}
