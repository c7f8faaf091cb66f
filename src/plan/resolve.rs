//! The forward pass: works out the consequences of what became known, until nothing more follows.

use std::sync::Arc;

use talkgraph_cache::{ActionRecord, CacheError, Digest};
use talkgraph_nodes::contract::{Arity, Time};

use super::{
    board::{Board, Feed, Phase, PortSpec, Slot, Task, Unit, Why},
    key,
    unit::{NodeIx, UnitRef},
};

/// Name under which the state of a scan is kept among an action's outputs.
pub const STATE: &str = "@state";

/// Field of an action's notes that holds the lengths of its sequences that are not stored.
const LENGTHS: &str = "@lengths";

/// Field of an action's notes that holds the body's own notes.
const NOTES: &str = "notes";

/// Puts a body's notes and the lengths of its unstored sequences into one value.
pub fn pack_notes(notes: serde_json::Value, lengths: &[(String, usize)]) -> serde_json::Value {
    let mut packed = serde_json::Map::new();
    packed.insert(NOTES.into(), notes);
    if !lengths.is_empty() {
        let lengths = lengths.iter().map(|(port, len)| (port.clone(), (*len).into())).collect();
        packed.insert(LENGTHS.into(), serde_json::Value::Object(lengths));
    }
    serde_json::Value::Object(packed)
}

/// The body's own notes in a record.
pub fn notes_of(record: &ActionRecord) -> serde_json::Value {
    record.notes.get(NOTES).cloned().unwrap_or_default()
}

/// Length of an output's sequence in a record.
fn recorded_len(record: &ActionRecord, port: &PortSpec) -> Option<usize> {
    if port.stored {
        return record.outputs.get(&port.name).map(|output| output.blobs.len());
    }
    let length = record.notes.get(LENGTHS).and_then(|lengths| lengths.get(&port.name));
    // Stored by another graph: its length is that of the blobs.
    length
        .and_then(serde_json::Value::as_u64)
        .map(|length| length as usize)
        .or_else(|| record.outputs.get(&port.name).map(|output| output.blobs.len()))
}

/// Whether `record` says everything about a unit with the outputs `specs`.
pub fn usable(record: &ActionRecord, specs: &[PortSpec], time: Time) -> bool {
    let scan = time != Time::Scan || record.outputs.contains_key(STATE);
    scan && specs.iter().all(|port| match (port.stored, time) {
        (true, Time::Value) if port.sequence => record.outputs.contains_key(&port.name),
        (true, _) => record.outputs.get(&port.name).is_some_and(|output| output.blobs.len() == 1),
        (false, Time::Value) if port.sequence => recorded_len(record, port).is_some(),
        (false, _) => true,
    })
}

