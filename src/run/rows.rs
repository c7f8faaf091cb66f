//! Rows of a graph of many jobs: which are worked on, and when each is over.
//!
//! Rows are opened in their order, so many at a time. What no open row needs does not start, so that neither memory nor open files grow
//! with the table. What has begun goes on as long as any row that is not over needs it. A row is over when each of its outputs is there or
//! cannot come any more; its files are written then, and the next row is opened.

use std::time::{Duration, Instant};

use super::{
    host::Stop,
    outputs::{Desk, Put},
    scheduler::Scheduler,
};
use crate::{
    events::Event,
    failure::RunError,
    plan::{board::Board, unit::NodeIx},
};

/// How old a look at what the run reads may be when a row is written.
const FRESH: Duration = Duration::from_secs(1);

/// How a row ended.
#[derive(Debug)]
pub struct RowEnd {
    /// Whether all of its outputs are there.
    pub done: bool,
    /// Why a file of it could not be written.
    pub error: Option<RunError>,
}

/// What the scheduler knows of rows; nothing in a graph of one job.
#[derive(Default)]
pub(super) struct Rows {
    /// Wanted outputs of each row, as indices on the board.
    outputs: Vec<Vec<usize>>,
    /// Nodes that each row needs.
    needs: Vec<Vec<NodeIx>>,
    /// By node.
    nodes: Vec<NodeRows>,
    /// Rows that are worked on.
    open: Vec<usize>,
    /// The next row to open.
    next: usize,
    /// Most that are open.
    most: usize,
    /// When it was last looked at what the run reads.
    looked: Option<Instant>,
}

/// How many rows need a node.
#[derive(Clone, Copy, Default)]
struct NodeRows {
    open: usize,
    /// Those that are not over, open or not.
    left: usize,
    begun: bool,
}

impl Rows {
    /// The rows of `board`, `most` of them open at a time; its nodes are put off until then.
    pub fn new(board: &mut Board<'_>, most: usize) -> Self {
        let count = board.graph.rows.len();
        if count == 0 {
            return Self::default();
        }
        let mut outputs = vec![vec![]; count];
        for (index, wanted) in board.outputs.iter().enumerate() {
            outputs[wanted.row.unwrap_or_default()].push(index);
        }
        let needs = of_each(board);
        let mut nodes = vec![NodeRows::default(); board.nodes.len()];
        needs.iter().flatten().for_each(|&ix| nodes[ix].left += 1);
        board.nodes.iter_mut().for_each(|node| node.later = true);
        Self { outputs, needs, nodes, open: vec![], next: 0, most: most.max(1), looked: None }
    }

    /// Whether a node may start something.
    pub fn allow(&self, ix: NodeIx) -> bool {
        self.nodes.get(ix).is_none_or(|node| node.open > 0 || (node.begun && node.left > 0))
    }

    /// A node has started something.
    pub fn begin(&mut self, ix: NodeIx) {
        if let Some(node) = self.nodes.get_mut(ix) {
            node.begun = true;
        }
    }

    /// Whether no row needs a node any more.
    pub fn is_free(&self, ix: NodeIx) -> bool {
        self.nodes.get(ix).is_some_and(|node| node.left == 0)
    }

    /// Opens the next row; gives its nodes.
    fn open_next(&mut self) -> Option<Vec<NodeIx>> {
        if self.open.len() >= self.most || self.next >= self.outputs.len() {
            return None;
        }
        let row = self.next;
        self.next += 1;
        self.open.push(row);
        self.needs[row].iter().for_each(|&ix| self.nodes[ix].open += 1);
        Some(self.needs[row].clone())
    }

    /// Closes an open row; gives the nodes that no open row needs any more.
    fn close(&mut self, row: usize) -> Vec<NodeIx> {
        self.open.retain(|open| *open != row);
        let mut idle = vec![];
        for &ix in &self.needs[row] {
            let node = &mut self.nodes[ix];
            node.open -= 1;
            node.left -= 1;
            if node.open == 0 {
                idle.push(ix);
            }
        }
        idle
    }
}

