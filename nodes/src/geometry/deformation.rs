//! The displacement field of a face, tabulated for every frame.
//!
//! Rays are sampled at 10⁵ and more points a frame; the field is smooth on the scale of millimetres near the lips and lids and of
//! centimetres farther off. It is evaluated at the nodes of a coarse lattice over all that moves, and at those of a fine one
//! where the coarse one misses the motion of an anchor, which holds the difference.
//!
//! Where the lattices lie and which anchors may be among a node's nearest is found once for a person, from the reference
//! and from `extremes`, poses that span what the face does; a frame only ranks those candidates.

use std::num::NonZero;

use kiddo::{ImmutableKdTree, SquaredEuclidean};
use rayon::prelude::*;

use super::{
    displacement::{Displacement, REST, Reach, motion},
    lattice::{Bounds, Nodes},
    solid::Solid,
    span::Span,
    tabulation,
    vector::{Vec3, add, sub},
};
use crate::error::Result;

/// Spacing of the coarse lattice in steps.
const COARSE: f32 = 4.0;
/// The coarse lattice may miss an anchor's motion by one part in this many of a step.
const PRECISION: f32 = 8.0;
/// The most anchors that are blended.
const MOST: usize = 64;
/// As many are blended quickly.
const FEW: usize = 8;
/// Nodes that one task evaluates.
const TASK: usize = 512;

/// Anchors, to be asked for the nearest.
type Tree = ImmutableKdTree<f32, 3>;

/// How one person's face moves.
pub struct Deformation {
    reference: Vec<Vec3>,
    reach: Reach,
    /// `None` for a face that does not move.
    coarse: Option<Table>,
    fine: Option<Table>,
    /// `None` as well.
    span: Option<Span>,
}

/// What is looked at.
pub struct Sight<'a> {
    /// The field is only right in the cells of these points.
    pub points: &'a [Vec3],
    /// Where the resting volume holds anything; the field is only right where that may come.
    pub solid: Option<Solid>,
}

/// A field tabulated: `values` [z,y,x] at `nodes`. What is on the outside is zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Tabulated {
    /// Where.
    pub nodes: Nodes,
    /// What.
    pub values: Vec<Vec3>,
}

/// A frame's displacement: the sum of both, each zero outside its box.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bend {
    /// Everything that moves.
    pub motion: Option<Tabulated>,
    /// What the first leaves out around lips and lids.
    pub detail: Option<Tabulated>,
}

impl Bend {
    /// The displacement at `p`.
    pub fn at(&self, p: Vec3) -> Vec3 {
        let parts = [&self.motion, &self.detail].into_iter().flatten();
        parts.map(|part| part.nodes.interpolate(&part.values, p)).fold([0.0; 3], add)
    }
}

/// The nodes of a lattice that are evaluated, and the anchors that may be among the nearest of each.
struct Table {
    nodes: Nodes,
    active: Vec<Active>,
    candidates: Vec<u32>,
}

struct Active {
    node: u32,
    /// Where its candidates end; they begin where those of the one before end.
    end: u32,
}

