//! Tells when a phase no longer gains, so that its learning rate begins to fall before its time, and it ends before it is through.

use crate::pack::Settle;

/// Watches one loss over the steps that see the offered view.
#[derive(Clone, Debug)]
pub(super) struct Settling<'a> {
    rule: &'a Settle,
    heard: Vec<f64>,
}

impl<'a> Settling<'a> {
    pub(super) fn new(rule: &'a Settle) -> Self {
        Self { rule, heard: vec![] }
    }

    /// Hears the loss of one more step; true when its mean over the last window is not lower, by the share that the rule wants,
    /// than over the window before.
    pub(super) fn hear(&mut self, loss: f32) -> bool {
        self.heard.push(f64::from(loss));
        let window = self.rule.window;
        let Some(from) = self.heard.len().checked_sub(2 * window) else { return false };
        let (before, last) = self.heard[from..].split_at(window);
        let sum = |losses: &[f64]| losses.iter().sum::<f64>();
        sum(last) > (1.0 - self.rule.gain) * sum(before)
    }

    /// Begins anew, as a falling learning rate brings gains of its own.
    pub(super) fn forget(&mut self) {
        self.heard.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_settles_once_a_window_gains_too_little_on_the_one_before() {
        let rule = Settle { loss: "picture".into(), window: 3, gain: 0.05 };
        let mut settling = Settling::new(&rule);
        let falling = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
        assert!(falling.iter().all(|&loss| !settling.hear(loss)));
        let flat: Vec<bool> = [0.4, 0.39, 0.4, 0.39, 0.4].iter().map(|&loss| settling.hear(loss)).collect();
        assert_eq!(flat, [false, false, false, false, true]);
    }
}
