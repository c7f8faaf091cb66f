//! Runs: a plan carried out by the scheduler, the outputs written, and the report of it all.

mod dispatch;
mod emit;
mod fail;
mod host;
mod intake;
mod message;
mod outputs;
pub mod report;
mod rows;
mod scheduler;
mod tally;
mod worker;

use std::collections::BTreeMap;

pub use host::Stop;

use crate::{
    engine::{Engine, Request},
    events::{Event, Events},
    failure::RunError,
    graph::Graph,
    outputs::Outputs,
    plan::{Plan, board::Board},
};
use outputs::Desk;
pub(crate) use outputs::Written;
use report::{Report, Status};
pub use rows::RowEnd;
use scheduler::{End, Scheduler};
use tally::Tally;

/// How often a run plans anew because blobs were lost under it before it gives up.
const PLANS: usize = 6;

/// A run that is over.
#[derive(Debug)]
pub struct Outcome {
    /// What happened.
    pub report: Report,
    /// What went wrong, the most important first. Empty: all is done.
    pub errors: Vec<RunError>,
    /// Of a graph of many jobs: how the rows ended that did, by index. One that is not done is no error of the run.
    pub rows: BTreeMap<usize, RowEnd>,
    /// The user's files, for what the caller writes itself: report and trace.
    pub files: Outputs,
}

impl Outcome {
    /// The exit status of the process.
    pub fn status(&self) -> u8 {
        self.errors.first().map_or(0, RunError::status)
    }
}

/// Computes the wanted outputs of `graph` and writes them. An error is one that was found before any work began.
pub fn run(
    graph: &Graph,
    engine: &Engine,
    request: &Request,
    events: &Events,
    cancel: &Stop,
) -> Result<Outcome, RunError> {
    let mut files = Outputs::check(graph, engine, request)?;
    let mut tally = Tally::default();
    let mut written = Written::default();
    let mut request = request.clone();
    let mut board = Board::build(graph, engine, &request, false)?;
    files.make_folders()?;
    for attempt in 1.. {
        board.verify = attempt > 1;
        let desk = Desk { graph, request: &request, files: &mut files, written: &mut written };
        let end = attempt_once(&mut board, engine, desk, events, cancel, &mut tally)?;
        let rows = !graph.rows.is_empty();
        // Each row's files were written when it was over.
        let whole = end == End::Over
            && (rows || {
                files.look_again(graph, engine, &request);
                written.put_all(&board, &request, events, &mut tally, &files, &|| cancel.stopped())
            });
        let failed = !tally.failures.is_empty() && (!rows || !request.keep_going);
        if whole || tally.fatal.is_some() || cancel.stopped() || failed {
            break;
        }
        if attempt == PLANS {
            tally.fatal = Some(RunError::Unstable(attempt));
            break;
        }
        // What was refreshed already must not run once more.
        let named = std::mem::take(&mut request.refresh);
        let nodes = named.iter().flat_map(|name| graph.find_all(name)).map(|node| graph.dag[node].id.clone());
        request.refresh = nodes.filter(|node| !tally.ran.contains_key(node)).collect();
        board = Board::build(graph, engine, &request, false)?;
    }
    Ok(outcome(&board, engine, events, cancel, tally, &written, files))
}

fn attempt_once(
    board: &mut Board<'_>,
    engine: &Engine,
    mut desk: Desk<'_>,
    events: &Events,
    cancel: &Stop,
    tally: &mut Tally,
) -> Result<End, RunError> {
    board.settle()?;
    // The plan tells of these.
    board.found.clear();
    board.measured.clear();
    let plan = Plan::of(board);
    events.send(&Event::Planned { nodes: plan.events(board) });
    if plan.is_cached() && board.lost.is_empty() && board.graph.rows.is_empty() {
        return Ok(End::Over);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| RunError::Internal(format!("no scheduler thread: {error}")))?;
    let scheduler = Scheduler::new(board, engine, &mut desk, events, cancel.clone(), tally);
    runtime.block_on(scheduler.drive())
}

fn outcome(
    board: &Board<'_>,
    engine: &Engine,
    events: &Events,
    cancel: &Stop,
    mut tally: Tally,
    written: &Written,
    files: Outputs,
) -> Outcome {
    let missing = written.missing(board);
    let mut errors: Vec<RunError> = vec![];
    errors.extend(tally.fatal.take());
    let failures = std::mem::take(&mut tally.failures);
    let failed: Vec<_> = failures.iter().map(|(ix, _)| *ix).collect();
    errors.extend(failures.into_iter().map(|(_, error)| error));
    if cancel.stopped() && !missing.is_empty() {
        errors.insert(0, RunError::Interrupted);
    }
    let rows_failed = tally.rows.values().any(|row| !row.done);
    if errors.is_empty() && !missing.is_empty() && !rows_failed {
        errors.push(RunError::Internal(format!(
            "the scheduler stopped although these outputs are missing: {}",
            missing.join(", ")
        )));
    }
    let status = match errors.first() {
        None if rows_failed => Status::Failed,
        None => Status::Done,
        Some(RunError::Interrupted) => Status::Interrupted,
        Some(_) => Status::Failed,
    };
    let report = Report::of(board, engine, &tally, &failed, written, &errors, status, events.elapsed());
    events.send(&Event::Ended { status: status.name() });
    Outcome { report, errors, rows: tally.rows, files }
}
