//! The learning-rate schedule and Adam's bias correction, in float64.

/// Numbers of a phase that the host turns into the inputs of its steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// How many steps there are at most.
    pub steps: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Fraction of the steps over which the rate rises linearly.
    pub ramp_up: f64,
    /// Fraction of the steps over which it falls to zero along a cosine.
    pub ramp_down: f64,
}

impl Schedule {
    /// The learning rate of step `index`, counted from 0 (ramps as in StyleGAN2's projector, Karras et al. 2020).
    pub fn learning_rate(&self, index: usize) -> f64 {
        let (index, steps) = (index as f64, self.steps as f64);
        let mut rate = self.learning_rate;
        if self.ramp_up > 0.0 {
            rate *= ((index + 1.0) / (self.ramp_up * steps)).min(1.0);
        }
        if self.ramp_down > 0.0 {
            let left = ((steps - index) / (self.ramp_down * steps)).min(1.0);
            rate *= 0.5 - 0.5 * (std::f64::consts::PI * left).cos();
        }
        rate
    }

    /// The first step at which the rate falls; `steps` where it never does.
    pub fn falls_from(&self) -> usize {
        ((1.0 - self.ramp_down) * self.steps as f64).ceil() as usize
    }

    /// `step_size` = lr / (1 − β₁ᵗ) with t = `taken` + 1 (Adam, Kingma and Ba 2015) and the rate of step `index`; the two differ once a
    /// phase that no longer gained has left steps out.
    pub fn step_size(&self, taken: usize, index: usize) -> f32 {
        (self.learning_rate(index) / (1.0 - self.beta1.powf(taken as f64 + 1.0))) as f32
    }

    /// `bias2` = √(1 − β₂ᵗ).
    pub fn bias2(&self, index: usize) -> f32 {
        (1.0 - self.beta2.powf(index as f64 + 1.0)).sqrt() as f32
    }

    /// How far along step `index` is, in [0,1).
    pub fn progress(&self, index: usize) -> f32 {
        (index as f64 / self.steps as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule =
        Schedule { steps: 100, learning_rate: 0.5, beta1: 0.9, beta2: 0.99, ramp_up: 0.1, ramp_down: 0.5 };

    #[test]
    fn rises_holds_and_falls_to_nearly_zero() {
        assert!((SCHEDULE.learning_rate(0) - 0.05).abs() < 1e-12);
        assert!((SCHEDULE.learning_rate(9) - 0.5).abs() < 1e-12);
        assert!((SCHEDULE.learning_rate(50) - 0.5).abs() < 1e-12);
        assert!((SCHEDULE.learning_rate(75) - 0.25).abs() < 1e-12);
        assert!(SCHEDULE.learning_rate(99) < 1e-3);
        assert_eq!(SCHEDULE.falls_from(), 50);
        assert_eq!(Schedule { ramp_down: 0.0, ..SCHEDULE }.falls_from(), 100);
    }

    #[test]
    fn bias_correction_is_adams() {
        let flat = Schedule { ramp_up: 0.0, ramp_down: 0.0, ..SCHEDULE };
        assert!((flat.step_size(0, 0) - 5.0).abs() < 1e-5, "0.5 / (1 - 0.9)");
        assert!((flat.bias2(0) - 0.1).abs() < 1e-6);
        assert!((flat.bias2(1_000_000) - 1.0).abs() < 1e-6);
    }
}
