//! The scheduler: one task that owns the board, hands units to worker threads and takes in what they tell.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};

use talkgraph_cache::Digest;
use talkgraph_nodes::{
    body::{MapBody, ReduceBody, ScanBody},
    contract::{Pool, Time},
    error::NodeError,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::{
    emit::Made,
    host::{Stop, UnitHost},
    lazy::{Lazy, LostBlob},
    message::{Ending, Failure, KeptBody, Message},
    tally::Tally,
};
use crate::{
    engine::Engine,
    events::{Event, Events},
    failure::RunError,
    plan::{
        board::{Board, NodeIx, Phase, UnitRef},
        key,
    },
};

/// How often the scheduler looks up although no one told it anything: for Ctrl-C.
const TICK: Duration = Duration::from_millis(100);

/// How long all must be idle, while another process works for us, before memory bounds are loosened.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the scheduler keeps of a node besides the board.
#[derive(Default)]
pub(super) struct NodeRun {
    /// Units that could start now.
    pub ready: BTreeSet<usize>,
    pub running: usize,
    /// Over its memory bound: left alone until a consumer eats.
    pub stalled: bool,
    /// Chunks that it may hold beyond its bound, since nothing else could run.
    pub extra: usize,
    pub map: Option<Arc<dyn MapBody>>,
    pub scan: Option<Box<dyn ScanBody>>,
    pub reduce: Option<Box<dyn ReduceBody>>,
    pub reduce_host: Option<Arc<UnitHost>>,
    /// A value body that waits until it may give its next chunk.
    pub paused: Option<SyncSender<()>>,
    /// Its job has given its place in the pool back.
    pub parked: bool,
    /// Failed, or depends on a failed node.
    pub dead: bool,
}

/// A pool of worker threads.
pub(super) struct PoolRun {
    pub slots: usize,
    pub busy: usize,
    /// Nodes with something to start, those nearest to the outputs first.
    pub ready: BTreeSet<Reverse<NodeIx>>,
}

/// How a drive ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Everything wanted is there, or a failure or Ctrl-C ended it.
    Over,
    /// A blob was lost: the plan does not hold any more.
    PlanAgain,
}

/// The state of one drive over a board.
pub(super) struct Scheduler<'a, 'g> {
    pub board: &'a mut Board<'g>,
    pub engine: &'a Engine,
    pub events: &'a Events,
    pub cancel: Stop,
    pub halt: Stop,
    pub keep_going: bool,
    pub tally: &'a mut Tally,
    pub nodes: Vec<NodeRun>,
    pub pools: [PoolRun; 3],
    /// Units that wait for another unit of this run with the same key.
    pub twins: HashMap<Digest, Vec<UnitRef>>,
    pub jobs: usize,
    /// Jobs that wait for another run.
    pub waiting: usize,
    /// Value bodies that wait for their consumers.
    pub paused: usize,
    pub plan_again: bool,
    pub sender: UnboundedSender<Message>,
    receiver: UnboundedReceiver<Message>,
}

/// Index of a pool.
pub(super) fn pool_index(pool: Pool) -> usize {
    match pool {
        Pool::Cpu => 0,
        Pool::Model => 1,
        Pool::Io => 2,
    }
}

impl<'a, 'g> Scheduler<'a, 'g> {
    pub fn new(
        board: &'a mut Board<'g>,
        engine: &'a Engine,
        events: &'a Events,
        cancel: Stop,
        keep_going: bool,
        tally: &'a mut Tally,
    ) -> Self {
        let (sender, receiver) = unbounded_channel();
        let pool = |slots: usize| PoolRun { slots: slots.max(1), busy: 0, ready: BTreeSet::new() };
        let nodes = board.nodes.iter().map(|_| NodeRun::default()).collect();
        Self {
            board,
            engine,
            events,
            cancel,
            halt: Stop::default(),
            keep_going,
            tally,
            nodes,
            pools: [pool(engine.slots.cpu), pool(engine.slots.model), pool(engine.slots.io)],
            twins: HashMap::new(),
            jobs: 0,
            waiting: 0,
            paused: 0,
            plan_again: false,
            sender,
            receiver,
        }
    }

    /// Runs until everything wanted is there or nothing more can be done.
    pub async fn drive(mut self) -> Result<End, RunError> {
        loop {
            self.settle();
            if self.ending() {
                self.let_go();
            } else {
                self.dispatch();
            }
            if !self.board.touched.is_empty() || self.board.has_work() {
                continue;
            }
            if self.jobs == 0 && (self.ending() || !self.relax()) {
                break;
            }
            if self.jobs == 0 {
                continue;
            }
            let idle = !self.ending() && self.jobs == self.waiting + self.paused;
            if idle && self.waiting == 0 && self.relax() {
                continue;
            }
            let patience = if idle { PATIENCE } else { TICK };
            match timeout(patience, self.receiver.recv()).await {
                Ok(Some(message)) => self.take(message),
                Ok(None) => break,
                Err(_) if idle => {
                    self.relax();
                }
                Err(_) => {}
            }
            while let Ok(message) = self.receiver.try_recv() {
                self.take(message);
            }
        }
        if self.plan_again && self.tally.fatal.is_none() && !self.cancel.stopped() {
            return Ok(End::PlanAgain);
        }
        Ok(End::Over)
    }

    /// Works out what follows from the latest news.
    fn settle(&mut self) {
        if let Err(error) = self.board.settle() {
            self.fatal(error.into());
        }
        for (node, digest, damaged) in std::mem::take(&mut self.board.lost) {
            self.tell_lost(node, digest, damaged);
        }
        for (ix, k) in std::mem::take(&mut self.board.found) {
            let node = &self.board.nodes[ix];
            let chunk = node.is_chunked().then_some(k);
            self.events.send(&Event::Found { node: node.name.clone(), chunk });
        }
        for ix in std::mem::take(&mut self.board.measured) {
            let node = &self.board.nodes[ix];
            self.events.send(&Event::Length { node: node.name.clone(), chunks: node.units.len() });
        }
        for (node, message) in std::mem::take(&mut self.board.faults) {
            self.fail(node, NodeError::input(message));
        }
    }

    /// Whether nothing more is to be started.
    pub fn ending(&self) -> bool {
        self.cancel.stopped() || self.halt.stopped()
    }

    /// Cancels value bodies that wait for their consumers.
    fn let_go(&mut self) {
        for node in &mut self.nodes {
            if node.paused.take().is_some() {
                self.paused -= 1;
            }
        }
        self.board.touched.clear();
    }

    fn tell_lost(&mut self, node: NodeIx, digest: Digest, damaged: bool) {
        let node = self.board.nodes[node].name.clone();
        self.tally.lost.push((node.to_string(), digest, damaged));
        self.events.send(&Event::Lost { node, digest, damaged });
    }

    /// Takes in what a worker tells.
    fn take(&mut self, message: Message) {
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
        state: Option<(Digest, talkgraph_nodes::artifact::Artifact)>,
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

    /// Ends the run.
    pub fn fatal(&mut self, error: RunError) {
        self.tally.fatal.get_or_insert(error);
        self.halt.stop();
    }
}
