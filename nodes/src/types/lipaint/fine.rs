//! What is painted, at twice the pitch of rays.

use crate::{
    error::{NodeError, Result},
    geometry::resample,
    models::Models,
    runtime::Values,
    tensor::Tensor,
    volume::{self, Camera, Frames},
};

/// A mask may be where a neighbouring frame's is, once it is averaged; and what finishes a picture looks around. In rays.
const AROUND: usize = 3;

/// Features [n,C,2h,2w] of the window of `Frames`: rays of their own about the mask, and elsewhere those of the frames enlarged.
#[derive(Default)]
pub(super) struct Fine {
    shape: [usize; 3],
    numbers: Vec<f32>,
}

impl Fine {
    /// Adds frame `frame` of `frames`, of `state` at rest before `camera`, painted where `mask` [1,1,P,P] is.
    pub(super) fn push(
        &mut self,
        (models, state, rest): (&Models, &Values, &Values),
        camera: &Camera,
        (frames, frame): (&Frames, usize),
        mask: &Tensor,
    ) -> Result<()> {
        let features = frames.features(frame)?;
        let &[_, channels, rows, columns] = features.shape() else {
            return Err(NodeError::model("role `render`: expected features of a window"));
        };
        let (width, area) = (2 * columns, 4 * rows * columns);
        self.shape = [channels, 2 * rows, width];
        let from = self.numbers.len();
        for plane in features.as_f32()?.chunks_exact(rows * columns) {
            self.numbers.extend(resample::twice(plane, columns, (0, rows), (0, columns)));
        }
        let (first_column, first_row) = (frames.window().columns.0, frames.window().rows.0);
        let (mut places, mut at) = (vec![], vec![]);
        for (row, column) in near(mask, camera.side())? {
            let (Some(row), Some(column)) = (row.checked_sub(first_row), column.checked_sub(first_column))
            else {
                continue;
            };
            if row >= rows || column >= columns {
                continue;
            }
            for (down, right) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let part =
                    |first: usize, ray: usize, half: usize| (first + ray) as f32 + 0.25 + 0.5 * half as f32;
                places.push([part(first_column, column, right), part(first_row, row, down)]);
                at.push((2 * row + down) * width + 2 * column + right);
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        let rays = camera.through(&places)?.sample(models, state)?;
        let rendered = rays.march(models, state, rest)?.tensor("features")?;
        if rendered.shape() != [1, channels, at.len()] {
            return Err(NodeError::model(format!(
                "role `render`: expected features [1,{channels},{}], found {:?}",
                at.len(),
                rendered.shape()
            )));
        }
        let planes = self.numbers[from..].chunks_exact_mut(area);
        for (plane, rendered) in planes.zip(rendered.as_f32()?.chunks_exact(at.len())) {
            at.iter().zip(rendered).for_each(|(&at, &feature)| plane[at] = feature);
        }
        Ok(())
    }

    /// All frames, in numbers that half precision holds.
    pub(super) fn tensor(self) -> Result<Tensor> {
        let [channels, rows, columns] = self.shape;
        let count = self.numbers.len() / (channels * rows * columns).max(1);
        Tensor::f32([count, channels, rows, columns], volume::halves(self.numbers))
    }
}

/// Rows and columns of the rays, of `side` x `side`, that are not far from where `mask` [1,1,P,P] is.
fn near(mask: &Tensor, side: usize) -> Result<Vec<(usize, usize)>> {
    let from = (mask.shape()[3], mask.shape()[2]);
    let mask = resample::resize(mask.as_f32()?, from, (side, side))?;
    let mut found = vec![false; side * side];
    for ray in (0..side * side).filter(|ray| mask[*ray] > 0.0) {
        let around = |at: usize| at.saturating_sub(AROUND)..(at + AROUND + 1).min(side);
        for row in around(ray / side) {
            found[row * side..][around(ray % side)].fill(true);
        }
    }
    Ok((0..side * side).filter(|ray| found[*ray]).map(|ray| (ray / side, ray % side)).collect())
}
