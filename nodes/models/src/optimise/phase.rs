//! One phase: its graphs and its state in ONNX Runtime.

use std::{collections::BTreeMap, sync::Arc};

use super::{Curves, Schedule, noise, settle::Settling};
use crate::{
    error::{NodeError, Result},
    file::ModelFile,
    onnx::Dim,
    pack::{self, Quality, Settle},
    runtime::{Runtime, Session, Values},
    tensor::{Tensor, Tensors},
};

/// Outputs of a step that are state; every other output is a loss.
const STATE: [&str; 3] = ["params", "m", "v"];

/// Ends a phase early.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Name of the loss that is watched. It is that of the parameters before the step.
    pub loss: String,
    /// The phase ends with those parameters when the loss is below this.
    pub below: f64,
}

/// A phase: its graphs and its numbers.
pub struct Phase {
    /// Name, for curves and messages.
    pub name: String,
    /// Gives `params` and constants.
    pub init: ModelFile,
    /// One optimisation step.
    pub step: ModelFile,
    /// Gives the targets of the steps that see another view than the offered one.
    pub view: Option<ModelFile>,
    /// The step that follows a view; `None`: `step`.
    pub view_step: Option<ModelFile>,
    /// Every how many steps a view is seen, the first time at step `view_every` − 1; 0: never.
    pub view_every: usize,
    /// Turns parameters into tensors of the set.
    pub finish: ModelFile,
    /// Steps and learning rate.
    pub schedule: Schedule,
    /// Early stop.
    pub stop: Option<Stop>,
    /// Early fall of the learning rate.
    pub settle: Option<Settle>,
    /// Whether graphs stay loaded, for fits of many frames. Else each is loaded when its turn comes and closed after, as a session keeps
    /// the memory that its largest run took.
    pub kept: bool,
}

/// What a node's parameters put in the place of a phase's own numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Number of steps.
    pub steps: Option<usize>,
    /// Peak learning rate.
    pub learning_rate: Option<f64>,
    /// Threshold of the early stop; without effect on a phase that watches no loss.
    pub below: Option<f64>,
}

impl Phase {
    /// The graphs of `phase`, with the steps of `quality` and the numbers of `overrides` where given.
    pub fn new(phase: &pack::Phase, quality: Quality, overrides: Overrides) -> Self {
        Self {
            name: phase.name.clone(),
            init: phase.init.clone(),
            step: phase.step.clone(),
            view: phase.view.clone(),
            view_step: phase.view_step.clone(),
            view_every: phase.view_every as usize,
            finish: phase.finish.clone(),
            schedule: Schedule {
                steps: overrides.steps.unwrap_or(phase.steps.of(quality) as usize),
                learning_rate: overrides.learning_rate.unwrap_or(phase.learning_rate),
                beta1: phase.beta1,
                beta2: phase.beta2,
                ramp_up: phase.ramp_up,
                ramp_down: phase.ramp_down,
            },
            stop: phase
                .stop
                .as_ref()
                .map(|stop| Stop { loss: stop.loss.clone(), below: overrides.below.unwrap_or(stop.below) }),
            settle: phase.settle.clone(),
            kept: false,
        }
    }

    /// Whether step number `taken` sees a view in place of the offered one.
    fn sees_view(&self, taken: usize) -> bool {
        self.view.is_some() && self.view_every > 0 && taken % self.view_every == self.view_every - 1
    }

