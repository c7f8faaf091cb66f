//! Lays out the board: the nodes that the wanted outputs need, in topological order, with their connections.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    iter,
    path::Path,
    sync::Arc,
};

use petgraph::{
    Direction,
    visit::{DfsPostOrder, EdgeRef, Reversed},
};
use talkgraph_cache::{Fingerprint, Store};
use talkgraph_nodes::{
    artifact::{Encoding, FileRef, Value},
    contract::{Arity, CacheMode, Time},
};

use super::{
    board::{Board, Feed, InPort, NodeState, OutPort, PortSpec, Slot, Task, Unit, Wanted},
    key,
    unit::NodeIx,
};
use crate::{
    engine::{Engine, Request},
    failure::{NodeFailure, RunError},
    graph::{Graph, GraphOutput, Node, NodeId},
};

impl<'g> Board<'g> {
    /// Lays out what `request` needs of `graph`. A graph input without a file is an error unless `absent_ok`.
    pub fn build(
        graph: &'g Graph,
        engine: &Engine,
        request: &Request,
        absent_ok: bool,
    ) -> Result<Self, RunError> {
        let wanted = wanted_outputs(graph, request)?;
        check_names(graph, request)?;
        let order = needed_in_order(graph, &wanted)?;
        let index: BTreeMap<NodeId, NodeIx> = order.iter().enumerate().map(|(ix, id)| (*id, ix)).collect();
        let folder = graph.file.parent().unwrap_or(Path::new(""));
        let mut nodes = Vec::with_capacity(order.len());
        for id in &order {
            nodes.push(node_state(graph, *id, engine, request, folder, absent_ok)?);
        }
        let mut board = Self {
            graph,
            store: engine.store.clone(),
            nodes,
            outputs: vec![],
            verify: false,
            work: VecDeque::new(),
            touched: vec![],
            drained: vec![],
            lost: vec![],
            found: vec![],
            measured: vec![],
            faults: vec![],
            present: HashSet::new(),
        };
        for (ix, id) in order.iter().enumerate() {
            board.connect(ix, *id, &index)?;
        }
        for output in wanted {
            let ix = index[&output.node];
            let port = board.port_named(ix, &output.port)?;
            board.nodes[ix].outputs[port].wanted = true;
            board.outputs.push(Wanted { name: output.name.clone(), row: output.row, node: ix, port });
        }
        board.settle_storing();
        for ix in 0..board.nodes.len() {
            match board.nodes[ix].time {
                Time::Value => board.work.push_back(Task::Resolve((ix, 0))),
                Time::Map | Time::Scan | Time::Reduce => board.work.push_back(Task::Grow(ix)),
            }
        }
        Ok(board)
    }

    fn port_named(&self, ix: NodeIx, name: &str) -> Result<usize, RunError> {
        let node = &self.nodes[ix];
        node.specs.iter().position(|port| port.name == name).ok_or_else(|| {
            RunError::Internal(format!("node `{}` ({}) has no output port `{name}`", node.name, node.ty))
        })
    }

    /// Connects the inputs of node `ix` to the outputs that feed them.
    fn connect(&mut self, ix: NodeIx, id: NodeId, index: &BTreeMap<NodeId, NodeIx>) -> Result<(), RunError> {
        let (mut chunked_rate, mut whole_rate) = (None, None);
        for edge in self.graph.dag.edges_directed(id, Direction::Incoming) {
            let from = index[&edge.source()];
            let port = self.port_named(from, &edge.weight().from)?;
            let contract = &self.graph.dag[id].contract;
            let Some(input) = contract.find_input(&edge.weight().to) else {
                return Err(RunError::Internal(format!(
                    "node `{}` has no input port `{}`",
                    self.nodes[ix].name,
                    edge.weight().to
                )));
            };
            let arity = input.arity;
            let rate = self.graph.dag[edge.source()].rate;
            match arity {
                Arity::Chunk => chunked_rate = rate.or(chunked_rate),
                Arity::Sequence => whole_rate = whole_rate.or(rate),
                Arity::Value => {}
            }
            let at = self.nodes[ix].inputs.len();
            let name = edge.weight().to.as_str().into();
            self.nodes[ix].inputs.push(InPort { name, arity, feed: Feed::Port(from, port) });
            let output = &mut self.nodes[from].outputs[port];
            output.wanted = true;
            output.consumers.push((ix, at));
        }
        self.nodes[ix].rate = chunked_rate.or(whole_rate);
        let node = &self.nodes[ix];
        let chunked = node.chunked().next().is_some();
        if matches!(node.time, Time::Map | Time::Scan) && !chunked {
            return Err(RunError::Internal(format!(
                "node `{}` ({}): a map or scan without a chunked input",
                node.name, node.ty
            )));
        }
        Ok(())
    }

