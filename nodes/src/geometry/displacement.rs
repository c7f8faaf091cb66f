//! A displacement field from scattered anchors, used to bend rays (ray deformation).
//!
//! A face that moves is rendered by asking the resting volume: a sample point of the frame goes back to where its matter was in
//! the reference pose. NeRFFaceSpeech (Kim et al. 2024) moves a point by (reference − current) of the *reference* vertex that is nearest to
//! it; between parted lips that vertex belongs to a lip that has moved away, and the lips show twice. Here the neighbours are
//! those nearest in the *frame's* pose, which inverts the motion; several of them are blended so that the field is smooth.

use std::num::NonZero;

use kiddo::{ImmutableKdTree, SquaredEuclidean};
use rayon::prelude::*;

use crate::error::{NodeError, Result};

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

/// Fall-off under which a point stays where it is.
const STILL: f32 = 2e-3;
/// Motion of anchors, in units of the volume, that is taken for rest.
const REST: f32 = 1e-5;
/// Points that one task displaces.
const TASK: usize = 2048;

/// Where the points of one frame come from.
pub struct Displacement {
    tree: ImmutableKdTree<f32, 3>,
    /// Reference − current, by anchor.
    motion: Vec<Vec3>,
    reach: Reach,
    /// Box outside which nothing moves: lowest and highest corner.
    bounds: (Vec3, Vec3),
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
        let margin = reach.core + reach.radius * (-STILL.ln()).sqrt();
        let mut bounds = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
        let mut moves = false;
        for (at, motion) in current.iter().zip(&motion) {
            if motion.iter().any(|x| x.abs() > REST) {
                moves = true;
                for axis in 0..3 {
                    bounds.0[axis] = bounds.0[axis].min(at[axis] - margin);
                    bounds.1[axis] = bounds.1[axis].max(at[axis] + margin);
                }
            }
        }
        if !moves {
            return Ok(None);
        }
        Ok(Some(Self { tree: ImmutableKdTree::new_from_slice(current), motion, reach, bounds }))
    }

    /// Where the matter at `point` was in the reference pose.
    pub fn back(&self, point: Vec3) -> Vec3 {
        let (low, high) = self.bounds;
        if (0..3).any(|axis| point[axis] < low[axis] || point[axis] > high[axis]) {
            return point;
        }
        let count = NonZero::new(self.reach.neighbours).unwrap_or(NonZero::<usize>::MIN);
        let near = self.tree.nearest_n::<SquaredEuclidean>(&point, count);
        let Some(first) = near.first() else { return point };
        let beyond = (first.distance.sqrt() - self.reach.core).max(0.0) / self.reach.radius;
        let fall = (-beyond * beyond).exp();
        if fall < STILL {
            return point;
        }
        // Shepard's inverse-distance weights; the small constant keeps them finite at an anchor.
        let (mut sum, mut total) = ([0.0; 3], 0.0);
        for neighbour in &near {
            let weight = 1.0 / (neighbour.distance + 1e-4);
            let motion = self.motion[neighbour.item as usize];
            total += weight;
            for axis in 0..3 {
                sum[axis] += weight * motion[axis];
            }
        }
        let scale = fall / total;
        [point[0] + scale * sum[0], point[1] + scale * sum[1], point[2] + scale * sum[2]]
    }

    /// [`Self::back`] for points stored as x, y, z, in parallel.
    pub fn apply(&self, points: &mut [f32]) {
        points.par_chunks_mut(3 * TASK).for_each(|part| {
            for point in part.as_chunks_mut().0 {
                *point = self.back(*point);
            }
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
        let near = field.back([0.0, -0.1, 0.3]);
        assert!((near[1] - 0.0).abs() < 1e-4, "{near:?}");
        assert_eq!(field.back([0.0, 0.0, 2.0]), [0.0, 0.0, 2.0]);
        let middle = field.back([0.0, 0.0, 0.55]);
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
                (field.back([0.0, step, 0.3])[1], field.back([0.0, -0.06 - gap - step, 0.3])[1]);
            assert!((above - step).abs() < 2e-3, "{above}, expected {step}");
            assert!((below + 0.06 + step).abs() < 2e-3, "{below}, expected {}", -0.06 - step);
        }
    }

    #[test]
    fn anchors_must_agree_and_be_finite() {
        let few = &plane()[..3];
        assert!(Displacement::between(&plane(), few, REACH).is_err());
        assert!(Displacement::between(&[[f32::NAN; 3]], &[[0.0; 3]], REACH).is_err());
    }
}
