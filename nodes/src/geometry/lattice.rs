//! A vector field that is dear to evaluate, tabulated where sample points need it.
//!
//! Rays are sampled at 10⁵ and more points a frame; the field of displaced anchors is smooth on the scale of millimetres near the face and of
//! centimetres farther off. It is evaluated at the nodes of a regular lattice and interpolated linearly between them.
//! Only nodes beside a sample point are evaluated.

use rayon::prelude::*;

use super::displacement::Vec3;

/// Points that one task interpolates.
const TASK: usize = 4096;

/// A box of space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Lowest corner.
    pub low: Vec3,
    /// Highest corner.
    pub high: Vec3,
}

impl Bounds {
    /// The smallest box around `points`, grown by `margin`; `None` without points.
    pub fn around(points: impl Iterator<Item = Vec3>, margin: f32) -> Option<Self> {
        points.fold(None, |bounds: Option<Self>, p| {
            let mut bounds =
                bounds.unwrap_or(Self { low: p.map(|x| x - margin), high: p.map(|x| x + margin) });
            for (axis, x) in p.into_iter().enumerate() {
                bounds.low[axis] = bounds.low[axis].min(x - margin);
                bounds.high[axis] = bounds.high[axis].max(x + margin);
            }
            Some(bounds)
        })
    }

    /// Whether `p` is inside.
    pub fn holds(&self, p: Vec3) -> bool {
        (0..3).all(|axis| p[axis] >= self.low[axis] && p[axis] < self.high[axis])
    }
}

/// A regular lattice over a box.
pub struct Lattice {
    low: Vec3,
    step: f32,
    /// Nodes along each axis.
    size: [usize; 3],
    /// Values at the nodes, x fastest.
    values: Vec<Vec3>,
}

impl Lattice {
    /// A lattice of spacing `step` over `bounds`, all zero.
    pub fn new(bounds: Bounds, step: f32) -> Self {
        let nodes =
            |axis: usize| ((bounds.high[axis] - bounds.low[axis]) / step).ceil().max(0.0) as usize + 2;
        let size = [nodes(0), nodes(1), nodes(2)];
        Self { low: bounds.low, step, size, values: vec![[0.0; 3]; size.iter().product()] }
    }

    /// The cell that holds `p` (index of its lowest node) and where `p` lies in it, in [0,1). `p` must lie in the
    /// bounds.
    fn place(&self, p: Vec3) -> (usize, Vec3) {
        let mut at = [0; 3];
        let mut part = [0.0; 3];
        for axis in 0..3 {
            let x = ((p[axis] - self.low[axis]) / self.step).clamp(0.0, (self.size[axis] - 2) as f32);
            at[axis] = (x as usize).min(self.size[axis] - 2);
            part[axis] = x - at[axis] as f32;
        }
        ((at[2] * self.size[1] + at[1]) * self.size[0] + at[0], part)
    }

    /// The nodes of a cell, relative to its lowest.
    fn corners(&self) -> [usize; 8] {
        let (row, layer) = (self.size[0], self.size[0] * self.size[1]);
        [0, 1, row, row + 1, layer, layer + 1, layer + row, layer + row + 1]
    }

    /// The cell that holds `p`.
    pub fn cell(&self, p: Vec3) -> usize {
        self.place(p).0
    }

    /// The cells that hold one of `points`, and those that touch them.
    pub fn around(&self, points: impl Iterator<Item = Vec3>) -> Vec<bool> {
        let mut cells = vec![false; self.values.len()];
        for p in points {
            for offset in 0..27 {
                let by = [offset % 3, offset / 3 % 3, offset / 9].map(|i| self.step * (i as f32 - 1.0));
                cells[self.cell(add(p, by))] = true;
            }
        }
        cells
    }

    /// Evaluates `field` at the nodes beside `points`.
    pub fn tabulate(&mut self, points: impl Iterator<Item = Vec3>, field: impl Fn(Vec3) -> Vec3 + Sync) {
        let mut wanted = vec![false; self.values.len()];
        let corners = self.corners();
        for p in points {
            let (cell, _) = self.place(p);
            corners.iter().for_each(|corner| wanted[cell + corner] = true);
        }
        let (low, step, [row, rows, _]) = (self.low, self.step, self.size);
        self.values.par_iter_mut().zip(&wanted).enumerate().filter(|(_, (_, wanted))| **wanted).for_each(
            |(index, (value, _))| {
                let at = [index % row, index / row % rows, index / (row * rows)];
                *value = field([0, 1, 2].map(|axis| low[axis] + step * at[axis] as f32));
            },
        );
    }

    /// The field at `p`, interpolated between the nodes around it.
    pub fn at(&self, p: Vec3) -> Vec3 {
        let (cell, [x, y, z]) = self.place(p);
        let weights = [(1.0 - y) * (1.0 - z), y * (1.0 - z), (1.0 - y) * z, y * z];
        let mut sum = [0.0; 3];
        for (pair, weight) in self.corners().chunks_exact(2).zip(weights) {
            let (a, b) = (self.values[cell + pair[0]], self.values[cell + pair[1]]);
            for axis in 0..3 {
                sum[axis] += weight * (a[axis] + x * (b[axis] - a[axis]));
            }
        }
        sum
    }
}

/// Adds to each of `points` (x, y, z) what `field` gives there; `None` leaves it.
pub fn displace(points: &mut [f32], field: impl Fn(Vec3) -> Option<Vec3> + Sync) {
    points.par_chunks_mut(3 * TASK).for_each(|part| {
        for point in part.as_chunks_mut().0 {
            if let Some(by) = field(*point) {
                *point = add(*point, by);
            }
        }
    });
}

/// a + b.
pub fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Bounds = Bounds { low: [-1.0; 3], high: [1.0, 2.0, 1.5] };

    #[test]
    fn a_linear_field_is_met_exactly() {
        let field = |[x, y, z]: Vec3| [x + 2.0 * y, z - x, 0.5 * y + 3.0];
        let points: Vec<Vec3> = (0..500)
            .map(|i| [(i % 19) as f32 / 9.5 - 1.0, (i % 7) as f32 / 2.5 - 1.0, (i % 11) as f32 / 5.0 - 1.0])
            .collect();
        let mut lattice = Lattice::new(BOX, 0.13);
        lattice.tabulate(points.iter().copied(), field);
        for p in points {
            let (found, wanted) = (lattice.at(p), field(p));
            assert!(
                found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5),
                "{p:?}: {found:?} {wanted:?}"
            );
        }
    }

    #[test]
    fn only_nodes_beside_points_are_evaluated() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let count = AtomicUsize::new(0);
        let mut lattice = Lattice::new(BOX, 0.1);
        lattice.tabulate([[0.03, 0.03, 0.03], [0.04, 0.03, 0.03]].into_iter(), |_| {
            count.fetch_add(1, Ordering::Relaxed);
            [1.0; 3]
        });
        assert_eq!(count.load(Ordering::Relaxed), 8);
    }

    #[test]
    fn bounds_hold_what_they_were_made_around() {
        let bounds = Bounds::around([[0.0; 3], [1.0, -1.0, 0.5]].into_iter(), 0.1).unwrap();
        assert!(bounds.holds([0.0; 3]) && bounds.holds([1.05, -1.05, 0.0]) && !bounds.holds([0.0, 0.2, 0.0]));
        assert!(Bounds::around(std::iter::empty(), 1.0).is_none());
    }
}