    /// Stores what must be stored although no one asked: sequences that are read whole or by several nodes, what the
    /// user takes, and raw files, which live in a scratch folder otherwise.
    fn settle_storing(&mut self) {
        let taken: HashSet<_> = self.outputs.iter().map(|wanted| (wanted.node, wanted.port)).collect();
        for ix in 0..self.nodes.len() {
            let mut specs = self.nodes[ix].specs.to_vec();
            for (p, spec) in specs.iter_mut().enumerate() {
                let consumers = &self.nodes[ix].outputs[p].consumers;
                let whole = consumers
                    .iter()
                    .any(|(node, port)| self.nodes[*node].inputs[*port].arity == Arity::Sequence);
                spec.stored |= whole
                    || (spec.sequence && consumers.len() > 1)
                    || taken.contains(&(ix, p))
                    || spec.ty.encoding() == Encoding::Raw;
            }
            self.nodes[ix].specs = Arc::new(specs);
        }
    }
}

/// The graph outputs asked for: those with a path, or all when none has one.
fn wanted_outputs<'g>(graph: &'g Graph, request: &Request) -> Result<Vec<&'g GraphOutput>, RunError> {
    for name in request.outputs.keys() {
        if !graph.outputs.iter().any(|output| output.name == *name) {
            let known = graph.outputs.iter().map(|output| output.name.as_str());
            return Err(unknown("output", name, known));
        }
    }
    let wanted = graph.outputs.iter();
    Ok(wanted.filter(|out| request.outputs.is_empty() || request.outputs.contains_key(&out.name)).collect())
}

