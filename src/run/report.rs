//! The report of a run: a JSON object that scripts read.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::Value;
use talkgraph_cache::Digest;

use super::{Written, rows::of_each, tally::Tally};
use crate::{
    engine::Engine,
    failure::RunError,
    plan::{
        board::{Board, NodeState},
        key::list_digest,
        unit::NodeIx,
    },
};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything wanted is there.
    Done,
    /// Something failed.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

impl Status {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// How a node fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// Nothing of it ran.
    Cached,
    /// All or some of it ran.
    Ran,
    /// It failed.
    Failed,
    /// It did not run to its end since another node failed or the run was interrupted.
    Skipped,
}

/// Chunks of a node; one for a node that does not work in chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Chunks {
    /// Needed no work.
    pub cached: usize,
    /// Ran.
    pub ran: usize,
}

/// One node.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// Its name.
    pub id: Arc<str>,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Arc<str>,
    /// How it fared.
    pub status: NodeStatus,
    /// Time that its body took in this run, with reading and storing, over all threads.
    pub seconds: f64,
    /// Digest of its action; for nodes that work in chunks, of the list of their actions.
    pub key: Option<Digest>,
    /// Digests by output port, as far as they are known.
    pub outputs: BTreeMap<String, Digest>,
    /// Chunks.
    pub chunks: Chunks,
    /// What the body noted, now or when it ran. Over chunks, whole numbers are added up, other numbers averaged and
    /// other values listed once.
    pub notes: Value,
}

/// One output.
#[derive(Clone, Debug, Serialize)]
pub struct OutputReport {
    /// The file: the user's, or the blob where none was named; none for sequences.
    pub path: Option<PathBuf>,
    /// Digest of its content.
    pub digest: Digest,
}

/// How a row of a graph of many jobs fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// All of its outputs are there.
    Done,
    /// One of its nodes failed, or a file could not be written.
    Failed,
    /// It was not finished since another row failed or the run was interrupted.
    Skipped,
}

/// One of many jobs.
#[derive(Clone, Debug, Serialize)]
pub struct RowReport {
    /// Its number, from one.
    pub row: usize,
    /// Where it is written: file and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What it asks for, by column.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
    /// How it fared.
    pub status: RowStatus,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// Its outputs by name, those that are there.
    pub outputs: BTreeMap<String, OutputReport>,
    /// How many of the nodes that it needs needed no work.
    pub cached: usize,
    /// How many of them ran, for this row or for one that shares them.
    pub ran: usize,
}

/// A blob that was missing or damaged.
#[derive(Clone, Debug, Serialize)]
pub struct LostReport {
    /// The node that made it.
    pub node: String,
    /// The blob.
    pub digest: Digest,
    /// Damaged, or else missing.
    pub damaged: bool,
}

/// An error.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorReport {
    /// The error's line.
    pub message: String,
    /// Its causes, outermost first.
    pub causes: Vec<String>,
    /// What the user can do.
    pub hint: Option<String>,
}

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the graph.
    pub graph: String,
    /// How it ended.
    pub status: Status,
    /// Time from the plan's beginning to the end.
    pub wall_seconds: f64,
    /// Most memory that the process has held.
    pub peak_rss_bytes: u64,
    /// Nodes that the wanted outputs need, in topological order.
    pub nodes: Vec<NodeReport>,
    /// Outputs by name.
    pub outputs: BTreeMap<String, OutputReport>,
    /// Of a graph of many jobs: how each fared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowReport>,
    /// Blobs that were missing or damaged, and were made again.
    pub lost: Vec<LostReport>,
    /// What went wrong.
    pub errors: Vec<ErrorReport>,
    /// Versions of what takes part.
    pub versions: BTreeMap<&'static str, String>,
}

impl Report {
    #[expect(clippy::too_many_arguments, reason = "the one place where everything comes together")]
    pub(crate) fn of(
        board: &Board<'_>,
        engine: &Engine,
        tally: &Tally,
        failed: &[NodeIx],
        written: &Written,
        errors: &[RunError],
        status: Status,
        wall: Duration,
    ) -> Self {
        let nodes: Vec<_> = (0..board.nodes.len()).map(|ix| node_report(board, ix, tally, failed)).collect();
        let rows = row_reports(board, &nodes, tally, written);
        let outputs = written.0.iter().map(|(name, (path, digest))| {
            (name.clone(), OutputReport { path: path.clone(), digest: *digest })
        });
        let lost = tally.lost.iter().map(|(node, digest, damaged)| LostReport {
            node: node.clone(),
            digest: *digest,
            damaged: *damaged,
        });
        Self {
            graph: board.graph.name.clone(),
            status,
            wall_seconds: wall.as_secs_f64(),
            peak_rss_bytes: peak_rss(),
            nodes,
            outputs: outputs.collect(),
            rows,
            lost: lost.collect(),
            errors: errors.iter().map(ErrorReport::from).collect(),
            versions: versions(engine),
        }
    }

    /// Whether anything ran, and so may have been stored.
    pub fn stored(&self) -> bool {
        self.nodes.iter().any(|node| node.chunks.ran > 0)
    }

    /// The report of one node.
    pub fn node(&self, id: &str) -> Option<&NodeReport> {
        self.nodes.iter().find(|node| *node.id == *id)
    }
}

