mod onnx;

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tempfile::TempDir;

use super::*;
use crate::{file::ModelFile, pack::Settle, tensor::Tensor, testing::tiny_models};

/// Records what it hears, and cancels after so many questions.
struct Listener {
    done: Mutex<(u64, Option<u64>)>,
    warnings: Mutex<Vec<String>>,
    kept: Mutex<Option<Vec<u8>>>,
    left: AtomicUsize,
}

impl Listener {
    fn patient() -> Self {
        let (done, warnings, kept) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { done, warnings, kept, left: AtomicUsize::new(usize::MAX) }
    }
}

impl Watch for Listener {
    fn cancelled(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        *self.done.lock().unwrap() = (done, total);
    }

    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.kept.lock().unwrap().clone())
    }

    fn save_checkpoint(&self, bytes: &[u8]) -> Result<()> {
        *self.kept.lock().unwrap() = Some(bytes.to_vec());
        Ok(())
    }
}

/// Graphs of "find the vector `target` with Adam", with views that shift it and noise on the gradient.
struct Quadratic {
    models: Models,
    folder: TempDir,
}

impl Quadratic {
    /// `None`, with the reason printed, before set-up.
    fn new() -> Option<Self> {
        Some(Self { models: tiny_models()?, folder: tempfile::tempdir().unwrap() })
    }

    fn file(&self, name: &str, bytes: Vec<u8>) -> ModelFile {
        let path = self.folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        ModelFile::at(&path).unwrap()
    }

    /// A phase that looks for `target` and leaves it as `found`.
    fn phase(&self, target: &str, found: &str, steps: usize) -> Phase {
        let adam: &[onnx::Node<'_>] = &[
            ("Mul", &["noise", "little"], &["shake"]),
            ("Sub", &["params", "goal"], &["plain"]),
            ("Add", &["plain", "shake"], &["off"]),
            ("Mul", &["off", "off"], &["square"]),
            ("ReduceSum", &["square"], &["loss"]),
            ("Sqrt", &["loss"], &["distance"]),
            ("Mul", &["m", "beta1"], &["m1"]),
            ("Mul", &["off", "rest1"], &["m2"]),
            ("Add", &["m1", "m2"], &["m_out"]),
            ("Mul", &["v", "beta2"], &["v1"]),
            ("Mul", &["square", "rest2"], &["v2"]),
            ("Add", &["v1", "v2"], &["v_out"]),
            ("Sqrt", &["v_out"], &["root"]),
            ("Div", &["root", "bias2"], &["scaled"]),
            ("Add", &["scaled", "epsilon"], &["under"]),
            ("Div", &["m_out", "under"], &["move"]),
            ("Mul", &["move", "step_size"], &["moved"]),
            ("Sub", &["params", "moved"], &["params_out"]),
        ];
        let inputs: Vec<(&str, usize)> = [("params", 3), ("m", 3), ("v", 3), ("goal", 3), ("noise", 3)]
            .into_iter()
            .chain([("step_size", 1), ("bias2", 1)])
            .collect();
        let outputs = [("params_out", 3), ("m_out", 3), ("v_out", 3), ("loss", 1), ("distance", 1)];
        let constants: [(&str, &[f32]); 6] = [
            ("little", &[1e-3]),
            ("beta1", &[0.9]),
            ("rest1", &[0.1]),
            ("beta2", &[0.99]),
            ("rest2", &[0.01]),
            ("epsilon", &[1e-8]),
        ];
        let step = onnx::model(&inputs, &outputs, &constants, adam);
        let init = onnx::model(
            &[(target, 3)],
            &[("params", 3), ("goal", 3)],
            &[("zero", &[0.0])],
            &[("Mul", &[target, "zero"], &["params"]), ("Identity", &[target], &["goal"])],
        );
        let view = onnx::model(
            &[(target, 3), ("random", 3)],
            &[("goal", 3)],
            &[("half", &[0.5]), ("small", &[0.01])],
            &[
                ("Sub", &["random", "half"], &["centred"]),
                ("Mul", &["centred", "small"], &["shift"]),
                ("Add", &[target, "shift"], &["goal"]),
            ],
        );
        let finish =
            onnx::model(&[("params", 3)], &[(found, 3)], &[], &[("Identity", &["params"], &[found])]);
        Phase {
            name: found.into(),
            init: self.file(&format!("{found}-init"), init),
            step: self.file(&format!("{found}-step"), step),
            view: Some(self.file(&format!("{found}-view"), view)),
            view_step: None,
            view_every: 3,
            finish: self.file(&format!("{found}-finish"), finish),
            schedule: Schedule {
                steps,
                learning_rate: 0.1,
                beta1: 0.9,
                beta2: 0.99,
                ramp_up: 0.05,
                ramp_down: 0.5,
            },
            stop: None,
            settle: None,
            kept: false,
        }
    }

