//! The backward pass: what really has to run, and whose artifacts that needs.
//!
//! A unit whose key is unknown needs the digests of its inputs; those follow by themselves, since every miss that gives a
//! stored output runs. A unit that runs needs its inputs' *artifacts*: stored ones from the store, the others from memory,
//! for which their makers run (again).

use talkgraph_nodes::contract::{Arity, Time};

use super::board::{Board, Feed, Phase, Why};
use super::unit::{NodeIx, UnitRef};

impl Board<'_> {
    /// Decides about a unit whose key has just become known.
    pub(super) fn after_known(&mut self, unit: UnitRef) {
        let (ix, k) = unit;
        let node = &self.nodes[ix];
        let must = node.units[k].phase == Phase::Miss && {
            let emits = |p: usize| node.specs[p].sequence && node.time == Time::Value;
            node.time == Time::Scan
                || (0..node.specs.len()).any(|p| node.outputs[p].wanted && (node.specs[p].stored || emits(p)))
        };
        if must {
            self.start(unit);
            return;
        }
        let slots: Vec<_> = self.slots_of(unit);
        // What runs again by wish gives the same digests where it is not stored.
        if self.unit(unit).why == Some(Why::NoAction) {
            for p in 0..self.nodes[ix].outputs.len() {
                self.begin_eaters(ix, p);
            }
        }
        for (p, k) in slots {
            if self.nodes[ix].outputs[p].slots[k].value_wanted {
                self.supply(ix, p, k);
            }
        }
    }

    /// The slots that a unit fills, as port and index.
    fn slots_of(&self, (ix, k): UnitRef) -> Vec<(usize, usize)> {
        let node = &self.nodes[ix];
        let mut slots = vec![];
        for (p, port) in node.outputs.iter().enumerate() {
            match node.time {
                Time::Map | Time::Scan => slots.push((p, k)),
                Time::Value | Time::Reduce => slots.extend((0..port.slots.len()).map(|k| (p, k))),
            }
        }
        slots
    }

    /// Decides that a unit runs.
    pub fn start(&mut self, unit: UnitRef) {
        let (ix, k) = unit;
        let state = &mut self.nodes[ix].units[k];
        if state.go || matches!(state.phase, Phase::Running | Phase::Failed) {
            return;
        }
        if state.finished() {
            self.nodes[ix].unfinished += 1;
        }
        let state = &mut self.nodes[ix].units[k];
        if state.recorded && state.why.is_none() {
            state.why = Some(Why::Unstored);
        }
        if state.phase == Phase::Done {
            state.phase = Phase::Hit;
        }
        state.go = true;
        self.touched.push(unit);
        if self.nodes[ix].time == Time::Reduce {
            self.begin(ix);
        } else {
            self.want_inputs(unit);
        }
    }

    /// Lets reduce nodes eat what is new in a port: their own action must be new too, so they need not wait until their key is known.
    pub(super) fn begin_eaters(&mut self, ix: NodeIx, p: usize) {
        for i in 0..self.nodes[ix].outputs[p].consumers.len() {
            let (node, input) = self.nodes[ix].outputs[p].consumers[i];
            let consumer = &self.nodes[node];
            let eats = consumer.time == Time::Reduce && consumer.inputs[input].arity == Arity::Chunk;
            if eats && consumer.units[0].phase == Phase::Unknown {
                self.begin(node);
            }
        }
    }

    /// Lets a reduce node eat, perhaps before its key is known.
    pub fn begin(&mut self, ix: NodeIx) {
        if !self.nodes[ix].begun {
            self.nodes[ix].begun = true;
            self.want_inputs((ix, 0));
            self.touched.push((ix, 0));
        }
    }

    fn want_inputs(&mut self, (ix, k): UnitRef) {
        let reduce = self.nodes[ix].time == Time::Reduce;
        for input in 0..self.nodes[ix].inputs.len() {
            let Feed::Port(from, p) = self.nodes[ix].inputs[input].feed else { continue };
            match self.nodes[ix].inputs[input].arity {
                Arity::Value => self.want(from, p, 0),
                Arity::Chunk if !reduce => self.want(from, p, k),
                Arity::Chunk | Arity::Sequence => self.want_all(from, p),
            }
        }
        if self.nodes[ix].time == Time::Scan
            && let Some(before) = k.checked_sub(1)
        {
            self.supply_state((ix, before));
        }
    }

    fn want_all(&mut self, ix: NodeIx, p: usize) {
        let port = &mut self.nodes[ix].outputs[p];
        if !port.want_values {
            port.want_values = true;
            for k in 0..port.slots.len() {
                self.want(ix, p, k);
            }
        }
    }

    /// Asks for the artifact in a slot.
    pub fn want(&mut self, ix: NodeIx, p: usize, k: usize) {
        let slot = &mut self.nodes[ix].outputs[p].slots[k];
        slot.value_wanted = true;
        self.supply(ix, p, k);
    }

    /// Sees to it that a wanted artifact is, or will be, in memory or in the store.
    fn supply(&mut self, ix: NodeIx, p: usize, k: usize) {
        let maker = self.maker(ix, k);
        let slot = &self.nodes[ix].outputs[p].slots[k];
        let state = self.unit(maker);
        if slot.data.is_some() || state.go || !matches!(state.phase, Phase::Hit | Phase::Miss | Phase::Done) {
            return;
        }
        if !self.nodes[ix].specs[p].stored {
            self.start(maker);
        } else if let Some(digest) = slot.digest
            && state.recorded
            && !self.is_present(ix, digest)
        {
            self.redo(maker);
        }
    }

    /// Sees to it that the state after a chunk of a scan can be read.
    fn supply_state(&mut self, unit: UnitRef) {
        let state = self.unit(unit);
        if state.state_data.is_none()
            && state.phase == Phase::Hit
            && let Some(digest) = state.state
            && !self.is_present(unit.0, digest)
        {
            self.redo(unit);
        }
    }

    /// Runs a recorded unit again, since one of its blobs is gone.
    fn redo(&mut self, unit: UnitRef) {
        let state = self.unit(unit);
        if state.phase != Phase::Hit || state.go {
            return;
        }
        if let Some(key) = &state.key
            && let Err(error) = self.store.forget(&key.digest)
        {
            tracing::warn!(%error, "a record of lost blobs stays");
        }
        self.nodes[unit.0].unfinished += 1;
        let state = self.unit_mut(unit);
        state.phase = Phase::Miss;
        state.recorded = false;
        state.why = Some(Why::Lost);
        self.start(unit);
    }

    /// Whether a blob is in the store; verified where damage was met before.
    fn is_present(&mut self, ix: NodeIx, digest: talkgraph_cache::Digest) -> bool {
        if self.present.contains(&digest) {
            return true;
        }
        let damaged = if self.verify {
            match self.store.read(&digest) {
                Ok(talkgraph_cache::Read::Found(_)) => None,
                Ok(talkgraph_cache::Read::Corrupt) => Some(true),
                // Trouble with reading shows again, with its cause, when the blob is used.
                Ok(talkgraph_cache::Read::Missing) | Err(_) => Some(false),
            }
        } else {
            (!self.store.has(&digest)).then_some(false)
        };
        match damaged {
            None => {
                self.present.insert(digest);
                true
            }
            Some(damaged) => {
                self.lost.push((ix, digest, damaged));
                false
            }
        }
    }
}