impl Deformation {
    /// The deformation of a face whose anchors rest at `reference` and move as far as `extremes`. `step` is the fine lattice's spacing. With
    /// `sight`, the field is only right where something is seen.
    pub fn new(
        reference: &[Vec3],
        extremes: &[Vec<Vec3>],
        reach: Reach,
        step: f32,
        sight: Option<Sight<'_>>,
    ) -> Result<Self> {
        let (points, solid) = sight.map_or((None, None), |sight| (Some(sight.points), sight.solid));
        let extremes = &together(reference, extremes, step / PRECISION)?[..];
        let fields: Vec<Displacement> = extremes
            .iter()
            .map(|extreme| Displacement::between(reference, extreme, reach))
            .filter_map(Result::transpose)
            .collect::<Result<_>>()?;
        let mut still = Self { reference: reference.to_vec(), reach, coarse: None, fine: None, span: None };
        let poses = poses(reference, extremes, step)?;
        let Some(bounds) = fields.iter().map(Displacement::bounds).reduce(Bounds::union) else {
            return Ok(still);
        };
        // The largest of all motions is kept beside those of the extremes, and how far each cell may be moved.
        let nodes = tabulation::lattice(bounds, step, COARSE, fields.len() + 2)?;
        let moved: Vec<Vec<Vec3>> = fields
            .iter()
            .map(|field| {
                let at =
                    |index: usize| if nodes.is_outside(index) { [0.0; 3] } else { field.at(nodes.at(index)) };
                (0..nodes.count()).into_par_iter().map(at).collect()
            })
            .collect();
        let span = Span::new(reference, &fields, &moved, nodes, solid);
        let seen = |p: &&Vec3| span.reaches(**p);
        let points: Option<Vec<Vec3>> = points.map(|points| points.iter().filter(seen).copied().collect());
        let needed = points.as_ref().map(|points| nodes.beside(points));
        let needed = |index: usize| needed.as_ref().is_none_or(|needed| needed[index]);
        let fine = missed(&fields, &moved, nodes, step / PRECISION).map(|(bounds, missed)| {
            let fine = tabulation::lattice(bounds, step, 1.0, 1)?;
            let needed = points.as_ref().map(|points| fine.beside(points));
            let wanted = |index: usize| {
                missed[nodes.place(fine.at(index)).0] && needed.as_ref().is_none_or(|needed| needed[index])
            };
            Ok(Table::new(fine, wanted, &poses, reach))
        });
        let fine = fine.transpose()?;
        // The fine lattice holds differences to the coarse one.
        let under = fine.as_ref().map(|fine| nodes.beside(&fine.places()));
        let under = |index: usize| under.as_ref().is_some_and(|under| under[index]);
        let wanted = |index: usize| span.moves(index) && (needed(index) || under(index));
        still.coarse = Some(Table::new(nodes, wanted, &poses, reach));
        still.fine = fine;
        still.span = Some(span);
        Ok(still)
    }

    /// The field that takes points of the `current` anchors back to those of the reference.
    pub fn bend(&self, current: &[Vec3]) -> Result<Bend> {
        let (motion, farthest) = motion(&self.reference, current)?;
        let Some(coarse) = self.coarse.as_ref().filter(|_| farthest >= REST) else {
            return Ok(Bend::default());
        };
        let moves = motion.iter().map(|motion| motion.iter().any(|x| x.abs() >= REST)).collect();
        let frame = Frame { current, motion: &motion, moves, reach: self.reach, still: REST / farthest };
        let whole = coarse.tabulate(&frame, |_, value| value);
        let detail = self.fine.as_ref().map(|fine| {
            fine.tabulate(&frame, |p, value| sub(value, whole.nodes.interpolate(&whole.values, p)))
        });
        Ok(Bend { motion: Some(whole), detail })
    }

    /// Whether anything that can be seen moves at `p` in any of the extremes, or may come there.
    pub fn reaches(&self, p: Vec3) -> bool {
        self.span.as_ref().is_some_and(|span| span.reaches(p))
    }
}

/// Extremes that move different anchors, taken together: a brow and a lip, the left and the right of a face. As few poses span as much as all of them,
/// and what is looked up for every pose is most of the work. Motion up to `least` counts as none.
fn together(reference: &[Vec3], extremes: &[Vec<Vec3>], least: f32) -> Result<Vec<Vec<Vec3>>> {
    let mut groups: Vec<(Vec<bool>, Vec<Vec3>)> = vec![];
    for extreme in extremes {
        let (motion, farthest) = motion(reference, extreme)?;
        if farthest < REST {
            continue;
        }
        let moves: Vec<bool> = motion.iter().map(|motion| motion.iter().any(|x| x.abs() > least)).collect();
        let free = |(taken, _): &&mut (Vec<bool>, Vec<Vec3>)| taken.iter().zip(&moves).all(|(a, b)| !(a & b));
        match groups.iter_mut().find(free) {
            Some((taken, pose)) => {
                taken.iter_mut().zip(&moves).for_each(|(taken, moves)| *taken |= moves);
                pose.iter_mut().zip(extreme.iter().zip(reference)).for_each(|(at, (moved, rest))| {
                    *at = add(*at, sub(*moved, *rest));
                });
            }
            None => groups.push((moves, extreme.clone())),
        }
    }
    Ok(groups.into_iter().map(|(_, pose)| pose).collect())
}

