//! Vector fields tabulated at the nodes of a regular lattice and interpolated linearly between them.

use super::vector::Vec3;

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
        points
            .map(|p| Self { low: p.map(|x| x - margin), high: p.map(|x| x + margin) })
            .reduce(|a, b| a.union(b))
    }

    /// The smallest box that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            low: [0, 1, 2].map(|axis| self.low[axis].min(other.low[axis])),
            high: [0, 1, 2].map(|axis| self.high[axis].max(other.high[axis])),
        }
    }
}

/// Where the nodes of a lattice are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nodes {
    /// The first node.
    pub low: Vec3,
    /// Distance between neighbours.
    pub step: f32,
    /// How many along each axis, at least two.
    pub size: [usize; 3],
}

impl Nodes {
    /// Nodes of spacing `step` in and around `bounds`; those on the outside lie outside it.
    pub fn over(bounds: Bounds, step: f32) -> Self {
        let size = [0, 1, 2]
            .map(|axis| ((bounds.high[axis] - bounds.low[axis]) / step).ceil().max(0.0) as usize + 3);
        Self { low: bounds.low.map(|x| x - step), step, size }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.size.iter().product()
    }

    /// Indices along x, y, z of node `index`; x runs fastest.
    pub fn indices(&self, index: usize) -> [usize; 3] {
        let [columns, rows, _] = self.size;
        [index % columns, index / columns % rows, index / (columns * rows)]
    }

    /// Where node `index` is.
    pub fn at(&self, index: usize) -> Vec3 {
        let indices = self.indices(index);
        [0, 1, 2].map(|axis| self.low[axis] + self.step * indices[axis] as f32)
    }

    /// The last node.
    pub fn high(&self) -> Vec3 {
        self.at(self.count() - 1)
    }

    /// Whether node `index` is on the outside.
    pub fn is_outside(&self, index: usize) -> bool {
        let indices = self.indices(index);
        (0..3).any(|axis| indices[axis] == 0 || indices[axis] == self.size[axis] - 1)
    }

    /// The cell that holds `p` (index of its lowest node) and where `p` lies in it, in [0,1]. Outside, the nearest place inside.
    pub fn place(&self, p: Vec3) -> (usize, Vec3) {
        let mut at = [0; 3];
        let mut part = [0.0; 3];
        for axis in 0..3 {
            let x = ((p[axis] - self.low[axis]) / self.step).clamp(0.0, (self.size[axis] - 1) as f32);
            at[axis] = (x as usize).min(self.size[axis] - 2);
            part[axis] = x - at[axis] as f32;
        }
        ((at[2] * self.size[1] + at[1]) * self.size[0] + at[0], part)
    }

    /// The nodes of a cell, relative to its lowest.
    pub fn corners(&self) -> [usize; 8] {
        let (row, layer) = (self.size[0], self.size[0] * self.size[1]);
        [0, 1, row, row + 1, layer, layer + 1, layer + row, layer + row + 1]
    }

    /// The cells that `bounds` touches, and those beside them.
    pub fn within(&self, bounds: Bounds) -> impl Iterator<Item = usize> {
        let range = |axis: usize| {
            let cell =
                |x: f32| (((x - self.low[axis]) / self.step).max(0.0) as usize).min(self.size[axis] - 2);
            let (first, last) = (cell(bounds.low[axis] - self.step), cell(bounds.high[axis] + self.step));
            first..last + 1
        };
        let ([columns, rows, _], [x, y, z]) = (self.size, [0, 1, 2].map(range));
        z.flat_map(move |z| {
            let x = x.clone();
            y.clone().flat_map(move |y| x.clone().map(move |x| (z * rows + y) * columns + x))
        })
    }

    /// The nodes of the cells that hold one of `points`.
    pub fn beside(&self, points: &[Vec3]) -> Vec<bool> {
        let mut nodes = vec![false; self.count()];
        let corners = self.corners();
        for &point in points {
            let (cell, _) = self.place(point);
            corners.iter().for_each(|corner| nodes[cell + corner] = true);
        }
        nodes
    }

    /// `values` of the nodes, interpolated at `p`.
    pub fn interpolate(&self, values: &[Vec3], p: Vec3) -> Vec3 {
        let (cell, [x, y, z]) = self.place(p);
        let weights = [(1.0 - y) * (1.0 - z), y * (1.0 - z), (1.0 - y) * z, y * z];
        let mut sum = [0.0; 3];
        for (pair, weight) in self.corners().chunks_exact(2).zip(weights) {
            let (a, b) = (values[cell + pair[0]], values[cell + pair[1]]);
            for axis in 0..3 {
                sum[axis] += weight * (a[axis] + x * (b[axis] - a[axis]));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Bounds = Bounds { low: [-1.0; 3], high: [1.0, 2.0, 1.5] };

    #[test]
    fn a_linear_field_is_met_exactly() {
        let field = |[x, y, z]: Vec3| [x + 2.0 * y, z - x, 0.5 * y + 3.0];
        let nodes = Nodes::over(BOX, 0.13);
        let values: Vec<Vec3> = (0..nodes.count()).map(|index| field(nodes.at(index))).collect();
        for i in 0..500 {
            let p = [(i % 19) as f32 / 9.5 - 1.0, (i % 7) as f32 / 2.5 - 1.0, (i % 11) as f32 / 5.0 - 1.0];
            let (found, wanted) = (nodes.interpolate(&values, p), field(p));
            assert!(
                found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5),
                "{p:?}: {found:?} {wanted:?}"
            );
        }
    }

    #[test]
    fn what_is_on_the_outside_lies_outside_the_box() {
        let nodes = Nodes::over(BOX, 0.4);
        let holds = |p: Vec3| (0..3).all(|axis| p[axis] > BOX.low[axis] && p[axis] < BOX.high[axis]);
        let outside = (0..nodes.count()).filter(|&index| nodes.is_outside(index));
        assert!(outside.clone().count() > 0);
        outside.for_each(|index| assert!(!holds(nodes.at(index))));
        assert!((0..3).all(|axis| nodes.low[axis] < BOX.low[axis] && nodes.high()[axis] >= BOX.high[axis]));
    }

    #[test]
    fn a_box_is_within_its_cells_and_those_beside_them() {
        let nodes = Nodes { low: [0.0; 3], step: 0.5, size: [6, 5, 4] };
        let cells = |low, high| {
            nodes.within(Bounds { low, high }).map(|cell| nodes.indices(cell)).collect::<Vec<_>>()
        };
        let all: Vec<_> =
            (0..3).flat_map(|z| (0..2).flat_map(move |y| (1..5).map(move |x| [x, y, z]))).collect();
        assert_eq!(cells([1.1, -3.0, 0.6], [1.6, 0.2, 0.9]), all);
        assert_eq!(cells([9.0; 3], [9.0; 3]), [[4, 3, 2]]);
    }

    #[test]
    fn bounds_hold_what_they_were_made_around() {
        let bounds = Bounds::around([[0.0; 3], [1.0, -1.0, 0.5]].into_iter(), 0.1).unwrap();
        assert_eq!(bounds, Bounds { low: [-0.1, -1.1, -0.1], high: [1.1, 0.1, 0.6] });
        assert!(Bounds::around(std::iter::empty(), 1.0).is_none());
    }
}
