//! A plan as people and programs read it.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use talkgraph_cache::Digest;
use talkgraph_nodes::contract::{ParamKind, Time};

use super::board::{Board, Feed, NodeState, Phase, Why};
use super::unit::NodeIx;
use crate::{events::PlannedNode, graph::Node};

/// What a plan says of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that is needed of it is known.
    Cached,
    /// Some of it must run, the rest is known.
    Partial,
    /// It must run.
    Run,
    /// Depends on results that are not known yet.
    Unknown,
}

/// One node of a [`Plan`].
#[derive(Clone, Debug, Serialize)]
pub struct NodePlan {
    /// Its name.
    pub id: Arc<str>,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Arc<str>,
    /// In one word.
    pub verdict: Verdict,
    /// Chunks that need no work (one for a node that does not work in chunks).
    pub cached: usize,
    /// Chunks that must run.
    pub run: usize,
    /// Chunks that depend on what is not known yet.
    pub unknown: usize,
    /// Whether there may be more chunks than are known of.
    pub open: bool,
    /// Why chunks must run.
    pub why: BTreeMap<&'static str, usize>,
    /// What an unknown node waits for: the nodes or inputs that must come first.
    pub waits_for: Vec<Arc<str>>,
    /// Frames a second, where the node sets them itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<String>,
    /// Keys of its units, as far as they are known.
    pub keys: Vec<Option<Digest>>,
}

/// What would run.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Nodes that the wanted outputs need, in topological order.
    pub nodes: Vec<NodePlan>,
}

impl Why {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoAction => "no action of this key",
            Self::Refresh => "refresh",
            Self::NotStored => "recorded without storing its outputs",
            Self::Lost => "a blob is missing or damaged",
            Self::Unstored => "recorded, but its outputs are not stored and are needed",
        }
    }
}

impl Plan {
    /// The plan as the board stands.
    pub(crate) fn of(board: &Board<'_>) -> Self {
        Self { nodes: (0..board.nodes.len()).map(|ix| node_plan(board, ix)).collect() }
    }

    /// The plan of one node.
    pub fn node(&self, id: &str) -> Option<&NodePlan> {
        self.nodes.iter().find(|node| *node.id == *id)
    }

    /// Whether nothing has to run.
    pub fn is_cached(&self) -> bool {
        self.nodes.iter().all(|node| node.verdict == Verdict::Cached)
    }

    /// The same for listeners.
    pub(crate) fn events(&self, board: &Board<'_>) -> Vec<PlannedNode> {
        let nodes = self.nodes.iter().zip(&board.nodes);
        nodes
            .map(|(plan, node)| PlannedNode {
                node: plan.id.clone(),
                ty: plan.ty.clone(),
                chunked: matches!(node.time, Time::Map | Time::Scan),
                total: (!plan.open).then_some(node.units.len()),
                cached: plan.cached,
            })
            .collect()
    }
}

fn node_plan(board: &Board<'_>, ix: NodeIx) -> NodePlan {
    let node = &board.nodes[ix];
    let (mut cached, mut run, mut unknown) = (0, 0, 0);
    let mut why = BTreeMap::new();
    for unit in &node.units {
        match unit.phase {
            Phase::Unknown => unknown += 1,
            // A miss that is not to run has outputs that are not stored and that no one needs.
            _ if !unit.go => cached += 1,
            _ => {
                run += 1;
                if let Some(reason) = unit.why {
                    *why.entry(reason.text()).or_insert(0) += 1;
                }
            }
        }
    }
    let open = !node.complete;
    let verdict = match (cached, run, unknown) {
        (_, 0, 0) if !open => Verdict::Cached,
        (0, 0, _) => Verdict::Unknown,
        (0, _, _) => Verdict::Run,
        _ => Verdict::Partial,
    };
    let waits_for = if unknown > 0 || open { waits_for(board, node) } else { vec![] };
    NodePlan {
        id: node.name.clone(),
        ty: node.ty.clone(),
        verdict,
        cached,
        run,
        unknown,
        open,
        why,
        waits_for,
        fps: fps(&board.graph.dag[node.id]),
        keys: node.units.iter().map(|unit| unit.key.as_ref().map(|key| key.digest)).collect(),
    }
}

/// The frame rate that a node's parameters say.
fn fps(node: &Node) -> Option<String> {
    let param = node.contract.params.iter().find(|param| param.kind == ParamKind::Rate)?;
    node.params.rate(&param.name).ok().map(|rate| rate.to_string())
}

/// The direct inputs of a node that are not known yet.
fn waits_for(board: &Board<'_>, node: &NodeState) -> Vec<Arc<str>> {
    let mut waits = vec![];
    for port in &node.inputs {
        let from = match port.feed {
            Feed::File { .. } => continue,
            Feed::Absent => node.name.clone(),
            Feed::Port(from, p) if !board.nodes[from].outputs[p].settled() => board.nodes[from].name.clone(),
            Feed::Port(..) => continue,
        };
        if !waits.contains(&from) {
            waits.push(from);
        }
    }
    waits
}
