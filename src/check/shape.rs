//! The graph as a whole: no loops, agreeing frame rates, nothing unused; and the validated [`Graph`] itself.

use std::collections::{BTreeSet, VecDeque};

use petgraph::{
    Direction,
    algo::{tarjan_scc, toposort},
    graph::NodeIndex,
    stable_graph::StableDiGraph,
    visit::EdgeRef,
};
use talkgraph_nodes::{
    artifact::ArtifactType,
    contract::{Arity, Rate, SequenceRate},
};

use super::{
    edges::{Link, Wiring},
    nodes::Draft,
};
use crate::{
    error::{Diagnostic, Diagnostics},
    graph::{Edge, Graph, GraphInput, GraphOutput, Node, NodeId, Part},
    spec::{GraphSpec, Mistakes, SEPARATOR},
};

/// Checks the shape and builds the graph; `None` when drafts are too incomplete for it. Node indices follow file order;
/// nothing else depends on it.
pub(super) fn build(
    spec: &GraphSpec,
    drafts: Vec<Draft<'_>>,
    wiring: Wiring,
    mistakes: &mut Mistakes,
) -> Option<Graph> {
    let acyclic = report_cycles(&drafts, &wiring.links, mistakes);
    report_unused(spec, &drafts, &wiring, mistakes);

    let mut dag: StableDiGraph<Node, Edge, u32> = StableDiGraph::default();
    let mut declared: Vec<Option<ArtifactType>> = vec![];
    let mut unfed = vec![];
    for draft in drafts {
        let is_input = draft.is_input;
        declared.push(draft.input);
        if let Some(what) = draft.unfed {
            let message = format!("{}: {what} cannot come from a file", draft.owner);
            unfed.push(Diagnostic::error(message).at(mistakes.place(draft.id.spot)));
        }
        dag.add_node(Node {
            id: draft.id.value.clone(),
            contract: draft.contract?,
            params: draft.params,
            connected: draft.connected,
            cache: draft.cache,
            is_input,
            rate: None,
            place: mistakes.place(draft.id.spot),
        });
    }
    if let Some(last) = unfed.last_mut() {
        last.hint = Some("this graph is a part of others: use it as a node, `graph: FILE`".into());
    }
    for link in wiring.links {
        dag.add_edge(node(link.from), node(link.to), link.edge?);
    }
    if !acyclic {
        return None;
    }
    settle_rates(&mut dag, mistakes)?;

    let inputs = spec.inputs.iter().enumerate().map(|(index, input)| {
        Some(GraphInput { name: input.name.value.clone(), ty: declared[index]?, node: node(index) })
    });
    let outputs = spec.outputs.iter().zip(wiring.wanted).map(|(output, wanted)| {
        let (from, port) = wanted?;
        let place = mistakes.place(output.name.spot);
        Some(GraphOutput { name: output.name.value.clone(), node: node(from), port, place, row: None })
    });
    let parts = spec.parts.iter().map(|part| Part { id: part.id.value.clone(), file: part.file.clone() });
    Some(Graph {
        name: spec.name.clone(),
        file: spec.file.clone(),
        parts: parts.collect(),
        inputs: inputs.collect::<Option<_>>()?,
        outputs: outputs.collect::<Option<_>>()?,
        dag,
        warnings: vec![],
        unfed: Diagnostics(unfed),
        rows: vec![],
    })
}

fn node(index: usize) -> NodeId {
    NodeIndex::new(index)
}

/// Reports each loop once, by a shortest way around it.
fn report_cycles(drafts: &[Draft<'_>], links: &[Link], mistakes: &mut Mistakes) -> bool {
    let mut graph: StableDiGraph<(), usize, u32> = StableDiGraph::default();
    drafts.iter().for_each(|_| {
        graph.add_node(());
    });
    for (index, link) in links.iter().enumerate() {
        graph.add_edge(node(link.from), node(link.to), index);
    }
    let mut acyclic = true;
    for component in tarjan_scc(&graph) {
        let members: BTreeSet<NodeId> = component.into_iter().collect();
        let Some(&first) = members.first() else { continue };
        let Some(way) = way_around(&graph, first, &members) else { continue };
        acyclic = false;
        let names: Vec<&str> = way.iter().map(|node| drafts[node.index()].id.value.as_str()).collect();
        let closing = way[way.len() - 2];
        let spot = graph
            .find_edge(closing, first)
            .map_or(drafts[first.index()].id.spot, |edge| links[graph[edge]].spot);
        mistakes.error(spot, format!("cycle: {}", names.join(" → "))).hint =
            Some("a node cannot need its own output: change one of these references".into());
    }
    acyclic
}

/// The shortest way from `start` back to it within `members`, both ends included.
fn way_around(
    graph: &StableDiGraph<(), usize, u32>,
    start: NodeId,
    members: &BTreeSet<NodeId>,
) -> Option<Vec<NodeId>> {
    let mut before = vec![None; graph.node_count()];
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let mut next: Vec<NodeId> = graph.neighbors(at).filter(|next| members.contains(next)).collect();
        next.sort();
        for next in next {
            if next == start {
                let back = std::iter::successors(Some(at), |at| before[at.index()]);
                let mut way: Vec<NodeId> = back.collect();
                way.reverse();
                way.push(start);
                return Some(way);
            }
            if before[next.index()].is_none() {
                before[next.index()] = Some(at);
                queue.push_back(next);
            }
        }
    }
    None
}