impl Board<'_> {
    /// Works until nothing more follows from what is known.
    pub fn settle(&mut self) -> Result<(), CacheError> {
        while let Some(task) = self.work.pop_front() {
            match task {
                Task::Grow(node) => self.grow(node),
                Task::Resolve(unit) => self.resolve(unit)?,
            }
        }
        Ok(())
    }

    /// Gives map and scan nodes a unit for every chunk that all chunked inputs have.
    fn grow(&mut self, ix: NodeIx) {
        let (mut len, mut ended) = (usize::MAX, true);
        let mut ends = vec![];
        for (input, from, port) in self.nodes[ix].chunked() {
            let port = &self.nodes[from].outputs[port];
            len = len.min(port.slots.len());
            ended &= port.complete;
            ends.push((input.name.clone(), port.slots.len()));
        }
        if ended && ends.windows(2).any(|pair| pair[0].1 != pair[1].1) {
            let ends: Vec<_> = ends.iter().map(|(name, len)| format!("`{name}` has {len}")).collect();
            let message = format!("chunked inputs of unequal length: {} chunks", ends.join(", "));
            self.faults.push((ix, message));
            return;
        }
        if self.nodes[ix].time == Time::Reduce {
            self.touched.push((ix, 0));
            self.work.push_back(Task::Resolve((ix, 0)));
            return;
        }
        let before = self.nodes[ix].units.len();
        for k in before..len {
            self.nodes[ix].units.push(Unit::new());
            self.nodes[ix].unfinished += 1;
            for port in 0..self.nodes[ix].outputs.len() {
                self.add_slot(ix, port);
            }
            self.work.push_back(Task::Resolve((ix, k)));
        }
        if ended && !self.nodes[ix].complete {
            self.nodes[ix].complete = true;
            self.measured.push(ix);
            for port in 0..self.nodes[ix].outputs.len() {
                self.end_port(ix, port);
            }
            self.release_values(ix);
        }
    }

    /// Adds one slot to a sequence.
    pub fn add_slot(&mut self, ix: NodeIx, p: usize) {
        let port = &mut self.nodes[ix].outputs[p];
        port.slots.push(Slot { value_wanted: port.want_values, ..Slot::default() });
        self.tell_growth(ix, p);
    }

    /// Says that a sequence gets no more slots.
    pub fn end_port(&mut self, ix: NodeIx, p: usize) {
        if !self.nodes[ix].outputs[p].complete {
            self.nodes[ix].outputs[p].complete = true;
            self.tell_growth(ix, p);
            self.tell_settled(ix, p);
        }
    }

    fn tell_growth(&mut self, ix: NodeIx, p: usize) {
        for (node, input) in &self.nodes[ix].outputs[p].consumers {
            if self.nodes[*node].inputs[*input].arity == Arity::Chunk {
                self.work.push_back(Task::Grow(*node));
            }
        }
    }

    /// Notes the digest of a slot and tells those who take it.
    pub fn learn(&mut self, ix: NodeIx, p: usize, k: usize, digest: Digest) {
        let port = &mut self.nodes[ix].outputs[p];
        if port.slots[k].digest.replace(digest).is_some() {
            // Known before and lost since: those who knew it wait for the artifact alone.
            self.tell_at_hand(ix, p, k);
            return;
        }
        port.known += 1;
        for (node, input) in &self.nodes[ix].outputs[p].consumers {
            let consumer = &self.nodes[*node];
            match (consumer.inputs[*input].arity, consumer.time) {
                (Arity::Chunk, Time::Map | Time::Scan) if k < consumer.units.len() => {
                    self.work.push_back(Task::Resolve((*node, k)));
                }
                (Arity::Value, _) => {
                    let units = 0..consumer.units.len();
                    self.work.extend(units.map(|unit| Task::Resolve((*node, unit))));
                }
                _ => {}
            }
        }
        self.tell_settled(ix, p);
    }

    /// Once a whole sequence is known, tells those who take it whole.
    fn tell_settled(&mut self, ix: NodeIx, p: usize) {
        let port = &mut self.nodes[ix].outputs[p];
        if !port.settled() || port.list.is_some() {
            return;
        }
        port.list = Some(key::list_digest(port.slots.iter().filter_map(|slot| slot.digest.as_ref())));
        for (node, input) in &self.nodes[ix].outputs[p].consumers {
            let consumer = &self.nodes[*node];
            let whole = consumer.inputs[*input].arity == Arity::Sequence;
            if whole || consumer.time == Time::Reduce {
                let units = 0..consumer.units.len();
                self.work.extend(units.map(|unit| Task::Resolve((*node, unit))));
            }
        }
    }

    /// Computes the key of a unit if it can be known now, and looks the action up.
    fn resolve(&mut self, unit: UnitRef) -> Result<(), CacheError> {
        self.touched.push(unit);
        if self.unit(unit).phase != Phase::Unknown {
            return Ok(());
        }
        let Some(key) = self.key_of(unit) else { return Ok(()) };
        let node = &mut self.nodes[unit.0];
        let digest = key.digest;
        node.units[unit.1].key = Some(Arc::new(key));
        if node.refresh {
            self.miss(unit, Why::Refresh);
            return Ok(());
        }
        match self.store.action(&digest)? {
            Some(record) if usable(&record, &self.nodes[unit.0].specs, self.nodes[unit.0].time) => {
                self.adopt(unit, &record);
            }
            Some(_) => self.miss(unit, Why::NotStored),
            None => self.miss(unit, Why::NoAction),
        }
        Ok(())
    }

    /// Takes over a recorded action.
    pub fn adopt(&mut self, unit: UnitRef, record: &ActionRecord) {
        let (ix, k) = unit;
        self.found.push(unit);
        let node = &mut self.nodes[ix];
        let (specs, time) = (node.specs.clone(), node.time);
        let state = &mut node.units[k];
        state.phase = Phase::Hit;
        state.recorded = true;
        state.notes = notes_of(record);
        state.state = record.outputs.get(STATE).and_then(|output| output.blobs.first()).copied();
        for (p, spec) in specs.iter().enumerate() {
            let blobs = record.outputs.get(&spec.name).filter(|_| spec.stored).map(|output| &output.blobs);
            if spec.sequence && time == Time::Value {
                let len = recorded_len(record, spec).unwrap_or_default();
                for i in self.nodes[ix].outputs[p].slots.len()..len {
                    debug_assert_eq!(i, self.nodes[ix].outputs[p].slots.len());
                    self.add_slot(ix, p);
                }
                for i in 0..len {
                    let digest = blobs.map_or_else(|| key::derived(&record.key, &spec.name, i), |b| b[i]);
                    self.learn(ix, p, i, digest);
                }
                self.end_port(ix, p);
            } else {
                let digest = blobs.map_or_else(|| key::derived(&record.key, &spec.name, 0), |blobs| blobs[0]);
                self.learn(ix, p, k, digest);
            }
        }
        self.unit_finished(unit);
        self.after_known(unit);
    }

    fn miss(&mut self, unit: UnitRef, why: Why) {
        let (ix, k) = unit;
        let node = &mut self.nodes[ix];
        let state = &mut node.units[k];
        state.phase = Phase::Miss;
        state.why = Some(why);
        let Some(key) = state.key.clone() else { return };
        let specs = node.specs.clone();
        for (p, spec) in specs.iter().enumerate() {
            let emitted = spec.sequence && self.nodes[ix].time == Time::Value;
            if !spec.stored && !emitted {
                self.learn(ix, p, k, key::derived(&key.digest, &spec.name, 0));
            }
        }
        self.after_known(unit);
    }

    /// Says that one more unit is finished, and what may be let go since.
    pub fn unit_finished(&mut self, unit: UnitRef) {
        let (ix, k) = unit;
        if !self.unit(unit).finished() {
            return;
        }
        let node = &mut self.nodes[ix];
        node.unfinished = node.unfinished.saturating_sub(1);
        if node.time == Time::Scan {
            // The state before this chunk is not needed any more; the next chunk needs the one after it.
            if let Some(before) = k.checked_sub(1) {
                node.units[before].state_data = None;
            }
            if k + 1 < node.units.len() {
                self.work.push_back(Task::Resolve((ix, k + 1)));
            }
        }
        self.release_chunks(unit);
        self.release_values(ix);
    }

    /// Drops chunk `k` of the inputs from memory where no one else waits for it.
    pub fn release_chunks(&mut self, (ix, k): UnitRef) {
        let ports: Vec<_> = self.nodes[ix].chunked().map(|(_, from, port)| (from, port)).collect();
        let reduce = self.nodes[ix].time == Time::Reduce;
        for (from, p) in ports {
            // A reduce that is finished, found or done, waits for no chunk at all.
            let whole = reduce && self.nodes[ix].finished();
            let chunks = if whole { 0..self.nodes[from].outputs[p].slots.len() } else { k..k + 1 };
            for k in chunks {
                self.release_slot(from, p, k);
            }
        }
    }

    /// Drops slot `k` of a sequence from memory when all who take it are done with it.
    pub fn release_slot(&mut self, from: NodeIx, p: usize, k: usize) {
        let port = &self.nodes[from].outputs[p];
        if port.slots.get(k).is_none_or(|slot| slot.data.is_none()) {
            return;
        }
        let stored = self.nodes[from].specs[p].stored;
        let done = |&(node, input): &(NodeIx, usize)| {
            (stored && self.nodes[node].later) || self.done_with(node, input, k)
        };
        if port.consumers.iter().all(done) {
            let port = &mut self.nodes[from].outputs[p];
            port.slots[k].data = None;
            port.live -= 1;
            self.drained.push(from);
        }
    }

    fn done_with(&self, ix: NodeIx, input: usize, k: usize) -> bool {
        let node = &self.nodes[ix];
        match (node.inputs[input].arity, node.time) {
            // Whole sequences are read from the store.
            (Arity::Sequence, _) => true,
            (_, Time::Reduce) => node.finished() || node.eaten > k,
            (_, Time::Map | Time::Scan) => node.units.get(k).is_some_and(Unit::finished),
            (_, Time::Value) => node.finished(),
        }
    }

    /// Says that a node is needed later, or is needed now. What only such nodes wait for leaves memory where the store has it too.
    pub fn put_off(&mut self, ix: NodeIx, later: bool) {
        self.nodes[ix].later = later;
        if later {
            self.release_values(ix);
            let chunks = self.nodes[ix].units.len().max(self.nodes[ix].eaten);
            (0..chunks).for_each(|k| self.release_chunks((ix, k)));
        }
    }

    /// Whether a node waits for no value that `stored` says is in the store.
    pub(super) fn is_idle(&self, ix: NodeIx, stored: bool) -> bool {
        self.nodes[ix].finished() || (stored && self.nodes[ix].later)
    }

    /// Drops the value inputs of a finished node from memory where no other node needs them.
    pub fn release_values(&mut self, ix: NodeIx) {
        if !self.is_idle(ix, true) {
            return;
        }
        for input in 0..self.nodes[ix].inputs.len() {
            let Feed::Port(from, p) = self.nodes[ix].inputs[input].feed else { continue };
            if self.nodes[ix].inputs[input].arity != Arity::Value {
                continue;
            }
            let stored =
                self.nodes[from].specs[p].stored && self.nodes[from].outputs[p].slots[0].digest.is_some();
            let consumers = &self.nodes[from].outputs[p].consumers;
            if consumers.iter().all(|(node, _)| self.is_idle(*node, stored)) {
                self.nodes[from].outputs[p].slots[0].data = None;
            }
        }
    }
}