    fn run(&self, phases: &[Phase], watch: &dyn Watch) -> Result<Outcome> {
        let offered = Tensors::new().with("target", Tensor::f32([3], vec![1.0, -2.0, 0.5]).unwrap());
        run(phases, &offered, Options { seed: 5, long: true }, &self.models, watch)
    }
}

#[test]
fn phases_reach_their_targets_and_feed_each_other() {
    let Some(quadratic) = Quadratic::new() else { return };
    let phases = [quadratic.phase("target", "first", 200), quadratic.phase("first", "second", 100)];
    let host = Listener::patient();
    let outcome = quadratic.run(&phases, &host).unwrap();
    for (found, wanted) in
        outcome.tensors.get("second").unwrap().as_f32().unwrap().iter().zip([1.0, -2.0, 0.5])
    {
        assert!((found - wanted).abs() < 0.05, "{found}, expected {wanted}");
    }
    assert_eq!(outcome.steps, [200, 100]);
    assert_eq!(*host.done.lock().unwrap(), (300, Some(300)));
    let curves = outcome.curves.tensors().unwrap();
    assert_eq!(curves.get("first.loss").unwrap().shape(), [200]);
    assert_eq!(curves.get("second.distance").unwrap().shape(), [100]);
    assert!(outcome.curves.last()["first.loss"] < 1e-2);
    assert!(!outcome.tensors.0.contains_key("params"));
    // Between steps only these travel: the drawn numbers of view and step, three of the schedule; the losses. Parameters and moments stay.
    let numbers = |count: u64| 4 * count;
    assert!(outcome.copied_a_step.given <= numbers(3 + 3 + 3), "{:?}", outcome.copied_a_step);
    assert!((1..=numbers(2)).contains(&outcome.copied_a_step.taken), "{:?}", outcome.copied_a_step);
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    let Some(quadratic) = Quadratic::new() else { return };
    let phases = [quadratic.phase("target", "first", 40), quadratic.phase("first", "second", 30)];
    let whole = quadratic.run(&phases, &Listener::patient()).unwrap();
    let interrupting = Listener::patient();
    // Stopped in the first phase, at its end, and in the second.
    for steps in [17, 23, 11] {
        interrupting.left.store(steps, Ordering::Relaxed);
        let error = quadratic.run(&phases, &interrupting).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
    interrupting.left.store(usize::MAX, Ordering::Relaxed);
    let resumed = quadratic.run(&phases, &interrupting).unwrap();
    assert_eq!(resumed.tensors, whole.tensors);
    assert_eq!(resumed.curves, whole.curves);
    assert_eq!(resumed.steps, whole.steps);
}

#[test]
fn a_damaged_checkpoint_is_warned_of_and_dropped() {
    let Some(quadratic) = Quadratic::new() else { return };
    let host = Listener::patient();
    host.save_checkpoint(b"no checkpoint").unwrap();
    quadratic.run(&[quadratic.phase("target", "first", 5)], &host).unwrap();
    assert!(host.warnings.lock().unwrap()[0].contains("starts afresh"));
}

#[test]
fn the_watched_loss_ends_a_phase_and_the_last_step_is_dropped() {
    let Some(quadratic) = Quadratic::new() else { return };
    let mut phase = quadratic.phase("target", "first", 200);
    phase.stop = Some(Stop { loss: "distance".into(), below: 0.5 });
    let outcome = quadratic.run(&[phase], &Listener::patient()).unwrap();
    let steps = outcome.steps[0];
    assert!(steps < 100, "{steps}");
    let curves = outcome.curves.tensors().unwrap();
    let distances = curves.get("first.distance").unwrap().as_f32().unwrap().to_vec();
    assert_eq!(distances.len(), steps + 1, "the loss that ended the phase is part of its curve");
    let found = outcome.tensors.get("first").unwrap().as_f32().unwrap().to_vec();
    let distance = found.iter().zip([1.0, -2.0, 0.5]).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    assert!((distance - distances[steps]).abs() < 0.02, "{distance}, the curve ends at {}", distances[steps]);
}

#[test]
fn a_phase_that_no_longer_gains_lets_its_rate_fall_and_ends_sooner() {
    let Some(quadratic) = Quadratic::new() else { return };
    let settling = |target: &str, found: &str| {
        let mut phase = quadratic.phase(target, found, 400);
        phase.settle = Some(Settle { loss: "distance".into(), window: 8, gain: 0.05 });
        phase
    };
    let phases = [settling("target", "first")];
    let host = Listener::patient();
    let whole = quadratic.run(&phases, &host).unwrap();
    let steps = whole.steps[0];
    assert!((60..300).contains(&steps), "{steps}");
    let curves = whole.curves.tensors().unwrap();
    assert_eq!(curves.get("first.loss").unwrap().shape(), [steps]);
    let last = *curves.get("first.distance").unwrap().as_f32().unwrap().last().unwrap();
    assert!(last < 0.1, "{last} after {steps} steps");
    assert_eq!(*host.done.lock().unwrap(), (400, Some(400)), "steps left out count as over");

    // Interrupted before and after it settled, it takes the same steps.
    let interrupting = Listener::patient();
    for steps in [20, steps - 40] {
        interrupting.left.store(steps, Ordering::Relaxed);
        assert_eq!(quadratic.run(&phases, &interrupting).unwrap_err().kind(), ErrorKind::Cancelled);
    }
    interrupting.left.store(usize::MAX, Ordering::Relaxed);
    let resumed = quadratic.run(&phases, &interrupting).unwrap();
    assert_eq!((resumed.tensors, resumed.steps), (whole.tensors, whole.steps));
}

#[test]
fn a_loss_that_is_no_number_names_phase_and_step() {
    let Some(quadratic) = Quadratic::new() else { return };
    let mut phase = quadratic.phase("target", "first", 20);
    phase.schedule.learning_rate = f64::INFINITY;
    let error = quadratic.run(&[phase], &Listener::patient()).unwrap_err();
    assert_eq!(error.to_string(), "phase `first`, step 2 of 20: the loss is inf");
    assert!(error.hint_text().unwrap().contains("learning rate"));
}

#[test]
fn a_missing_tensor_and_an_unknown_watched_loss_are_named() {
    let Some(quadratic) = Quadratic::new() else { return };
    let error = quadratic.run(&[quadratic.phase("elsewhere", "first", 2)], &Listener::patient()).unwrap_err();
    assert!(error.to_string().contains("`elsewhere`"), "{error}");
    let mut phase = quadratic.phase("target", "first", 2);
    phase.stop = Some(Stop { loss: "lpips".into(), below: 0.1 });
    let phases = [phase];
    let error = quadratic.run(&phases, &Listener::patient()).unwrap_err();
    assert_eq!(error.to_string(), "phase `first`: no loss `lpips` to stop by");
    let [mut phase] = phases;
    phase.stop = None;
    phase.settle = Some(Settle { loss: "lpips".into(), window: 1, gain: 0.1 });
    let error = quadratic.run(&[phase], &Listener::patient()).unwrap_err();
    assert_eq!(error.to_string(), "phase `first`: no loss `lpips` to settle by");
}