    /// Whether one of its graphs takes a tensor called `name`. Loads them.
    pub fn takes(&self, name: &str, runtime: &Runtime) -> Result<bool> {
        for graph in [Some(&self.init), Some(&self.step), self.view.as_ref(), Some(&self.finish)] {
            if let Some(graph) = graph
                && self.open(graph, runtime)?.signature().input(name).is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn open(&self, graph: &ModelFile, runtime: &Runtime) -> Result<Arc<Session>> {
        if self.kept { runtime.session(graph) } else { runtime.session_apart(graph).map(Arc::new) }
    }

    /// A graph that is run once a phase.
    fn open_once(&self, graph: &ModelFile, runtime: &Runtime) -> Result<Arc<Session>> {
        if self.kept { runtime.session(graph) } else { runtime.session_once(graph).map(Arc::new) }
    }
}

/// A phase's state on the program's side.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Steps taken.
    pub(super) taken: usize,
    /// `params`, `m` and `v`.
    pub(super) tensors: Tensors,
}

/// A step that was taken, or that showed that the phase is over.
pub(super) struct Step {
    /// Losses of the parameters before the step.
    pub(super) losses: BTreeMap<String, f32>,
    /// Whether the stopping loss was under its threshold; the new state was dropped then.
    pub(super) stopped: bool,
}

/// A running phase.
pub(super) struct Run<'a> {
    phase: &'a Phase,
    /// Seed, and the phase's number, that random inputs derive from.
    streams: (u64, usize),
    runtime: &'a Runtime,
    /// The graphs of steps that were needed so far.
    step: Option<Arc<Session>>,
    view: Option<Arc<Session>>,
    view_step: Option<Arc<Session>>,
    /// The set and the constants of `init`.
    known: Values,
    state: Values,
    taken: usize,
    /// Steps that were left out when the phase no longer gained.
    left_out: usize,
    settling: Option<Settling<'a>>,
}

impl<'a> Run<'a> {
    /// Starts `phase` on `set`, or goes on from `resumed`.
    pub(super) fn start(
        phase: &'a Phase,
        streams: (u64, usize),
        set: &Values,
        resumed: Option<State>,
        runtime: &'a Runtime,
    ) -> Result<Self> {
        let mut constants = phase.open_once(&phase.init, runtime)?.run_values(set)?;
        let params = constants.tensor("params")?;
        constants.remove("params");
        let (taken, state) = match resumed {
            Some(State { taken, tensors }) => {
                for name in STATE {
                    let (found, wanted) = (tensors.get(name)?.shape(), params.shape());
                    if found != wanted {
                        return Err(NodeError::input(format!(
                            "checkpoint: `{name}` has shape {found:?}, expected {wanted:?}"
                        )));
                    }
                }
                (taken, tensors)
            }
            None => {
                let zeros = Tensor::f32(params.shape(), vec![0.0; params.as_f32()?.len()])?;
                (0, Tensors::new().with("m", zeros.clone()).with("v", zeros).with("params", params))
            }
        };
        let mut known = set.clone();
        known.extend(constants);
        let state = runtime.values(&state)?;
        let (step, view, view_step) = (None, None, None);
        let settling = phase.settle.as_ref().map(Settling::new);
        Ok(Self {
            phase,
            streams,
            runtime,
            step,
            view,
            view_step,
            known,
            state,
            taken,
            left_out: 0,
            settling,
        })
    }

    /// Steps taken so far.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// How far along the schedule the next step is.
    pub(super) fn index(&self) -> usize {
        self.taken + self.left_out
    }

    /// Leaves out, after an interruption, the steps that the run before had left out, as the losses of its steps say.
    pub(super) fn recall(&mut self, curves: &Curves) {
        if let Some(rule) = &self.phase.settle {
            for (taken, &loss) in curves.of(&self.phase.name, &rule.loss).iter().enumerate().take(self.taken)
            {
                self.settle(taken, loss);
            }
        }
    }

    /// Hears the watched loss of step number `taken`. Once the phase no longer gains it goes on where the learning rate falls; where it
    /// falls already, the phase is over.
    fn settle(&mut self, taken: usize, loss: f32) {
        if let Some(settling) = &mut self.settling
            && !self.phase.sees_view(taken)
            && settling.hear(loss)
        {
            let next = taken + 1 + self.left_out;
            let schedule = &self.phase.schedule;
            let to = if next < schedule.falls_from() { schedule.falls_from() } else { schedule.steps };
            self.left_out += to.saturating_sub(next);
            settling.forget();
        }
    }

