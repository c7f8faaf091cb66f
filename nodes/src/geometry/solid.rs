//! Which places of a volume hold anything, for questions about boxes of space.

use super::lattice::Bounds;
use crate::{
    error::{NodeError, Result},
    tensor::Tensor,
};

/// Cells that divide a box, of which some are empty. What lies outside belongs to the nearest cell.
pub struct Solid {
    bounds: Bounds,
    /// Cells along x, y, z.
    size: [usize; 3],
    /// How many cells that hold something come before a corner of the grid in all three axes; x fastest, one more along each axis than
    /// cells (a summed-area table).
    before: Vec<u32>,
}

impl Solid {
    /// From `cells` f32 [1,1,z,y,x], 0 where empty, that divide the box whose lowest and highest corners `corners` f32 [2,3] holds.
    pub fn new(cells: &Tensor, corners: &Tensor) -> Result<Self> {
        let wrong = |name: &str, tensor: &Tensor, expected: &str| {
            NodeError::model(format!("`{name}`: expected shape {expected}, found {:?}", tensor.shape()))
        };
        let &[1, 1, layers, rows, columns] = cells.shape() else {
            return Err(wrong("occupancy", cells, "[1,1,z,y,x]"));
        };
        if cells.as_f32()?.is_empty() {
            return Err(wrong("occupancy", cells, "[1,1,z,y,x] of one cell or more"));
        }
        let (&[2, 3], [low, high]) = (corners.shape(), corners.as_f32()?.as_chunks::<3>().0) else {
            return Err(wrong("occupancy_box", corners, "[2,3]"));
        };
        if (0..3).any(|axis| !(low[axis] < high[axis] && (high[axis] - low[axis]).is_finite())) {
            return Err(NodeError::model(format!("`occupancy_box`: {low:?} to {high:?} is no box")));
        }
        let size = [columns, rows, layers];
        let (row, layer) = (columns + 1, (columns + 1) * (rows + 1));
        let mut before = vec![0u32; layer * (layers + 1)];
        for (index, cell) in cells.as_f32()?.iter().enumerate() {
            let [x, y, z] = [index % columns, index / columns % rows, index / (columns * rows)];
            let at = (z + 1) * layer + (y + 1) * row + x + 1;
            let axes = before[at - 1] + before[at - row] + before[at - layer] + before[at - layer - row - 1];
            let planes = before[at - row - 1] + before[at - layer - 1] + before[at - layer - row];
            before[at] = axes - planes + u32::from(*cell > 0.0);
        }
        Ok(Self { bounds: Bounds { low: *low, high: *high }, size, before })
    }

    /// Whether any cell that `space` touches holds something.
    pub fn any(&self, space: Bounds) -> bool {
        let range = |axis: usize| {
            let Bounds { low, high } = self.bounds;
            let cell = |x: f32| {
                let at = (x - low[axis]) / (high[axis] - low[axis]) * self.size[axis] as f32;
                (at.max(0.0) as usize).min(self.size[axis] - 1)
            };
            [cell(space.low[axis]), cell(space.high[axis]) + 1]
        };
        let [[left, right], [under, over], [near, far]] = [0, 1, 2].map(range);
        let (row, layer) = (self.size[0] + 1, (self.size[0] + 1) * (self.size[1] + 1));
        let before = |x: usize, y: usize, z: usize| self.before[z * layer + y * row + x];
        let added = before(right, over, far)
            + before(right, under, near)
            + before(left, over, near)
            + before(left, under, far);
        let taken = before(left, over, far)
            + before(right, under, far)
            + before(right, over, near)
            + before(left, under, near);
        added > taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Along x, y, z: cells of a quarter, a half and one.
    const SIZE: [usize; 3] = [8, 4, 2];

    fn solid(full: &[usize]) -> Solid {
        let cells = (0..64).map(|index| f32::from(full.contains(&index))).collect();
        let corners = vec![-1.0, -1.0, -1.0, 1.0, 1.0, 1.0];
        Solid::new(&Tensor::f32([1, 1, 2, 4, 8], cells).unwrap(), &Tensor::f32([2, 3], corners).unwrap())
            .unwrap()
    }

    proptest! {
        #[test]
        fn a_box_finds_the_cells_that_it_touches(
            full in prop::collection::vec(0usize..64, 0..5),
            low in prop::array::uniform3(-1.4f32..1.4),
            length in prop::array::uniform3(0.0f32..1.5),
        ) {
            let space = Bounds { low, high: [0, 1, 2].map(|axis| low[axis] + length[axis]) };
            let touched = |index: &usize| {
                let cell = [index % 8, index / 8 % 4, index / 32];
                (0..3).all(|axis| {
                    let size = SIZE[axis] as f32;
                    let at = |x: f32| ((x + 1.0) * 0.5 * size).floor().clamp(0.0, size - 1.0) as usize;
                    (at(space.low[axis])..=at(space.high[axis])).contains(&cell[axis])
                })
            };
            prop_assert_eq!(solid(&full).any(space), full.iter().any(touched));
        }
    }

    #[test]
    fn a_wrong_shape_is_named() {
        let error = |shape: &[usize]| {
            let cells = Tensor::f32(shape, vec![0.0; shape.iter().product()]).unwrap();
            Solid::new(&cells, &cells).err().unwrap().to_string()
        };
        assert_eq!(error(&[1, 2]), "`occupancy`: expected shape [1,1,z,y,x], found [1, 2]");
        assert!(error(&[1, 1, 0, 2, 2]).contains("of one cell or more, found [1, 1, 0, 2, 2]"));
        assert_eq!(error(&[1, 1, 2, 2, 2]), "`occupancy_box`: expected shape [2,3], found [1, 1, 2, 2, 2]");
    }
}
