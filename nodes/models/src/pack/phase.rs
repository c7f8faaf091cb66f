//! A phase of an optimisation: its graphs and its schedule.

use serde_json::{Value, json};

use super::{
    file::{FileEntry, PhaseEntry, Settle, Stop},
    quality::Steps,
};
use crate::{error::Result, file::ModelFile};

/// A phase; section "Optimisations" of docs/packs.md says what its graphs take and give.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Name.
    pub name: String,
    /// Gives the first parameters, and constants for the steps.
    pub init: ModelFile,
    /// One step.
    pub step: ModelFile,
    /// The step with a view; absent: `step`.
    pub view_step: Option<ModelFile>,
    /// Makes targets for another view.
    pub view: Option<ModelFile>,
    /// Gives what goes on to the next phase.
    pub finish: ModelFile,
    /// Every how many steps a view takes the photo's place; 0: never.
    pub view_every: u64,
    /// Number of steps unless the node says otherwise.
    pub steps: Steps,
    /// Learning rate.
    pub learning_rate: f64,
    /// Adam's decay of the first moment.
    pub beta1: f64,
    /// Adam's decay of the second moment.
    pub beta2: f64,
    /// Fraction of the steps over which the learning rate rises linearly.
    pub ramp_up: f64,
    /// Fraction of the steps over which it falls to zero as a cosine.
    pub ramp_down: f64,
    /// When to end early.
    pub stop: Option<Stop>,
    /// When to let the learning rate fall early.
    pub settle: Option<Settle>,
}

impl Phase {
    pub(super) fn resolve(
        optimisation: &str,
        entry: PhaseEntry,
        resolve: &dyn Fn(String, &FileEntry) -> Result<ModelFile>,
    ) -> Result<Self> {
        let graph =
            |part: &str, file: &FileEntry| resolve(format!("{optimisation}.{}.{part}", entry.name), file);
        let optional =
            |part: &str, file: &Option<FileEntry>| file.as_ref().map(|file| graph(part, file)).transpose();
        Ok(Self {
            init: graph("init", &entry.init)?,
            step: graph("step", &entry.step)?,
            view_step: optional("view_step", &entry.view_step)?,
            view: optional("view", &entry.view)?,
            finish: graph("finish", &entry.finish)?,
            view_every: entry.view_every,
            steps: entry.steps,
            learning_rate: entry.learning_rate,
            beta1: entry.beta1,
            beta2: entry.beta2,
            ramp_up: entry.ramp_up,
            ramp_down: entry.ramp_down,
            stop: entry.stop,
            settle: entry.settle,
            name: entry.name,
        })
    }

    /// Its graphs.
    pub fn models(&self) -> impl Iterator<Item = &ModelFile> {
        let parts = [
            Some(&self.init),
            Some(&self.step),
            self.view_step.as_ref(),
            self.view.as_ref(),
            Some(&self.finish),
        ];
        parts.into_iter().flatten()
    }

    /// Everything but the graphs.
    pub(super) fn schedule(&self) -> Value {
        let mut schedule = json!({
            "name": self.name, "steps": self.steps, "learning_rate": self.learning_rate, "beta1": self.beta1,
            "beta2": self.beta2, "ramp_up": self.ramp_up, "ramp_down": self.ramp_down, "view_every": self.view_every,
            "stop": self.stop,
        });
        // Only where there is one: phases without keep their digest.
        if let Some(settle) = &self.settle {
            schedule["settle"] = json!(settle);
        }
        schedule
    }
}
