//! When a node fails: those that depend on it are skipped, the others go on only if asked to.

use talkgraph_nodes::error::{ErrorKind, NodeError};

use super::scheduler::Scheduler;
use crate::{
    events::Event,
    failure::{NodeFailure, RunError},
    plan::{board::Phase, unit::NodeIx},
};

impl Scheduler<'_, '_, '_> {
    /// A node failed.
    pub fn fail(&mut self, ix: NodeIx, error: NodeError) {
        if self.nodes[ix].dead || error.kind() == ErrorKind::Cancelled {
            return;
        }
        let node = &self.board.nodes[ix];
        let error = RunError::from(Box::new(NodeFailure {
            node: node.name.to_string(),
            place: node.place.clone(),
            setup: false,
            source: error,
        }));
        let mut message = error.to_string();
        for cause in error.causes() {
            message.push_str(": ");
            message.push_str(&cause);
        }
        self.events.send(&Event::Failed { node: node.name.clone(), message });
        self.tally.failures.push((ix, error));
        self.kill(ix);
        if !self.keep_going {
            self.halt.stop();
        }
    }

    /// Gives a node and all that depend on it up.
    fn kill(&mut self, ix: NodeIx) {
        let mut stack = vec![ix];
        while let Some(next) = stack.pop() {
            if std::mem::replace(&mut self.nodes[next].dead, true) {
                continue;
            }
            if next != ix {
                self.tally.skipped.insert(next);
            }
            let ports = &self.board.nodes[next].outputs;
            stack.extend(ports.iter().flat_map(|port| &port.consumers).map(|(node, _)| *node));
            self.nodes[next].ready.clear();
            if self.nodes[next].paused.take().is_some() {
                self.paused -= 1;
            }
            let node = &mut self.board.nodes[next];
            for unit in &mut node.units {
                if !unit.finished() {
                    unit.phase = Phase::Failed;
                    unit.go = false;
                }
            }
            node.unfinished = 0;
            node.complete = true;
            for k in 0..self.board.nodes[next].units.len() {
                self.board.release_chunks((next, k));
            }
            self.board.release_values(next);
        }
    }
}
