//! Artifacts on the board: what is at hand, what is held in memory, what may leave it.

use std::sync::Arc;

use talkgraph_nodes::{
    artifact::Artifact,
    contract::{Arity, Time},
};

use super::board::{Board, Phase, Task};
use super::lazy::Lazy;
use super::unit::{NodeIx, UnitRef};

impl Board<'_> {
    /// Whether consequences wait to be worked out.
    pub fn has_work(&self) -> bool {
        !self.work.is_empty()
    }

    /// Whether the artifact in a slot can be had at once.
    pub fn available(&self, ix: NodeIx, p: usize, k: usize) -> bool {
        let node = &self.nodes[ix];
        let Some(slot) = node.outputs[p].slots.get(k) else { return false };
        if slot.data.is_some() {
            return true;
        }
        let (_, unit) = self.maker(ix, k);
        let kept = slot.made || matches!(node.units[unit].phase, Phase::Hit | Phase::Done);
        node.specs[p].stored && slot.digest.is_some() && kept
    }

    /// Whether a sequence is complete and all of it can be had at once.
    pub fn all_available(&self, ix: NodeIx, p: usize) -> bool {
        let port = &self.nodes[ix].outputs[p];
        port.settled() && (0..port.slots.len()).all(|k| self.available(ix, p, k))
    }

    /// The artifact in a slot, to be read from the store if need be. Values are shared among all who read them.
    pub fn data(&mut self, ix: NodeIx, p: usize, k: usize) -> Option<Arc<Lazy>> {
        let maker = self.maker(ix, k);
        let node = &mut self.nodes[ix];
        let spec = &node.specs[p];
        let slot = node.outputs[p].slots.get_mut(k)?;
        if let Some(data) = &slot.data {
            return Some(data.clone());
        }
        let data = Lazy::blob(maker, slot.digest?, spec.ty);
        if !spec.sequence {
            slot.data = Some(data.clone());
        }
        Some(data)
    }

    /// Holds a new artifact in memory as long as someone waits for it, and lets those know.
    pub fn hold(&mut self, unit: UnitRef, p: usize, k: usize, artifact: Artifact) {
        let ix = unit.0;
        let sequence = self.nodes[ix].specs[p].sequence;
        let port = &mut self.nodes[ix].outputs[p];
        if port.slots[k].data.replace(Lazy::memory(unit, artifact)).is_none() && sequence {
            port.live += 1;
        }
        self.tell_at_hand(ix, p, k);
        self.begin_eaters(ix, p);
        if sequence {
            self.release_slot(ix, p, k);
        } else {
            let stored = self.nodes[ix].specs[p].stored;
            let idle = |(node, _): &(NodeIx, usize)| self.is_idle(*node, stored);
            if self.nodes[ix].outputs[p].consumers.iter().all(idle) {
                self.nodes[ix].outputs[p].slots[k].data = None;
            }
        }
    }

    /// Tells those who take a slot that its artifact may be at hand.
    pub(super) fn tell_at_hand(&mut self, ix: NodeIx, p: usize, k: usize) {
        let port = &self.nodes[ix].outputs[p];
        for (node, input) in &port.consumers {
            let consumer = &self.nodes[*node];
            match (consumer.inputs[*input].arity, consumer.time) {
                (Arity::Chunk, Time::Reduce) => self.touched.push((*node, 0)),
                (Arity::Chunk, _) => self.touched.push((*node, k)),
                (Arity::Sequence, _) if !port.settled() => {}
                (Arity::Value | Arity::Sequence, _) => {
                    self.touched.extend((0..consumer.units.len()).map(|k| (*node, k)));
                }
            }
        }
    }

    /// Drops a node's unconsumed chunks from memory if all of them are in the store too.
    pub fn spill(&mut self, ix: NodeIx) -> bool {
        let node = &mut self.nodes[ix];
        let kept =
            |(spec, port): (&super::board::PortSpec, &super::board::OutPort)| spec.stored || port.live == 0;
        if node.live() == 0 || !node.specs.iter().zip(&node.outputs).all(kept) {
            return false;
        }
        for (spec, port) in node.specs.iter().zip(&mut node.outputs) {
            if spec.sequence {
                port.slots.iter_mut().for_each(|slot| slot.data = None);
                port.live = 0;
            }
        }
        true
    }

    /// Looks a unit's action up once more, since another unit with the same key has ended.
    pub fn look_again(&mut self, unit: UnitRef) {
        let state = self.unit_mut(unit);
        if matches!(state.phase, Phase::Miss | Phase::Hit) && state.go {
            if state.recorded {
                self.touched.push(unit);
                return;
            }
            state.phase = Phase::Unknown;
            state.go = false;
            self.work.push_back(Task::Resolve(unit));
        }
    }
}
