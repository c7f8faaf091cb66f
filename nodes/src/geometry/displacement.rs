//! A displacement field from scattered anchors, used to bend rays (ray deformation).
//!
//! A face that moves is rendered by asking the resting volume: a sample point of the frame goes back to where its matter was in
//! the reference pose. NeRFFaceSpeech (Kim et al. 2024) moves a point by (reference − current) of the *reference* vertex that is nearest to
//! it; between parted lips that vertex belongs to a lip that has moved away, and the lips show twice. Here the neighbours are
//! those nearest in the *frame's* pose, which inverts the motion; several of them are blended so that the field is smooth.

use std::num::NonZero;

use super::lattice::{self, Bounds, Lattice};
use crate::error::{NodeError, Result};
use kiddo::{ImmutableKdTree, SquaredEuclidean};

/// A point or a vector of the volume.
pub type Vec3 = [f32; 3];

/// How far and how smoothly anchors move the points around them. Lengths are in units of the volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// How many nearest anchors are blended, at least 1.
    pub neighbours: usize,
    /// Points nearer to an anchor than this move with it in full.
    pub core: f32,
    /// Beyond `core` the motion falls off as a Gaussian of this radius.
    pub radius: f32,
}

/// Spacing of the coarse lattice in steps.
const COARSE: f32 = 4.0;
/// The coarse lattice may miss an anchor's motion by one part in this many of a step.
const PRECISION: f32 = 8.0;
/// Motion, in units of the volume, that cannot be seen: 0.02 pixels of a 128-pixel frame.
const REST: f32 = 3e-4;

/// Where the points of one frame come from.
pub struct Displacement {
    tree: ImmutableKdTree<f32, 3>,
    /// Reference − current, by anchor.
    motion: Vec<Vec3>,
    reach: Reach,
    /// Fall-off below which no motion can be seen.
    still: f32,
    /// Box outside which nothing moves.
    bounds: Bounds,
    /// Anchors of the frame.
    anchors: Vec<Vec3>,
}

impl Displacement {
    /// The field that takes points of the `current` anchors back to those of `reference`; `None` when no anchor moves.
    pub fn between(reference: &[Vec3], current: &[Vec3], reach: Reach) -> Result<Option<Self>> {
        if reference.len() != current.len() || reference.is_empty() {
            return Err(NodeError::input(format!(
                "deformation anchors: {} in the frame, {} in the reference",
                current.len(),
                reference.len()
            )));
        }
        if current.iter().chain(reference).flatten().any(|x| !x.is_finite()) {
            return Err(NodeError::model("deformation anchors: not a finite number"));
        }
        let motion: Vec<Vec3> = reference.iter().zip(current).map(|(a, b)| sub(*a, *b)).collect();
        let farthest = motion.iter().flatten().fold(0.0f32, |most, x| most.max(x.abs()));
        if farthest < REST {
            return Ok(None);
        }
        let still = REST / farthest;
        let moving = current.iter().zip(&motion).filter(|(_, motion)| motion.iter().any(|x| x.abs() >= REST));
        let margin = reach.core + reach.radius * (-still.ln()).max(0.0).sqrt();
        let Some(bounds) = Bounds::around(moving.map(|(at, _)| *at), margin) else { return Ok(None) };
        let tree = ImmutableKdTree::new_from_slice(current);
        Ok(Some(Self { tree, motion, reach, still, bounds, anchors: current.to_vec() }))
    }

    /// How far the matter at `point` was from there in the reference pose.
    pub fn at(&self, point: Vec3) -> Vec3 {
        let count = NonZero::new(self.reach.neighbours).unwrap_or(NonZero::<usize>::MIN);
        let near = self.tree.nearest_n::<SquaredEuclidean>(&point, count);
        let Some(first) = near.first() else { return [0.0; 3] };
        let beyond = (first.distance.sqrt() - self.reach.core).max(0.0) / self.reach.radius;
        let fall = (-beyond * beyond).exp();
        if fall < self.still {
            return [0.0; 3];
        }
        // Shepard's inverse-distance weights; the small constant keeps them finite at an anchor.
        let (mut sum, mut total) = ([0.0; 3], 0.0);
        for neighbour in &near {
            let weight = 1.0 / (neighbour.distance + 1e-4);
            total += weight;
            let motion = self.motion[neighbour.item as usize];
            sum.iter_mut().zip(motion).for_each(|(sum, motion)| *sum += weight * motion);
        }
        sum.map(|x| x * fall / total)
    }

