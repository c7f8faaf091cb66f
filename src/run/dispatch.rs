//! Which unit starts next.
//!
//! Consumers go before producers and early chunks before late ones, so that chunks leave memory soon after they were
//! made. A node that holds as many unconsumed chunks as its bound allows is left alone until one is consumed. When
//! nothing else could run, the bound gives way: chunks that are in the store leave memory, or else one more is allowed.
//! So a bound can never lock a graph up.

use std::{
    cmp::Reverse,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use talkgraph_cache::Digest;
use talkgraph_nodes::{
    body::Body,
    contract::{Arity, Pool, Time},
    error::{NodeError, Result},
    models::Models,
};
use tokio::task::spawn_blocking;

use super::{
    host::UnitHost,
    scheduler::{Scheduler, pool_index},
    worker::{Job, Supply, Work},
};
use crate::plan::{
    board::{Feed, Phase, Why},
    lazy::Lazy,
    unit::{NodeIx, UnitRef},
};

impl Scheduler<'_, '_, '_> {
    /// Starts whatever can start now.
    pub fn dispatch(&mut self) {
        for unit in std::mem::take(&mut self.board.touched) {
            if self.is_ready(unit) {
                self.nodes[unit.0].ready.insert(unit.1);
                self.wake(unit.0);
            }
        }
        for ix in std::mem::take(&mut self.board.drained) {
            self.nodes[ix].stalled = false;
            self.nodes[ix].extra = 0;
            self.wake(ix);
        }
        for pool in 0..self.pools.len() {
            while self.pools[pool].busy < self.pools[pool].slots && !self.ending() {
                let Some(&Reverse(ix)) = self.pools[pool].ready.first() else { break };
                self.advance(ix, pool);
            }
        }
    }

    /// Offers a node to its pool again if it has something to start.
    pub fn wake(&mut self, ix: NodeIx) {
        let node = &self.nodes[ix];
        let has_work = self.rows.allow(ix) && !node.ready.is_empty() || node.paused.is_some();
        if !node.stalled && !node.dead && has_work {
            self.pools[pool_index(self.board.nodes[ix].pool)].ready.insert(Reverse(ix));
        }
    }

    /// Starts one unit of a node, or takes the node off the list when it cannot go on now.
    fn advance(&mut self, ix: NodeIx, pool: usize) {
        let single = matches!(self.board.nodes[ix].time, Time::Scan | Time::Reduce | Time::Value);
        let node = &mut self.nodes[ix];
        if let Some(go_on) = node.paused.take() {
            node.parked = false;
            self.paused -= 1;
            self.pools[pool].busy += 1;
            self.pools[pool].ready.remove(&Reverse(ix));
            // A body that is gone needs no leave.
            let _ = go_on.send(());
            return;
        }
        let running = node.running;
        let idle = node.dead || node.ready.is_empty() || !self.rows.allow(ix);
        if idle || (single && running > 0) {
            self.pools[pool].ready.remove(&Reverse(ix));
        } else if self.over_bound(ix, running) {
            self.nodes[ix].stalled = true;
            self.pools[pool].ready.remove(&Reverse(ix));
        } else if let Some(k) = self.nodes[ix].ready.pop_first() {
            if self.nodes[ix].ready.is_empty() {
                self.pools[pool].ready.remove(&Reverse(ix));
            }
            if self.is_ready((ix, k))
                && let Err(error) = self.launch((ix, k), pool)
            {
                self.fail(ix, error);
            }
        }
    }

    /// Whether a node must not make more chunks now.
    pub fn over_bound(&self, ix: NodeIx, running: usize) -> bool {
        let node = &self.board.nodes[ix];
        let sequences = node.specs.iter().any(|spec| spec.sequence);
        let bound = self.pools[pool_index(node.pool)].slots.max(1) + 1 + self.nodes[ix].extra;
        sequences && node.live() + running >= bound
    }

    /// Makes room when nothing can run for want of it. False when there is no one to help.
    pub fn relax(&mut self) -> bool {
        let stalled: Vec<_> = (0..self.nodes.len())
            .filter(|ix| self.nodes[*ix].stalled && !self.nodes[*ix].dead)
            .filter(|ix| {
                self.nodes[*ix].paused.is_some()
                    || (self.rows.allow(*ix) && !self.nodes[*ix].ready.is_empty())
            })
            .collect();
        if let Some(&ix) = stalled.iter().find(|ix| self.board.spill(**ix)) {
            self.nodes[ix].stalled = false;
            self.wake(ix);
            return true;
        }
        let next = |ix: &NodeIx| (self.nodes[*ix].ready.first().copied().unwrap_or(0), *ix);
        let Some(ix) = stalled.into_iter().min_by_key(next) else { return false };
        self.nodes[ix].stalled = false;
        self.nodes[ix].extra += 1;
        self.wake(ix);
        true
    }

    /// Whether a unit has everything that it needs.
    fn is_ready(&self, unit: UnitRef) -> bool {
        let (ix, k) = unit;
        let node = &self.board.nodes[ix];
        if self.nodes[ix].dead || k >= node.units.len() {
            return false;
        }
        let state = &node.units[k];
        let values = |k: usize| {
            node.inputs.iter().all(|port| match port.feed {
                Feed::File { .. } => true,
                Feed::Absent => false,
                Feed::Port(from, p) => match port.arity {
                    Arity::Value => self.board.available(from, p, 0),
                    Arity::Chunk => self.board.available(from, p, k),
                    Arity::Sequence => self.board.all_available(from, p),
                },
            })
        };
        match node.time {
            Time::Reduce => {
                if !node.begun || self.nodes[ix].running > 0 || state.finished() || state.phase == Phase::Hit
                {
                    return false;
                }
                match self.all_eaten(ix) {
                    true => state.phase == Phase::Miss,
                    false => values(node.eaten),
                }
            }
            _ if !state.go || !matches!(state.phase, Phase::Miss | Phase::Hit) => false,
            Time::Scan => {
                k.checked_sub(1).is_none_or(|before| self.state_available((ix, before))) && values(k)
            }
            Time::Map | Time::Value => values(k),
        }
    }

    fn state_available(&self, unit: UnitRef) -> bool {
        let before = self.board.unit(unit);
        before.state_data.is_some()
            || (before.state.is_some() && matches!(before.phase, Phase::Hit | Phase::Done))
    }

    /// Whether a reduce has eaten everything there will be.
    fn all_eaten(&self, ix: NodeIx) -> bool {
        let node = &self.board.nodes[ix];
        node.chunked().all(|(_, from, p)| {
            let port = &self.board.nodes[from].outputs[p];
            port.complete && port.slots.len() <= node.eaten
        })
    }

    /// Gives a unit to a worker thread.
    fn launch(&mut self, unit: UnitRef, pool: usize) -> Result<()> {
        let (ix, k) = unit;
        let pushing = self.board.nodes[ix].time == Time::Reduce && !self.all_eaten(ix);
        let key = self.board.unit(unit).key.clone().filter(|_| !pushing);
        if let Some(key) = &key {
            if let Some(twins) = self.twins.get_mut(&key.digest) {
                twins.push(unit);
                return Ok(());
            }
            self.twins.insert(key.digest, vec![]);
        }
        let work = match self.work(unit, pushing) {
            Ok(work) => work,
            Err(error) => {
                self.wake_twins_of(key.as_deref().map(|key| key.digest));
                return Err(error);
            }
        };
        let host = self.host(unit, pushing, key.as_ref().map(|key| key.digest));
        let models = self.models(unit);
        let device = self.lanes.get(&unit).filter(|_| self.devices.len() > 1);
        let device = device.map(|_| Arc::from(models.device()));
        let chunk = if pushing { self.board.nodes[ix].eaten } else { k };
        let inputs = self.supplies(ix, chunk, pushing);
        let node = &mut self.board.nodes[ix];
        let state = &mut node.units[k];
        if !pushing {
            state.phase = Phase::Running;
        }
        let job = Job {
            unit,
            ty: node.ty.clone(),
            time: node.time,
            key,
            recorded: state.recorded,
            forced: matches!(state.why, Some(Why::Refresh | Why::Lost)),
            specs: node.specs.clone(),
            inputs,
            rate: node.rate,
            chunk,
            work,
            host,
            models,
            device,
            trouble: Arc::default(),
            out: self.sender.clone(),
        };
        self.jobs += 1;
        self.rows.begin(ix);
        self.nodes[ix].running += 1;
        self.pools[pool].busy += 1;
        spawn_blocking(move || job.run());
        Ok(())
    }

    /// The models on the device with the least to do, for a unit that runs models; it stays there as long as it runs.
    fn models(&mut self, unit: UnitRef) -> Arc<Models> {
        if self.board.nodes[unit.0].pool != Pool::Model {
            return self.engine.models.clone();
        }
        let busy = self.devices.iter().enumerate();
        let lane = busy.min_by_key(|(_, busy)| **busy).map_or(0, |(lane, _)| lane);
        self.devices[lane] += 1;
        self.lanes.insert(unit, lane);
        match lane.checked_sub(1).and_then(|other| self.engine.others.get(other)) {
            Some(other) => other.clone(),
            None => self.engine.models.clone(),
        }
    }

    fn wake_twins_of(&mut self, key: Option<Digest>) {
        if let Some(key) = key {
            self.twins.remove(&key);
        }
    }

    /// The body for a unit: made once a node for maps, scans and reduces.
    fn work(&mut self, unit: UnitRef, pushing: bool) -> Result<Work> {
        let (ix, k) = unit;
        let state = k.checked_sub(1).map(|before| (ix, before));
        let node = &mut self.nodes[ix];
        if let Some(map) = &node.map {
            return Ok(Work::Map(map.clone()));
        }
        let body = match (node.scan.take(), node.reduce.take()) {
            (Some(scan), _) => Body::Scan(scan),
            (_, Some(reduce)) => Body::Reduce(reduce),
            (None, None) => self.make_body(ix)?,
        };
        match (body, self.board.nodes[ix].time) {
            (Body::Value(body), Time::Value) => Ok(Work::Value(body)),
            (Body::Map(body), Time::Map) => {
                self.nodes[ix].map = Some(body.clone());
                Ok(Work::Map(body))
            }
            (Body::Scan(body), Time::Scan) => Ok(Work::Scan(body, state.and_then(|unit| self.state(unit)))),
            (Body::Reduce(body), Time::Reduce) if pushing => Ok(Work::Push(body)),
            (Body::Reduce(body), Time::Reduce) => Ok(Work::Finish(body)),
            (_, time) => Err(NodeError::input(format!(
                "internal error: the body of `{}` does not treat time as its contract says ({time:?})",
                self.board.nodes[ix].ty
            ))),
        }
    }

    fn make_body(&self, ix: NodeIx) -> Result<Body> {
        let node = &self.board.graph.dag[self.board.nodes[ix].id];
        let ty = self.engine.registry.get(&node.contract.name).ok_or_else(|| {
            NodeError::input(format!("internal error: type `{}` is not registered", node.contract.name))
        })?;
        catch_unwind(AssertUnwindSafe(|| ty.body(&node.params, &node.contract))).unwrap_or_else(|_| {
            Err(NodeError::input(format!(
                "internal error: `{}` panicked while preparing",
                node.contract.name
            )))
        })
    }

    /// The state after a chunk of a scan.
    fn state(&self, unit: UnitRef) -> Option<Arc<Lazy>> {
        let before = self.board.unit(unit);
        before.state_data.clone().or_else(|| {
            let digest = before.state?;
            Some(Lazy::blob(unit, digest, talkgraph_nodes::artifact::ArtifactType::Tensors))
        })
    }

    fn host(&mut self, unit: UnitRef, pushing: bool, action: Option<Digest>) -> Arc<UnitHost> {
        let node = &self.board.nodes[unit.0];
        let reduce = node.time == Time::Reduce;
        if reduce && let Some(host) = &self.nodes[unit.0].reduce_host {
            return host.clone();
        }
        // A reduce begins before its key is known: until then it goes by a name of its own.
        let action = action.unwrap_or_else(|| Digest::of(format!("begun {}", node.name).as_bytes()));
        let host = Arc::new(UnitHost::new(
            node.name.clone(),
            action,
            self.board.store.clone(),
            node.files.clone(),
            self.events.clone(),
            self.cancel.clone(),
            self.halt.clone(),
        ));
        if reduce && pushing {
            self.nodes[unit.0].reduce_host = Some(host.clone());
        }
        host
    }

    fn supplies(&mut self, ix: NodeIx, chunk: usize, pushing: bool) -> Vec<(Arc<str>, Supply)> {
        let reduce = self.board.nodes[ix].time == Time::Reduce;
        let mut supplies = vec![];
        for input in 0..self.board.nodes[ix].inputs.len() {
            let port = &self.board.nodes[ix].inputs[input];
            let name = port.name.clone();
            let supply = match (&port.feed, port.arity) {
                (Feed::File { artifact, .. }, _) => Supply::File(artifact.clone()),
                (Feed::Absent, _) => continue,
                // A reduce that finishes gets no inputs: it has eaten them.
                (Feed::Port(..), _) if reduce && !pushing => continue,
                (&Feed::Port(from, p), Arity::Sequence) => Supply::Whole(
                    (0..self.board.nodes[from].outputs[p].slots.len())
                        .filter_map(|k| self.board.data(from, p, k))
                        .collect(),
                ),
                (&Feed::Port(from, p), arity) => {
                    let k = if arity == Arity::Chunk { chunk } else { 0 };
                    match self.board.data(from, p, k) {
                        Some(data) => Supply::One(data),
                        None => continue,
                    }
                }
            };
            supplies.push((name, supply));
        }
        supplies
    }
}
