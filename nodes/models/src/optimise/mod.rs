//! Optimisations run as step graphs.
//!
//! A pack ships each optimisation (inversion of a photo, fit of the morphable model) as phases of plain ONNX graphs; the section
//! "Optimisations" of the pack contract says what they take and give. This module drives any of them: it wires tensors by
//! name, computes the schedule in float64, draws random inputs, stops early, keeps loss curves and checkpoints, and stops
//! between steps when the run is cancelled. Parameters and moments stay in ONNX Runtime from step to step.

mod checkpoint;
mod curve;
mod noise;
mod phase;
mod schedule;
mod settle;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use self::{
    checkpoint::Checkpoint,
    phase::{Run, State},
};
pub use self::{
    curve::Curves,
    phase::{Overrides, Phase, Stop},
    schedule::Schedule,
};
use crate::{
    error::{ErrorKind, NodeError, Result},
    models::Models,
    runtime::{Copies, Runtime, Values, copies},
    tensor::Tensors,
};

/// Shortest time between two checkpoints.
const PAUSE: Duration = Duration::from_secs(5);
/// Between checkpoints passes at least this many times what one costs.
const SHARE: u32 = 20;

/// Whom an optimisation works for.
pub trait Watch {
    /// Whether it is to stop; asked between steps.
    fn cancelled(&self) -> bool;
    /// Hears how many steps of how many are over.
    fn progress(&self, done: u64, total: Option<u64>);
    /// Hears a warning.
    fn warn(&self, message: &str);
    /// The checkpoint that an earlier, interrupted optimisation left.
    fn checkpoint(&self) -> Result<Option<Vec<u8>>>;
    /// Keeps a checkpoint in place of the one before.
    fn save_checkpoint(&self, bytes: &[u8]) -> Result<()>;

    /// Fails with [`NodeError::cancelled`] when it is to stop.
    fn check_cancelled(&self) -> Result<()> {
        if self.cancelled() { Err(NodeError::cancelled()) } else { Ok(()) }
    }
}

/// How phases are run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Seeds the random inputs of views and steps.
    pub seed: u64,
    /// Whether progress is told and checkpoints are kept: not for the many small fits of one chunk.
    pub long: bool,
}

/// What an optimisation leaves.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was offered, and what the phases added to it or replaced.
    pub tensors: Tensors,
    /// Losses by step.
    pub curves: Curves,
    /// Steps that each phase took; fewer than scheduled after an early stop.
    pub steps: Vec<usize>,
    /// The most bytes that one step copied between the program and ONNX Runtime: losses, drawn numbers and the schedule.
    pub copied_a_step: Copies,
}

/// Runs `phases` in order on a set of tensors that starts as `offered` and grows by what each phase finishes with.
///
/// # Errors
/// A loss that is not finite, a graph that wants a tensor which the set lacks, ONNX Runtime's failures, cancellation. After a
/// cancellation of a long optimisation its checkpoint holds the last complete step.
pub fn run(
    phases: &[Phase],
    offered: &Tensors,
    options: Options,
    models: &Models,
    watch: &dyn Watch,
) -> Result<Outcome> {
    let found = if options.long { checkpoint::load(watch, phases) } else { None };
    let (done, mut resumed) = match found {
        Some((checkpoint, state)) => (checkpoint, Some(state)),
        None => (Checkpoint::default(), None),
    };
    let runtime = models.runtime()?;
    // What stays the same from step to step goes to the device once.
    let mut set = runtime.resident(runtime.values(offered)?)?;
    set.extend(runtime.resident(runtime.values(&done.added)?)?);
    let mut driver = Driver {
        phases,
        options,
        runtime,
        watch,
        done,
        saved: Instant::now(),
        wait: PAUSE,
        copied: Copies::default(),
    };
    for phase in &phases[driver.done.steps.len()..] {
        let added = driver.phase(phase, &set, resumed.take())?;
        driver.done.added.0.extend(added.tensors()?.0);
        set.extend(added);
    }
    let copied_a_step = driver.copied;
    let Checkpoint { steps, added, curves } = driver.done;
    let mut tensors = offered.clone();
    tensors.0.extend(added.0);
    Ok(Outcome { tensors, curves, steps, copied_a_step })
}

struct Driver<'a> {
    phases: &'a [Phase],
    options: Options,
    runtime: &'a Runtime,
    watch: &'a dyn Watch,
    done: Checkpoint,
    saved: Instant,
    wait: Duration,
    copied: Copies,
}

impl Driver<'_> {
    /// Runs one phase; gives what it adds to the set.
    fn phase(&mut self, phase: &Phase, set: &Values, resumed: Option<State>) -> Result<Values> {
        let number = self.done.steps.len();
        let mut run = Run::start(phase, (self.options.seed, number), set, resumed, self.runtime)?;
        run.recall(&self.done.curves);
        while run.index() < phase.schedule.steps {
            let before = copies();
            let step = match self.watch.check_cancelled().and_then(|()| run.step()) {
                Ok(step) => step,
                Err(error) => {
                    if error.kind() == ErrorKind::Cancelled && self.options.long {
                        self.save(&run)?;
                    }
                    return Err(error);
                }
            };
            let Copies { given, taken } = copies() - before;
            self.copied.given = self.copied.given.max(given);
            self.copied.taken = self.copied.taken.max(taken);
            self.done.curves.push(&phase.name, &step.losses);
            if step.stopped {
                break;
            }
            if self.options.long {
                self.tell(run.index());
                if self.saved.elapsed() > self.wait {
                    self.save(&run)?;
                }
            }
        }
        self.done.steps.push(run.taken());
        let added = run.finish()?;
        if self.options.long {
            self.tell(0);
        }
        Ok(added)
    }

    /// Tells how many steps of all phases are over, those that were left out counting too.
    fn tell(&self, index: usize) {
        let steps = |phases: &[Phase]| phases.iter().map(|phase| phase.schedule.steps).sum::<usize>();
        let over = steps(&self.phases[..self.done.steps.len()]) + index;
        self.watch.progress(over as u64, Some(steps(self.phases) as u64));
    }

    fn save(&mut self, run: &Run<'_>) -> Result<()> {
        let start = Instant::now();
        self.watch.save_checkpoint(&self.done.encode(&run.state()?)?)?;
        self.saved = Instant::now();
        self.wait = PAUSE.max(start.elapsed() * SHARE);
        Ok(())
    }
}