/// The anchors at rest, in the extremes, and on the way to them, no farther apart than half a cell of the coarse lattice.
fn poses(reference: &[Vec3], extremes: &[Vec<Vec3>], step: f32) -> Result<Vec<Tree>> {
    let moved: Vec<(Vec<Vec3>, f32)> = extremes
        .iter()
        .map(|extreme| {
            let moved: Vec<Vec3> = reference.iter().zip(extreme).map(|(a, b)| sub(*b, *a)).collect();
            let farthest = moved.as_flattened().iter().fold(0.0f32, |most, x| most.max(x.abs()));
            let count = if farthest < REST { 0.0 } else { (farthest / (COARSE * step / 2.0)).ceil() };
            (moved, count)
        })
        .collect();
    tabulation::poses(moved.iter().map(|(_, count)| f64::from(*count)).sum(), reference.len(), step)?;
    let mut poses = vec![Tree::new_from_slice(reference)];
    for (moved, count) in moved {
        let count = count as usize;
        for number in 1..=count {
            let part = number as f32 / count as f32;
            let at = |(rest, moved): (&Vec3, &Vec3)| [0, 1, 2].map(|axis| rest[axis] + part * moved[axis]);
            poses.push(Tree::new_from_slice(&reference.iter().zip(&moved).map(at).collect::<Vec<_>>()));
        }
    }
    Ok(poses)
}

/// The cells of the coarse lattice beside an anchor whose motion it misses by more than `allowed` in an extreme, and their box.
fn missed(
    fields: &[Displacement],
    moved: &[Vec<Vec3>],
    coarse: Nodes,
    allowed: f32,
) -> Option<(Bounds, Vec<bool>)> {
    let mut cells = vec![false; coarse.count()];
    let mut bounds: Option<Bounds> = None;
    for (field, moved) in fields.iter().zip(moved) {
        for (anchor, motion) in field.anchors().iter().zip(field.motion()) {
            let error = sub(coarse.interpolate(moved, *anchor), *motion);
            if error.iter().all(|x| x.abs() <= allowed) {
                continue;
            }
            for cell in coarse.within(Bounds { low: *anchor, high: *anchor }) {
                cells[cell] = true;
                let low = coarse.at(cell);
                let cell = Bounds { low, high: low.map(|x| x + coarse.step) };
                bounds = Some(bounds.map_or(cell, |bounds| bounds.union(cell)));
            }
        }
    }
    Some((bounds?, cells))
}

/// The anchors of one frame.
struct Frame<'a> {
    current: &'a [Vec3],
    motion: &'a [Vec3],
    /// Which of them move far enough to be seen.
    moves: Vec<bool>,
    reach: Reach,
    /// Fall-off below which no motion can be seen.
    still: f32,
}

impl Table {
    /// The table of those of `nodes` that are `wanted`.
    fn new(nodes: Nodes, wanted: impl Fn(usize) -> bool + Sync, poses: &[Tree], reach: Reach) -> Self {
        let count = NonZero::new(reach.neighbours).unwrap_or(NonZero::<usize>::MIN);
        let wanted = (0..nodes.count()).filter(|&index| !nodes.is_outside(index) && wanted(index));
        let found: Vec<(usize, Vec<u32>)> = wanted
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|index| {
                let point = nodes.at(index);
                let near = |pose: &Tree| pose.nearest_n::<SquaredEuclidean>(&point, count);
                let mut anchors: Vec<u32> =
                    poses.iter().flat_map(near).map(|anchor| anchor.item as u32).collect();
                anchors.sort_unstable();
                anchors.dedup();
                (index, anchors)
            })
            .collect();
        let (mut active, mut candidates) = (Vec::with_capacity(found.len()), vec![]);
        for (index, anchors) in found {
            candidates.extend(anchors);
            active.push(Active { node: index as u32, end: candidates.len() as u32 });
        }
        Self { nodes, active, candidates }
    }

    /// Where the field is evaluated.
    fn places(&self) -> Vec<Vec3> {
        self.active.iter().map(|active| self.nodes.at(active.node as usize)).collect()
    }

    /// The field of `frame`, `change`d where it is evaluated.
    fn tabulate(&self, frame: &Frame<'_>, change: impl Fn(Vec3, Vec3) -> Vec3 + Sync) -> Tabulated {
        let evaluate = |at: usize| {
            let begin = if at == 0 { 0 } else { self.active[at - 1].end };
            let Active { node, end } = self.active[at];
            let point = self.nodes.at(node as usize);
            change(point, frame.at(point, &self.candidates[begin as usize..end as usize]))
        };
        let found: Vec<Vec3> =
            (0..self.active.len()).into_par_iter().with_min_len(TASK).map(evaluate).collect();
        let mut values = vec![[0.0; 3]; self.nodes.count()];
        for (active, value) in self.active.iter().zip(found) {
            values[active.node as usize] = value;
        }
        Tabulated { nodes: self.nodes, values }
    }
}