/// The nodes that each row of a graph needs.
pub(super) fn of_each(board: &Board<'_>) -> Vec<Vec<NodeIx>> {
    let mut roots = vec![vec![]; board.graph.rows.len()];
    for wanted in &board.outputs {
        if let Some(row) = wanted.row {
            roots[row].push(wanted.node);
        }
    }
    roots.into_iter().map(|roots| board.needed(roots)).collect()
}

impl Scheduler<'_, '_, '_> {
    /// Ends the open rows that are over, and opens others in their place.
    pub fn turn_rows(&mut self) {
        loop {
            let over: Vec<usize> = self.rows.open.iter().copied().filter(|row| self.is_over(*row)).collect();
            let mut turned = false;
            for row in over {
                turned |= self.end_row(row);
            }
            while !self.ending()
                && let Some(nodes) = self.rows.open_next()
            {
                turned = true;
                for ix in nodes {
                    self.board.put_off(ix, false);
                    self.wake(ix);
                }
            }
            if !turned {
                return;
            }
        }
    }

    fn is_over(&self, row: usize) -> bool {
        let is_dead = |ix: NodeIx| self.nodes[ix].dead || self.tally.rows.contains_key(&row);
        self.rows.outputs[row].iter().all(|&index| {
            let wanted = &self.board.outputs[index];
            is_dead(wanted.node) || self.board.there(wanted).is_some()
        })
    }

    /// Writes and closes a row; false when a blob was lost.
    fn end_row(&mut self, row: usize) -> bool {
        // A row that ended under an earlier plan of this run has its files.
        if !self.tally.rows.contains_key(&row) {
            match self.put_row(row) {
                Some(end) => self.tell_row(row, end),
                // The row is over under the next plan.
                None => return false,
            }
        }
        for ix in self.rows.close(row) {
            self.board.put_off(ix, true);
            if self.rows.is_free(ix) {
                self.let_node_go(ix);
            }
        }
        true
    }

    /// Writes a row's files; `None` when a blob was lost.
    fn put_row(&mut self, row: usize) -> Option<RowEnd> {
        let Desk { graph, request, files, written } = &mut *self.desk;
        let now = Instant::now();
        if self.rows.looked.is_none_or(|last| now - last > FRESH) {
            files.look_again(graph, self.engine, request);
            self.rows.looked = Some(now);
        }
        let mut end = RowEnd { done: true, error: None };
        for &index in &self.rows.outputs[row] {
            let cancel = &self.cancel;
            let stopped = || Stop::stopped(cancel);
            match written.put(self.board, index, request, self.events, self.tally, files, &stopped) {
                Put::There => {}
                Put::Absent => end.done = false,
                Put::Refused(error) => {
                    end.done = false;
                    end.error.get_or_insert(error);
                }
                Put::Lost => {
                    self.plan_again = true;
                    self.halt.stop();
                    return None;
                }
            }
        }
        Some(end)
    }

    fn tell_row(&mut self, row: usize, end: RowEnd) {
        if end.error.is_some() && !self.keep_going {
            self.halt.stop();
        }
        let done = end.done;
        self.tally.rows.insert(row, end);
        let named = &self.board.graph.rows[row];
        self.events.send(&Event::Row {
            row: named.number,
            name: named.to_string().into(),
            status: if done { "done" } else { "failed" },
            ended: self.tally.rows.len(),
            total: self.board.graph.rows.len(),
        });
    }

    /// Lets go what is kept of a node that no row needs any more.
    pub fn let_node_go(&mut self, ix: NodeIx) {
        let node = &mut self.nodes[ix];
        if node.paused.take().is_some() {
            self.paused -= 1;
        }
        if node.running == 0 {
            node.map = None;
            node.scan = None;
            node.reduce = None;
            node.reduce_host = None;
        }
    }
}