fn check_names(graph: &Graph, request: &Request) -> Result<(), RunError> {
    for name in request.inputs.keys() {
        if !graph.inputs.iter().any(|input| input.name == *name) {
            return Err(unknown("input", name, graph.inputs.iter().map(|input| input.name.as_str())));
        }
    }
    for name in &request.refresh {
        if graph.find_all(name).next().is_none() {
            return Err(unknown("node", name, graph.dag.node_weights().map(|node| node.id.as_str())));
        }
    }
    Ok(())
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> RunError {
    let known: Vec<_> = known.collect();
    let hint = if known.is_empty() {
        format!("this graph has no {what}s")
    } else {
        format!("known {what}s: {}", known.join(", "))
    };
    RunError::usage(format!("{what} `{name}`: the graph has no such {what}"), hint)
}

/// The nodes that `wanted` needs, each after those that feed it. Of many rows the last ones come first: what is nearer to the end goes
/// first ([decision 6](../../docs/decisions/0006-scheduling.md)), so rows are worked on in their order.
fn needed_in_order(graph: &Graph, wanted: &[&GraphOutput]) -> Result<Vec<NodeId>, RunError> {
    if !graph.rows.is_empty() {
        let upwards = Reversed(&graph.dag);
        let mut walk = DfsPostOrder::empty(upwards);
        let mut order = vec![];
        for output in wanted.iter().rev() {
            walk.move_to(output.node);
            order.extend(iter::from_fn(|| walk.next(upwards)));
        }
        return Ok(order);
    }
    let mut needed: HashSet<NodeId> = HashSet::new();
    let mut stack: Vec<NodeId> = wanted.iter().map(|output| output.node).collect();
    while let Some(id) = stack.pop() {
        if needed.insert(id) {
            stack.extend(graph.dag.neighbors_directed(id, Direction::Incoming));
        }
    }
    let order = petgraph::algo::toposort(&graph.dag, None).map_err(|cycle| {
        RunError::Internal(format!("a cycle through node `{}`", graph.dag[cycle.node_id()].id))
    })?;
    Ok(order.into_iter().filter(|id| needed.contains(id)).collect())
}

fn node_state(
    graph: &Graph,
    id: NodeId,
    engine: &Engine,
    request: &Request,
    folder: &Path,
    absent_ok: bool,
) -> Result<NodeState, RunError> {
    let node = &graph.dag[id];
    let ty = engine.registry.get(&node.contract.name).ok_or_else(|| {
        RunError::Internal(format!("node `{}`: type `{}` is not registered", node.id, node.contract.name))
    })?;
    let (fields, mut files) =
        key::fixed_fields(node, ty, &engine.models, &engine.store, folder).map_err(|source| {
            Box::new(NodeFailure { node: node.id.clone(), place: node.place.clone(), setup: true, source })
        })?;
    let single = matches!(node.contract.time, Time::Value | Time::Reduce);
    let specs: Vec<_> = node
        .contract
        .outputs
        .iter()
        .map(|output| PortSpec {
            name: output.name.to_string(),
            ty: output.ty,
            sequence: output.sequence.is_some(),
            stored: match node.cache {
                CacheMode::Auto => output.stored,
                CacheMode::Always | CacheMode::Refresh => true,
                CacheMode::Never => false,
            },
        })
        .collect();
    if let Some(port) = specs.iter().find(|port| !single && !port.sequence) {
        return Err(RunError::Internal(format!(
            "node `{}` ({}): a map or scan with the value output `{}`",
            node.id, node.contract.name, port.name
        )));
    }
    let inputs = file_port(node, engine, request, absent_ok, &mut files)?;
    Ok(NodeState {
        id,
        name: node.id.as_str().into(),
        ty: node.contract.name.as_ref().into(),
        place: node.place.clone(),
        time: node.contract.time,
        pool: node.contract.pool,
        fields,
        inputs,
        files: files.into(),
        outputs: specs.iter().map(|spec| out_port(spec, single)).collect(),
        specs: Arc::new(specs),
        rate: None,
        later: false,
        refresh: node.cache == CacheMode::Refresh || request.refreshes(&node.id),
        units: if single { vec![Unit::new()] } else { vec![] },
        complete: single,
        unfinished: usize::from(single),
        eaten: 0,
        begun: false,
    })
}

fn out_port(spec: &PortSpec, single: bool) -> OutPort {
    let value = single && !spec.sequence;
    OutPort {
        wanted: false,
        want_values: false,
        slots: if value { vec![Slot::default()] } else { vec![] },
        complete: value,
        known: 0,
        live: 0,
        list: None,
        consumers: vec![],
    }
}

/// For a node that decodes a graph input: its port `file`, fed with the user's file.
fn file_port(
    node: &Node,
    engine: &Engine,
    request: &Request,
    absent_ok: bool,
    files: &mut Vec<Arc<Fingerprint>>,
) -> Result<Vec<InPort>, RunError> {
    if !node.is_input {
        return Ok(vec![]);
    }
    let feed = match request.inputs.get(&node.id) {
        None if absent_ok => Feed::Absent,
        None => {
            let ty = node.contract.decodes.map_or("file", |ty| ty.name());
            return Err(RunError::usage(
                format!("{}: input `{}` ({ty}) is not given", node.place, node.id),
                format!("name its file with -i {}=PATH", node.id),
            ));
        }
        Some(path) => {
            let fingerprint = input(node, path, &engine.store)?;
            let digest = fingerprint.digest();
            files.push(Arc::new(fingerprint));
            let file = FileRef { path: path.clone(), digest: Some(digest) };
            Feed::File { artifact: Arc::new(Value::File(file)), digest }
        }
    };
    Ok(vec![InPort { name: "file".into(), arity: Arity::Value, feed }])
}

/// What the user's file at `path` is, given to the graph input that `node` decodes.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn input(node: &Node, path: &Path, store: &Store) -> Result<Fingerprint, RunError> {
    let endings: Vec<_> = node.contract.folder.iter().map(ToString::to_string).collect();
    store.input_fingerprint(path, &endings).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let readable = || format!("name a readable file with -i {}=PATH", node.id);
        RunError::usage(
            format!("input `{}`: {error}{}", node.id, cause.unwrap_or_default()),
            error.hint().map_or_else(readable, ToOwned::to_owned),
        )
    })
}