    /// Takes one step.
    pub(super) fn step(&mut self) -> Result<Step> {
        let phase = self.phase;
        let (taken, index) = (self.taken, self.index());
        let mut inputs = self.known.clone();
        let open = |slot: &mut Option<Arc<Session>>, graph: &ModelFile| match slot {
            Some(session) => Ok(session.clone()),
            None => phase.open(graph, self.runtime).map(|session| slot.insert(session).clone()),
        };
        let (seed, number) = self.streams;
        let model = match &phase.view {
            Some(view) if phase.sees_view(taken) => {
                let view = open(&mut self.view, view)?;
                let mut seen = inputs.clone();
                self.random(&view, "random", &mut seen, |count| noise::uniform(seed, number, taken, count))?;
                inputs.extend(view.run_values(&seen)?);
                match &phase.view_step {
                    Some(graph) => open(&mut self.view_step, graph)?,
                    None => open(&mut self.step, &phase.step)?,
                }
            }
            _ => open(&mut self.step, &phase.step)?,
        };
        self.random(&model, "noise", &mut inputs, |count| noise::normal(seed, number, taken, count))?;
        let one = |value: f32| Tensor::f32([1], vec![value]);
        let schedule = Tensors::new()
            .with("step_size", one(phase.schedule.step_size(taken, index))?)
            .with("bias2", one(phase.schedule.bias2(taken))?)
            .with("progress", one(phase.schedule.progress(index))?);
        inputs.extend(self.runtime.values(&schedule)?);
        inputs.extend(self.state.clone());
        let mut outputs = model.run_values(&inputs)?;
        drop(inputs);
        let mut next = Values::new();
        for name in STATE {
            let output = format!("{name}_out");
            outputs.rename(&output, name)?;
        }
        let losses = self.losses(&model, &outputs)?;
        self.check(&losses)?;
        if let Some(stop) = &phase.stop {
            let loss = losses.get(&stop.loss).ok_or_else(|| {
                NodeError::model(format!("phase `{}`: no loss `{}` to stop by", phase.name, stop.loss))
            })?;
            if f64::from(*loss) < stop.below {
                return Ok(Step { losses, stopped: true });
            }
        }
        if let Some(rule) = &phase.settle {
            let loss = losses.get(&rule.loss).ok_or_else(|| {
                NodeError::model(format!("phase `{}`: no loss `{}` to settle by", phase.name, rule.loss))
            })?;
            self.settle(taken, *loss);
        }
        for loss in losses.keys() {
            outputs.remove(loss);
        }
        next.extend(outputs);
        self.state = next;
        self.taken += 1;
        Ok(Step { losses, stopped: false })
    }

    /// What the phase adds to the set.
    pub(super) fn finish(self) -> Result<Values> {
        let Self { phase, runtime, mut known, state, step, view, view_step, .. } = self;
        drop((step, view, view_step));
        known.extend(state);
        phase.open_once(&phase.finish, runtime)?.run_values(&known)
    }

    /// The state, copied out of ONNX Runtime.
    pub(super) fn state(&self) -> Result<State> {
        Ok(State { taken: self.taken, tensors: self.state.tensors()? })
    }

    /// Adds the vector input `name`, if `model` wants it.
    fn random(
        &self,
        model: &Session,
        name: &str,
        inputs: &mut Values,
        draw: impl FnOnce(usize) -> Vec<f32>,
    ) -> Result<()> {
        let Some(port) = model.signature().input(name) else { return Ok(()) };
        let Some([Dim::Fixed(count)]) = port.dims.as_deref() else {
            return Err(NodeError::model(format!(
                "model {}: input `{name}`: expected a vector of fixed length, found {port}",
                model.name()
            )));
        };
        let drawn = Tensors::new().with(name, Tensor::f32([*count], draw(*count))?);
        inputs.extend(self.runtime.values(&drawn)?);
        Ok(())
    }

    fn losses(&self, model: &Session, outputs: &Values) -> Result<BTreeMap<String, f32>> {
        let names = model.signature().outputs.iter().map(|port| &port.name);
        names
            .filter(|name| !name.ends_with("_out"))
            .map(|name| Ok((name.clone(), outputs.scalar(name)?)))
            .collect()
    }

    fn check(&self, losses: &BTreeMap<String, f32>) -> Result<()> {
        let place = || {
            format!("phase `{}`, step {} of {}", self.phase.name, self.taken + 1, self.phase.schedule.steps)
        };
        match losses.get("loss") {
            Some(loss) if loss.is_finite() => Ok(()),
            Some(loss) => Err(NodeError::model(format!("{}: the loss is {loss}", place()))
                .hint("lower the learning rate, or check that the image shows one whole face")),
            None => Err(NodeError::model(format!("{}: the step gives no `loss`", place()))),
        }
    }
}