/// Warns of nodes, parts and inputs of the graph itself that no graph output needs. A part's own nodes are its file's concern: not every
/// graph needs all that a part gives.
fn report_unused(spec: &GraphSpec, drafts: &[Draft<'_>], wiring: &Wiring, mistakes: &mut Mistakes) {
    // What could not be read may need anything.
    if wiring.wanted.is_empty() || !spec.unread.is_empty() {
        return;
    }
    let mut needs = vec![vec![]; drafts.len()];
    for link in &wiring.links {
        needs[link.to].push(link.from);
    }
    let mut used = vec![false; drafts.len()];
    let wanted = wiring.wanted.iter().flatten().map(|(index, _)| *index);
    let mut open: Vec<usize> = wanted.chain(wiring.meant.iter().copied()).collect();
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut used[index], true) {
            open.extend(&needs[index]);
        }
    }
    let used_parts: BTreeSet<&str> = drafts
        .iter()
        .zip(&used)
        .filter(|(draft, used)| **used && !draft.scope.is_empty())
        .filter_map(|(draft, _)| draft.id.value.split(SEPARATOR).next())
        .collect();
    let own = drafts.iter().zip(used).filter(|(draft, used)| !used && draft.scope.is_empty());
    let own = own.map(|(draft, _)| (draft.owner.clone(), draft.id.spot));
    let parts = spec.parts.iter().filter(|part| part.scope.is_empty());
    let parts = parts.filter(|part| !used_parts.contains(part.id.value.as_str()));
    // A part that only hands on what it is given has nothing that could be used.
    let parts = parts.filter(|part| spec.nodes.iter().any(|node| node.scope.starts_with(&part.inside())));
    let parts = parts.map(|part| (format!("node `{}`", part.id.value), part.id.spot));
    for (owner, spot) in own.chain(parts) {
        let message = format!("{owner} is not used: no output of the graph needs it");
        let hint = "it does not run; remove it, or name what it gives under `outputs`";
        let place = mistakes.place(spot);
        mistakes.push(Diagnostic::warning(message).at(place).hint(hint));
    }
}

/// Gives every node with sequences its frame rate, inputs before users; rates that disagree are mistakes.
fn settle_rates(dag: &mut StableDiGraph<Node, Edge, u32>, mistakes: &mut Mistakes) -> Option<()> {
    for id in toposort(&*dag, None).ok()? {
        let chunked = incoming_rates(dag, id, Arity::Chunk);
        let sequences = incoming_rates(dag, id, Arity::Sequence);
        let mut all = chunked.iter().chain(&sequences);
        if let Some(((first, rate), (other, other_rate))) =
            all.next().and_then(|one| Some((one, all.find(|other| other.1 != one.1)?)))
        {
            let node = &dag[id];
            let message = format!(
                "node `{}`: its sequences run at different rates: `{first}` at {}, `{other}` at {} frames a second",
                node.id, rate, other_rate
            );
            let hint = format!(
                "`fps: {rate}` at the top level of the graph, or --set fps={rate}, is the rate of all nodes that say none themselves"
            );
            mistakes.push(Diagnostic::error(message).at(node.place.clone()).hint(hint));
        }
        let inherited = chunked.first().or(sequences.first()).map(|(_, rate)| *rate);
        let rate = dag[id].contract.outputs.iter().find_map(|output| match output.sequence? {
            SequenceRate::Fixed(rate) => Some(rate),
            SequenceRate::Inherited => inherited,
        });
        dag[id].rate = rate.or(inherited);
    }
    Some(())
}

/// The connected inputs of this arity, by port name, with their rates.
fn incoming_rates(dag: &StableDiGraph<Node, Edge, u32>, id: NodeId, arity: Arity) -> Vec<(String, Rate)> {
    let contract = &dag[id].contract;
    let edges = dag.edges_directed(id, Direction::Incoming);
    let mut rates: Vec<_> = edges
        .filter(|edge| contract.find_input(&edge.weight().to).is_some_and(|input| input.arity == arity))
        .filter_map(|edge| Some((edge.weight().to.clone(), dag[edge.source()].rate?)))
        .collect();
    rates.sort_by(|a, b| a.0.cmp(&b.0));
    rates
}
