//! Checkpoints: everything from which an optimisation goes on as if it had not been interrupted, as safetensors.

use super::{Curves, Phase, Watch, phase::State};
use crate::{
    error::{NodeError, Result},
    safetensors,
    tensor::{Tensor, Tensors},
};

/// Version of the layout; others are ignored.
const LAYOUT: i64 = 1;

/// The finished part of an optimisation.
#[derive(Clone, Debug, Default)]
pub(super) struct Checkpoint {
    /// Steps taken by each finished phase.
    pub(super) steps: Vec<usize>,
    /// What finished phases added to the set.
    pub(super) added: Tensors,
    /// Losses so far, those of the running phase included.
    pub(super) curves: Curves,
}

impl Checkpoint {
    /// The finished part and the `state` of the running phase as bytes.
    pub(super) fn encode(&self, state: &State) -> Result<Vec<u8>> {
        let mut all = Tensors::new();
        let mut put = |group: &str, tensors: &Tensors| {
            all.0.extend(tensors.0.iter().map(|(name, tensor)| (format!("{group}.{name}"), tensor.clone())));
        };
        put("added", &self.added);
        put("curve", &self.curves.tensors()?);
        put("state", &state.tensors);
        let numbers: Vec<i64> = [LAYOUT, state.taken as i64]
            .into_iter()
            .chain(self.steps.iter().map(|&steps| steps as i64))
            .collect();
        all.0.insert("position".into(), Tensor::i64([numbers.len()], numbers)?);
        safetensors::encode(&all)
    }

    fn decode(bytes: &[u8]) -> Result<(Self, State)> {
        let all = safetensors::decode(bytes)?;
        let numbers = all.get("position")?.as_i64()?;
        let (&[LAYOUT, taken], steps) = numbers.split_first_chunk().ok_or_else(unfit)? else {
            return Err(unfit());
        };
        let group = |group: &str| {
            let named = |(name, tensor): (&String, &Tensor)| {
                Some((name.strip_prefix(group)?.strip_prefix('.')?.to_owned(), tensor.clone()))
            };
            Tensors(all.0.iter().filter_map(named).collect())
        };
        let count = |number: i64| usize::try_from(number).map_err(|_| unfit());
        let done = Self {
            steps: steps.iter().map(|&steps| count(steps)).collect::<Result<_>>()?,
            added: group("added"),
            curves: Curves::read(&group("curve"))?,
        };
        Ok((done, State { taken: count(taken)?, tensors: group("state") }))
    }
}

fn unfit() -> NodeError {
    NodeError::input("checkpoint: another layout")
}

/// The checkpoint that an interrupted run left; one that cannot be used is warned of and dropped.
pub(super) fn load(watch: &dyn Watch, phases: &[Phase]) -> Option<(Checkpoint, State)> {
    let found = watch.checkpoint().transpose()?;
    let read = found.and_then(|bytes| Checkpoint::decode(&bytes)).and_then(|(done, state)| {
        let phase = phases.get(done.steps.len()).ok_or_else(unfit)?;
        if state.taken > phase.schedule.steps { Err(unfit()) } else { Ok((done, state)) }
    });
    match read {
        Ok(found) => Some(found),
        Err(error) => {
            watch.warn(&format!("the checkpoint cannot be used, the optimisation starts afresh: {error}"));
            None
        }
    }
}