impl Frame<'_> {
    /// The motion at `point`, whose nearest anchors are among `candidates`.
    fn at(&self, point: Vec3, candidates: &[u32]) -> Vec3 {
        // Lids and brows rest while a mouth speaks.
        if candidates.iter().all(|anchor| !self.moves[*anchor as usize]) {
            return [0.0; 3];
        }
        if self.reach.neighbours <= FEW {
            self.ranked::<FEW>(point, candidates)
        } else {
            self.ranked::<MOST>(point, candidates)
        }
    }

    /// The same with room for `N` anchors.
    #[inline]
    fn ranked<const N: usize>(&self, point: Vec3, candidates: &[u32]) -> Vec3 {
        let count = self.reach.neighbours.clamp(1, N);
        let mut near = [(f32::INFINITY, 0); N];
        let mut found = 0;
        for &candidate in candidates {
            let [x, y, z] = sub(self.current[candidate as usize], point);
            let distance = x * x + y * y + z * z;
            if found == count && distance >= near[count - 1].0 {
                continue;
            }
            found = (found + 1).min(count);
            let mut place = found - 1;
            while place > 0 && near[place - 1].0 > distance {
                near[place] = near[place - 1];
                place -= 1;
            }
            near[place] = (distance, candidate);
        }
        let near = near[..found].iter().map(|&(distance, anchor)| (distance, self.motion[anchor as usize]));
        self.reach.blend(near, self.still)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    const REACH: Reach = Reach { neighbours: 6, core: 0.05, radius: 0.2 };
    /// What the coarse lattice of step 0.03 may miss.
    const ALLOWED: f32 = 0.03 / PRECISION;

    fn plane() -> Vec<Vec3> {
        (0..400).map(|i| [(i % 20) as f32 * 0.05 - 0.5, (i / 20) as f32 * 0.05 - 0.5, 0.3]).collect()
    }

    /// The plane with a hollow of this depth.
    fn hollow(depth: f32) -> Vec<Vec3> {
        plane()
            .iter()
            .map(|p| [p[0], p[1] - depth * (-8.0 * (p[0] * p[0] + p[1] * p[1])).exp(), p[2]])
            .collect()
    }

    /// The plane with its lower half moved away by `gap`.
    fn parted(gap: f32) -> Vec<Vec3> {
        plane().iter().map(|p| if p[1] < -0.001 { [p[0], p[1] - gap, p[2]] } else { *p }).collect()
    }

    fn back(bend: &Bend, point: Vec3) -> Vec3 {
        add(point, bend.at(point))
    }

    #[test]
    fn rest_moves_nothing() {
        let face = Deformation::new(&plane(), &[hollow(0.1)], REACH, 0.03, None).unwrap();
        assert_eq!(face.bend(&plane()).unwrap(), Bend::default());
        assert!(face.reaches([0.0, 0.0, 0.3]) && !face.reaches([0.0, 0.0, 2.0]));
        let stiff = Deformation::new(&plane(), &[plane()], REACH, 0.03, None).unwrap();
        assert_eq!(stiff.bend(&hollow(0.1)).unwrap(), Bend::default());
    }

    /// The tabulated field against the exact one, at the spacing that rendering uses, for a frame between the extremes.
    #[test]
    fn tabulating_costs_little_accuracy() {
        let now = hollow(0.07);
        let face = Deformation::new(&plane(), &[hollow(0.1)], REACH, 0.03, None).unwrap();
        let exact = Displacement::between(&plane(), &now, REACH).unwrap().unwrap();
        let bend = face.bend(&now).unwrap();
        let flat: Vec<f32> = (0..9000)
            .map(|i| ((i * 7919 % 4001) as f32 / 4001.0 - 0.5) * if i % 3 == 2 { 0.8 } else { 1.4 })
            .collect();
        let (mut worst, mut sum) = (0.0f32, 0.0);
        for point in flat.as_chunks::<3>().0 {
            let error =
                sub(exact.at(*point), bend.at(*point)).into_iter().fold(0.0f32, |most, x| most.max(x.abs()));
            (worst, sum) = (worst.max(error), sum + error);
        }
        assert!(worst < 0.03 && sum / 3000.0 < 1.5e-3, "worst {worst}, mean {}", sum / 3000.0);
    }

    /// Parted lips, half as far as in the extreme: what is above the gap stays, what is below goes back up, but for the cells of the
    /// fine lattice in the middle of the gap.
    #[test]
    fn parted_halves_do_not_mix() {
        let face = Deformation::new(&plane(), &[parted(0.3)], REACH, 0.03, None).unwrap();
        let bend = face.bend(&parted(0.15)).unwrap();
        for i in 0..20 {
            let step = i as f32 * 0.01;
            let (above, below) =
                (back(&bend, [0.0, step, 0.3])[1], back(&bend, [0.0, -0.06 - 0.15 - step, 0.3])[1]);
            assert!((above - step).abs() < ALLOWED, "{above}, expected {step}");
            assert!((below + 0.06 + step).abs() < ALLOWED, "{below}, expected {}", -0.06 - step);
        }
    }
    /// Beside the points that it is for, a deformation for some points is that for all.
    #[test]
    fn what_is_left_out_is_not_missed() {
        let points: Vec<Vec3> =
            (0..50).map(|i| [i as f32 * 0.01 - 0.3, 0.1 - i as f32 * 0.008, 0.31]).collect();
        let make = |sight| Deformation::new(&plane(), &[parted(0.3)], REACH, 0.03, sight).unwrap();
        let (all, some) = (make(None), make(Some(Sight { points: &points, solid: None })));
        assert!(some.fine.as_ref().unwrap().active.len() < all.fine.as_ref().unwrap().active.len() / 2);
        let (all, some) = (all.bend(&parted(0.2)).unwrap(), some.bend(&parted(0.2)).unwrap());
        points.iter().for_each(|p| assert_eq!(all.at(*p), some.at(*p)));
    }

    /// The plane pushed forward, most in its middle.
    fn pushed(by: f32) -> Vec<Vec3> {
        plane().iter().map(|p| [p[0], p[1], p[2] + by * (-4.0 * (p[0] * p[0] + p[1] * p[1])).exp()]).collect()
    }

    /// Matter is in the plane and behind it alone. Before it the field is right as far as both extremes together push the plane, and what lies
    /// farther off is left out.
    #[test]
    fn where_nothing_may_come_is_left_out() {
        let points: Vec<Vec3> = (0..200).map(|i| [0.02, -0.03, -0.6 + i as f32 * 0.01]).collect();
        let cells = (0..20).map(|layer| f32::from(layer < 13)).collect();
        let corners = Tensor::f32([2, 3], vec![-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]).unwrap();
        let solid = Solid::new(&Tensor::f32([1, 1, 20, 1, 1], cells).unwrap(), &corners).unwrap();
        let make = |solid| {
            let sight = Some(Sight { points: &points, solid });
            Deformation::new(&plane(), &[pushed(0.15), pushed(0.2)], REACH, 0.03, sight).unwrap()
        };
        let (all, some) = (make(None), make(Some(solid)));
        let before = |z: f32| [0.02, -0.03, z];
        assert!(all.reaches(before(0.5)) && some.reaches(before(0.5)) && some.reaches(before(0.62)));
        assert!(all.reaches(before(0.85)) && !some.reaches(before(0.85)));
        let count = |face: &Deformation| face.coarse.as_ref().unwrap().active.len();
        assert!(count(&some) < count(&all), "{} of {}", count(&some), count(&all));
        for by in [0.1, 0.2, 0.35] {
            let (all, some) = (all.bend(&pushed(by)).unwrap(), some.bend(&pushed(by)).unwrap());
            let seen = points.iter().filter(|p| p[2] < 0.3 + by);
            seen.for_each(|p| assert_eq!(all.at(*p), some.at(*p), "{p:?}, pushed by {by}"));
        }
    }
}
