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
    contract::Pool,
    error::NodeError,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::{
    host::{Stop, UnitHost},
    message::Message,
    outputs::Desk,
    rows::Rows,
    tally::Tally,
};
use crate::{
    engine::Engine,
    events::{Event, Events},
    failure::RunError,
    plan::{
        board::Board,
        unit::{NodeIx, UnitRef},
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
pub(super) struct Scheduler<'a, 'g, 'd> {
    pub board: &'a mut Board<'g>,
    pub engine: &'a Engine,
    /// How many bodies run on each device.
    pub devices: Vec<usize>,
    /// On which device a unit runs that runs models.
    pub lanes: HashMap<UnitRef, usize>,
    pub events: &'a Events,
    pub cancel: Stop,
    pub halt: Stop,
    pub keep_going: bool,
    pub desk: &'a mut Desk<'d>,
    pub rows: Rows,
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

impl<'a, 'g, 'd> Scheduler<'a, 'g, 'd> {
    pub fn new(
        board: &'a mut Board<'g>,
        engine: &'a Engine,
        desk: &'a mut Desk<'d>,
        events: &'a Events,
        cancel: Stop,
        tally: &'a mut Tally,
    ) -> Self {
        let (sender, receiver) = unbounded_channel();
        let pool = |slots: usize| PoolRun { slots: slots.max(1), busy: 0, ready: BTreeSet::new() };
        let nodes = board.nodes.iter().map(|_| NodeRun::default()).collect();
        let devices = 1 + engine.others.len();
        // While one row's last frames are encoded, the next one keeps the models busy.
        let jobs = if desk.request.jobs == 0 { 1 + devices } else { desk.request.jobs };
        let rows = Rows::new(board, jobs);
        Self {
            board,
            engine,
            devices: vec![0; devices],
            lanes: HashMap::new(),
            events,
            cancel,
            halt: Stop::default(),
            keep_going: desk.request.keep_going,
            desk,
            rows,
            tally,
            nodes,
            pools: [pool(engine.slots.cpu), pool(engine.slots.model.max(1) * devices), pool(engine.slots.io)],
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
            self.turn_rows();
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
    pub fn settle(&mut self) {
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

    pub fn tell_lost(&mut self, node: NodeIx, digest: Digest, damaged: bool) {
        let node = self.board.nodes[node].name.clone();
        self.tally.lost.push((node.to_string(), digest, damaged));
        self.events.send(&Event::Lost { node, digest, damaged });
    }

    /// Ends the run.
    pub fn fatal(&mut self, error: RunError) {
        self.tally.fatal.get_or_insert(error);
        self.halt.stop();
    }
}
