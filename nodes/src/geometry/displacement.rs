//! A displacement field from scattered anchors, used to bend rays (ray deformation).
//!
//! A face that moves is rendered by asking the resting volume: a sample point of the frame goes back to where its matter was in
//! the reference pose. NeRFFaceSpeech (Kim et al. 2024) moves a point by (reference − current) of the *reference* vertex that is nearest to
//! it; between parted lips that vertex belongs to a lip that has moved away, and the lips show twice. Here the neighbours are
//! those nearest in the *frame's* pose, which inverts the motion; several of them are blended so that the field is smooth.

use std::num::NonZero;

use super::{
    lattice::Bounds,
    vector::{Vec3, sub},
};
use crate::error::{NodeError, Result};
use kiddo::{ImmutableKdTree, SquaredEuclidean};

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

/// Motion, in units of the volume, that cannot be seen: 0.03 pixels of a 256-pixel frame.
pub(super) const REST: f32 = 3e-4;
/// Keeps Shepard's weights finite at an anchor.
const NEAR: f32 = 1e-4;

impl Reach {
    /// The motion at a point, whose nearest anchors lie at the squared distances and move as given, nearest first. Below a fall-off of `still`
    /// it cannot be seen and is zero.
    pub(super) fn blend(self, near: impl Iterator<Item = (f32, Vec3)>, still: f32) -> Vec3 {
        let mut near = near.peekable();
        let Some(&(first, _)) = near.peek() else { return [0.0; 3] };
        let beyond = (first.sqrt() - self.core).max(0.0) / self.radius;
        let fall = (-beyond * beyond).exp();
        if fall < still {
            return [0.0; 3];
        }
        // Shepard's inverse-distance weights.
        let (mut sum, mut total) = ([0.0; 3], 0.0);
        for (distance, motion) in near {
            let weight = 1.0 / (distance + NEAR);
            total += weight;
            sum.iter_mut().zip(motion).for_each(|(sum, motion)| *sum += weight * motion);
        }
        sum.map(|x| x * fall / total)
    }
}

/// (reference − current) by anchor, and the largest component.
pub(super) fn motion(reference: &[Vec3], current: &[Vec3]) -> Result<(Vec<Vec3>, f32)> {
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
    Ok((motion, farthest))
}

/// Where the points of one frame come from, exactly. Dear: rendering uses its tabulation by
/// [`Deformation`](super::deformation::Deformation).
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
        let (motion, farthest) = motion(reference, current)?;
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
        let near = near.iter().map(|anchor| (anchor.distance, self.motion[anchor.item as usize]));
        self.reach.blend(near, self.still)
    }

    /// The anchors of the frame.
    pub(super) fn anchors(&self) -> &[Vec3] {
        &self.anchors
    }

    /// The motion of every anchor.
    pub(super) fn motion(&self) -> &[Vec3] {
        &self.motion
    }

    /// The box outside which nothing moves.
    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: Reach = Reach { neighbours: 6, core: 0.05, radius: 0.2 };

    fn back(field: &Displacement, point: Vec3) -> Vec3 {
        super::super::vector::add(point, field.at(point))
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

    #[test]
    fn anchors_must_agree_and_be_finite() {
        let few = &plane()[..3];
        assert!(Displacement::between(&plane(), few, REACH).is_err());
        assert!(Displacement::between(&[[f32::NAN; 3]], &[[0.0; 3]], REACH).is_err());
    }
}
