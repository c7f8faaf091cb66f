//! What the scheduler makes of its workers' news.

use std::sync::mpsc::SyncSender;

use talkgraph_cache::Digest;
use talkgraph_nodes::{artifact::Artifact, contract::Time, error::NodeError};

use super::{
    emit::Made,
    message::{Ending, Failure, KeptBody, Message},
    scheduler::{Scheduler, pool_index},
};
use crate::plan::{
    board::Phase,
    key,
    lazy::{Lazy, LostBlob},
    unit::{NodeIx, UnitRef},
};

impl Scheduler<'_, '_, '_> {
    /// Takes in what a worker tells.
    pub fn take(&mut self, message: Message) {
        match message {
            Message::Emitted { unit, made, go_on } => self.emitted(unit, made, go_on),
            Message::Waiting => self.waiting += 1,
            Message::Resumed => self.waiting -= 1,
            Message::Ended { unit, body, result } => self.ended(unit, body, result),
        }
    }

    fn emitted(&mut self, unit: UnitRef, made: Made, go_on: SyncSender<()>) {
        let ix = unit.0;
        self.made(unit, made);
        self.settle();
        // Without an answer the body is cancelled.
        if self.ending() || self.nodes[ix].dead {
            return;
        }
        // What is in the store too need not wait for consumers: they read it again.
        if self.over_bound(ix, 0) && !self.board.spill(ix) {
            let pool = pool_index(self.board.nodes[ix].pool);
            self.nodes[ix].paused = Some(go_on);
            self.nodes[ix].stalled = true;
            self.nodes[ix].parked = true;
            self.paused += 1;
            self.pools[pool].busy -= 1;
        } else {
            // A body that is gone needs no leave.
            let _ = go_on.send(());
        }
    }

    fn ended(&mut self, unit: UnitRef, body: Option<KeptBody>, result: Result<Ending, Failure>) {
        let (ix, k) = unit;
        self.jobs -= 1;
        if let Some(lane) = self.lanes.remove(&unit) {
            self.devices[lane] -= 1;
        }
        let pool = pool_index(self.board.nodes[ix].pool);
        // A paused body that was cancelled has given its place back already.
        if !std::mem::take(&mut self.nodes[ix].parked) {
            self.pools[pool].busy -= 1;
        }
        self.nodes[ix].running -= 1;
        match body {
            Some(KeptBody::Scan(body)) => self.nodes[ix].scan = Some(body),
            Some(KeptBody::Reduce(body)) => self.nodes[ix].reduce = Some(body),
            None => {}
        }
        match result {
            Ok(Ending::Eaten { seconds }) => self.eaten(ix, seconds),
            Ok(Ending::Ran { made, state, notes, seconds }) => {
                self.tally.ran(ix, &self.board.nodes[ix], k, seconds);
                self.ran(unit, made, state, notes);
            }
            Ok(Ending::Found(record)) => {
                if !self.nodes[ix].dead {
                    self.board.unit_mut(unit).go = false;
                    self.board.adopt(unit, &record);
                }
            }
            Err(failure) => self.failed(unit, failure),
        }
        self.wake_twins(unit);
        self.wake(ix);
        if self.rows.is_free(ix) {
            self.let_node_go(ix);
        }
    }

    fn eaten(&mut self, ix: NodeIx, seconds: f64) {
        self.tally.add_seconds(ix, seconds);
        let k = self.board.nodes[ix].eaten;
        self.board.nodes[ix].eaten += 1;
        self.board.release_chunks((ix, k));
        self.board.touched.push((ix, 0));
    }

    fn ran(
        &mut self,
        unit: UnitRef,
        made: Vec<Made>,
        state: Option<(Digest, Artifact)>,
        notes: serde_json::Value,
    ) {
        let (ix, k) = unit;
        if self.nodes[ix].dead {
            return;
        }
        let chunked = self.board.nodes[ix].is_chunked();
        for mut one in made {
            if chunked {
                one.index = k;
            }
            self.made(unit, one);
        }
        let here = self.board.unit_mut(unit);
        here.phase = Phase::Done;
        here.go = false;
        if !here.recorded {
            here.notes = notes;
        }
        if let Some((digest, artifact)) = state {
            match here.state {
                Some(known) if known != digest => self.plan_again |= !here.recorded,
                _ => {
                    here.state = Some(digest);
                    here.state_data = Some(Lazy::memory(unit, artifact));
                }
            }
        }
        self.board.unit_mut(unit).recorded = true;
        if !chunked {
            for port in 0..self.board.nodes[ix].outputs.len() {
                self.board.end_port(ix, port);
            }
        }
        self.board.unit_finished(unit);
        if self.plan_again {
            self.halt.stop();
        }
    }

    /// Puts an output on the board and lets those who take it know.
    fn made(&mut self, unit: UnitRef, made: Made) {
        let Made { port: p, index: k, digest, artifact } = made;
        let ix = unit.0;
        if self.nodes[ix].dead {
            return;
        }
        while self.board.nodes[ix].outputs[p].slots.len() <= k {
            self.board.add_slot(ix, p);
        }
        let spec = self.board.nodes[ix].specs[p].clone();
        let recorded = self.board.unit(unit).recorded;
        let slot = &mut self.board.nodes[ix].outputs[p].slots[k];
        if spec.stored {
            match (digest, slot.digest) {
                // Stored by the run that recorded the action.
                (None, _) => return,
                // The same action gave other bytes than the blob that was lost: what was planned on it does not hold.
                (Some(new), Some(old)) if new != old && !recorded => {
                    self.plan_again = true;
                    self.halt.stop();
                    return;
                }
                (Some(digest), _) => {
                    slot.made = true;
                    self.board.learn(ix, p, k, digest);
                }
            }
        } else if let Some(key) = self.board.unit(unit).key.clone() {
            let index = if self.board.nodes[ix].time == Time::Value && spec.sequence { k } else { 0 };
            self.board.nodes[ix].outputs[p].slots[k].made = true;
            self.board.learn(ix, p, k, key::derived(&key.digest, &spec.name, index));
        }
        self.board.hold(unit, p, k, artifact);
    }

    /// Units that waited for `unit` look again.
    fn wake_twins(&mut self, unit: UnitRef) {
        let Some(key) = self.board.unit(unit).key.as_ref().map(|key| key.digest) else { return };
        for twin in self.twins.remove(&key).unwrap_or_default() {
            if !self.nodes[twin.0].dead {
                self.board.look_again(twin);
            }
        }
    }

    fn failed(&mut self, unit: UnitRef, failure: Failure) {
        match failure {
            Failure::Node(error) => self.fail(unit.0, error),
            Failure::Panic(message) => {
                let error = NodeError::input(format!(
                    "internal error: the body of `{}` panicked: {message}",
                    self.board.nodes[unit.0].ty
                ));
                self.fail(
                    unit.0,
                    error.hint("this is a defect of talkgraph: please report it with the graph"),
                );
            }
            Failure::Store(error) => self.fatal(error.into()),
            Failure::Cancelled => self.board.unit_mut(unit).phase = Phase::Failed,
            Failure::Lost(lost) => self.lost(lost),
        }
    }

    /// A blob that the plan counted on is gone: forget the action that made it and plan again.
    fn lost(&mut self, lost: LostBlob) {
        self.tell_lost(lost.maker.0, lost.digest, lost.damaged);
        if let Some(key) = self.board.unit(lost.maker).key.clone()
            && let Err(error) = self.board.store.forget(&key.digest)
        {
            self.fatal(error.into());
        }
        self.plan_again = true;
        self.halt.stop();
    }
}
