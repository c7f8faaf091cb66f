//! The random inputs of steps and views.
//!
//! Every step has a stream of its own in ChaCha with 8 rounds (`rand_chacha`; the key is the seed as `seed_from_u64` spreads it, the stream is made
//! of phase, step and use). A resumed optimisation therefore draws what an uninterrupted one would have drawn, and
//! the numbers are the same on every machine.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// What random numbers are for; keeps the streams apart.
#[derive(Clone, Copy, Debug)]
enum Use {
    View = 0,
    Step = 1,
}

fn stream(seed: u64, phase: usize, step: usize, use_: Use) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(((phase as u64) << 40) | ((step as u64) << 1) | use_ as u64);
    generator
}

/// `count` uniform numbers in [0,1) for the view of a step.
pub fn uniform(seed: u64, phase: usize, step: usize, count: usize) -> Vec<f32> {
    let mut generator = stream(seed, phase, step, Use::View);
    (0..count).map(|_| generator.random::<f32>()).collect()
}

/// `count` standard normal numbers for a step.
pub fn normal(seed: u64, phase: usize, step: usize, count: usize) -> Vec<f32> {
    let mut generator = stream(seed, phase, step, Use::Step);
    (0..count).map(|_| generator.sample::<f32, _>(StandardNormal)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins the generator: stored results depend on these numbers.
    #[test]
    fn the_numbers_never_change() {
        let (flat, bell) = (uniform(7, 1, 3, 2), normal(7, 1, 3, 2));
        assert_eq!(flat, uniform(7, 1, 3, 2));
        assert_eq!((flat[0], bell[0]), (0.7970989, -0.8180304));
    }

    #[test]
    fn streams_differ_by_seed_phase_step_and_use() {
        let first = normal(0, 0, 0, 4);
        for other in [normal(1, 0, 0, 4), normal(0, 1, 0, 4), normal(0, 0, 1, 4), uniform(0, 0, 0, 4)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let flat = uniform(0, 0, 0, 20_000);
        let mean = flat.iter().sum::<f32>() / 20_000.0;
        assert!((mean - 0.5).abs() < 0.01 && flat.iter().all(|x| (0.0..1.0).contains(x)));
        let square = normal(0, 0, 0, 20_000).iter().map(|x| x * x).sum::<f32>() / 20_000.0;
        assert!((square - 1.0).abs() < 0.05, "{square}");
    }
}