/// Rows as far as the board knows: neither why one failed nor its columns.
fn row_reports(board: &Board<'_>, nodes: &[NodeReport], tally: &Tally, written: &Written) -> Vec<RowReport> {
    let rows = board.graph.rows.iter().zip(of_each(board)).enumerate();
    let mut reports: Vec<RowReport> = rows
        .map(|(index, (row, needs))| {
            let count = |status| needs.iter().filter(|ix| nodes[**ix].status == status).count();
            RowReport {
                row: row.number,
                place: row.place.as_ref().map(ToString::to_string),
                columns: BTreeMap::new(),
                status: match tally.rows.get(&index) {
                    Some(end) if end.done => RowStatus::Done,
                    Some(_) => RowStatus::Failed,
                    None => RowStatus::Skipped,
                },
                error: None,
                outputs: BTreeMap::new(),
                cached: count(NodeStatus::Cached),
                ran: count(NodeStatus::Ran),
            }
        })
        .collect();
    for wanted in &board.outputs {
        let Some((path, digest)) = written.0.get(&wanted.name) else { continue };
        let Some((row, (_, local))) = wanted.row.zip(board.graph.row_of(&wanted.name)) else { continue };
        let output = OutputReport { path: path.clone(), digest: *digest };
        reports[row].outputs.insert(local.to_owned(), output);
    }
    reports
}

impl From<&RunError> for ErrorReport {
    fn from(error: &RunError) -> Self {
        Self { message: error.to_string(), causes: error.causes(), hint: error.hint() }
    }
}

fn node_report(board: &Board<'_>, ix: NodeIx, tally: &Tally, failed: &[NodeIx]) -> NodeReport {
    let node = &board.nodes[ix];
    let mut chunks = Chunks::default();
    for unit in &node.units {
        let ran = unit.key.as_ref().is_some_and(|key| tally.has_run(&node.name, &key.digest));
        match ran {
            true => chunks.ran += 1,
            // A miss that did not have to run: its outputs are not stored and no one needed them.
            false if unit.key.is_some() && !unit.go && (unit.recorded || tally.fatal.is_none()) => {
                chunks.cached += 1;
            }
            false => {}
        }
    }
    let over = node.complete && node.units.iter().all(|unit| !unit.go && unit.key.is_some());
    let status = match () {
        () if failed.contains(&ix) => NodeStatus::Failed,
        () if tally.skipped.contains(&ix) || !over => NodeStatus::Skipped,
        () if chunks.ran > 0 => NodeStatus::Ran,
        () => NodeStatus::Cached,
    };
    let outputs = node.specs.iter().zip(&node.outputs).filter_map(|(spec, port)| {
        let digest = if spec.sequence { port.list } else { port.slots.first()?.digest };
        Some((spec.name.clone(), digest?))
    });
    NodeReport {
        id: node.name.clone(),
        ty: node.ty.clone(),
        status,
        seconds: tally.seconds.get(&ix).copied().unwrap_or_default(),
        key: node_key(node),
        outputs: outputs.collect(),
        chunks,
        notes: merge_notes(node.units.iter().map(|unit| &unit.notes)),
    }
}

fn node_key(node: &NodeState) -> Option<Digest> {
    let keys: Option<Vec<_>> =
        node.units.iter().map(|unit| unit.key.as_ref().map(|key| key.digest)).collect();
    match (keys?.as_slice(), node.is_chunked()) {
        ([key], false) => Some(*key),
        (keys, _) => Some(list_digest(keys.iter())),
    }
}

/// One set of notes for all chunks.
fn merge_notes<'a>(notes: impl Iterator<Item = &'a Value>) -> Value {
    let mut merged: BTreeMap<&String, Vec<&Value>> = BTreeMap::new();
    let mut chunks = 0;
    for note in notes {
        chunks += 1;
        for (name, value) in note.as_object().into_iter().flatten() {
            merged.entry(name).or_default().push(value);
        }
    }
    let merge = |values: Vec<&Value>| match values.as_slice() {
        [one] if chunks == 1 => (*one).clone(),
        all if all.iter().all(|value| value.is_i64() || value.is_u64()) => {
            all.iter().filter_map(|value| value.as_i64()).sum::<i64>().into()
        }
        all if all.iter().all(|value| value.is_number()) => {
            let sum: f64 = all.iter().filter_map(|value| value.as_f64()).sum();
            (sum / all.len() as f64).into()
        }
        all => {
            let mut once: Vec<Value> = vec![];
            for value in all {
                if !once.contains(value) {
                    once.push((*value).clone());
                }
            }
            if once.len() == 1 { once.remove(0) } else { Value::Array(once) }
        }
    };
    Value::Object(merged.into_iter().map(|(name, values)| (name.clone(), merge(values))).collect())
}

/// Most memory that the process has held, in bytes.
fn peak_rss() -> u64 {
    // SAFETY: `rusage` is plain data that the call fills in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::getrusage(libc::RUSAGE_SELF, &mut usage) == 0).then_some(usage)
    };
    // Linux counts kilobytes.
    usage.map_or(0, |usage| u64::try_from(usage.ru_maxrss).unwrap_or_default() * 1024)
}

fn versions(engine: &Engine) -> BTreeMap<&'static str, String> {
    let mut versions = BTreeMap::from([("talkgraph", env!("CARGO_PKG_VERSION").to_owned())]);
    if let Ok(numerics) = engine.models.numerics(&[]) {
        versions.insert("onnxruntime", numerics.runtime);
        versions.insert("provider", numerics.provider);
        versions.insert("precision", engine.models.precision().to_string());
    }
    versions
}