    /// Takes `points`, stored as x, y, z, back to where their matter was in the reference pose. The field is tabulated with
    /// spacing `COARSE`·`step`, and with `step` where that misses the motion of an anchor.
    pub fn apply(&self, points: &mut [f32], step: f32) {
        let inside = || points.as_chunks::<3>().0.iter().copied().filter(|p| self.bounds.holds(*p));
        let anchors = || self.anchors.iter().copied().filter(|p| self.bounds.holds(*p));
        let mut coarse = Lattice::new(self.bounds, COARSE * step);
        coarse.tabulate(inside().chain(anchors()), |p| self.at(p));
        let missed = self.anchors.iter().zip(&self.motion).filter(|(at, motion)| {
            self.bounds.holds(**at)
                && sub(coarse.at(**at), **motion).iter().any(|x| x.abs() > step / PRECISION)
        });
        let refined = coarse.around(missed.map(|(at, _)| *at));
        let mut fine = Lattice::new(self.bounds, step);
        fine.tabulate(inside().filter(|p| refined[coarse.cell(*p)]), |p| self.at(p));
        lattice::displace(points, |p| {
            if !self.bounds.holds(p) {
                return None;
            }
            Some(if refined[coarse.cell(p)] { fine.at(p) } else { coarse.at(p) })
        });
    }
}

fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: Reach = Reach { neighbours: 6, core: 0.05, radius: 0.2 };

    fn back(field: &Displacement, point: Vec3) -> Vec3 {
        lattice::add(point, field.at(point))
    }

    fn plane() -> Vec<Vec3> {
        (0..400).map(|i| [(i % 20) as f32 * 0.05 - 0.5, (i / 20) as f32 * 0.05 - 0.5, 0.3]).collect()
    }

    #[test]
    fn rest_moves_nothing() {
        assert!(Displacement::between(&plane(), &plane(), REACH).unwrap().is_none());
    }

    #[test]
    fn a_shift_is_undone_near_the_anchors_and_fades_far_away() {
        let now: Vec<Vec3> = plane().iter().map(|p| [p[0], p[1] - 0.1, p[2]]).collect();
        let field = Displacement::between(&plane(), &now, REACH).unwrap().unwrap();
        let near = back(&field, [0.0, -0.1, 0.3]);
        assert!((near[1] - 0.0).abs() < 1e-4, "{near:?}");
        assert_eq!(back(&field, [0.0, 0.0, 2.0]), [0.0, 0.0, 2.0]);
        let middle = back(&field, [0.0, 0.0, 0.55]);
        assert!(middle[1] > 0.01 && middle[1] < 0.09, "{middle:?}");
    }

    /// Parted lips: what is above the gap stays, what is below goes back up, each without a trace of the other.
    #[test]
    fn parted_halves_do_not_mix() {
        let gap = 0.3;
        let now: Vec<Vec3> =
            plane().iter().map(|p| if p[1] < -0.001 { [p[0], p[1] - gap, p[2]] } else { *p }).collect();
        let field = Displacement::between(&plane(), &now, REACH).unwrap().unwrap();
        for i in 0..20 {
            let step = i as f32 * 0.01;
            let (above, below) =
                (back(&field, [0.0, step, 0.3])[1], back(&field, [0.0, -0.06 - gap - step, 0.3])[1]);
            assert!((above - step).abs() < 2e-3, "{above}, expected {step}");
            assert!((below + 0.06 + step).abs() < 2e-3, "{below}, expected {}", -0.06 - step);
        }
    }

    /// The tabulated field against the exact one, at the spacing that rendering uses.
    #[test]
    fn tabulating_costs_little_accuracy() {
        let now: Vec<Vec3> = plane()
            .iter()
            .map(|p| [p[0], p[1] - 0.1 * (-8.0 * (p[0] * p[0] + p[1] * p[1])).exp(), p[2]])
            .collect();
        let field = Displacement::between(&plane(), &now, REACH).unwrap().unwrap();
        let flat: Vec<f32> = (0..9000)
            .map(|i| ((i * 7919 % 4001) as f32 / 4001.0 - 0.5) * if i % 3 == 2 { 0.8 } else { 1.4 })
            .collect();
        let mut moved = flat.clone();
        field.apply(&mut moved, 0.03);
        let (mut worst, mut sum) = (0.0f32, 0.0);
        for (point, found) in flat.as_chunks::<3>().0.iter().zip(moved.as_chunks::<3>().0) {
            let error =
                sub(back(&field, *point), *found).into_iter().fold(0.0f32, |most, x| most.max(x.abs()));
            (worst, sum) = (worst.max(error), sum + error);
        }
        assert!(worst < 0.03 && sum / 3000.0 < 1.5e-3, "worst {worst}, mean {}", sum / 3000.0);
    }

    #[test]
    fn anchors_must_agree_and_be_finite() {
        let few = &plane()[..3];
        assert!(Displacement::between(&plane(), few, REACH).is_err());
        assert!(Displacement::between(&[[f32::NAN; 3]], &[[0.0; 3]], REACH).is_err());
    }
}
