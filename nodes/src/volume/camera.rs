//! The rays of a camera, and rays between them.

use super::{Bundle, Window};
use crate::{
    error::{NodeError, Result},
    models::Models,
    tensor::{Tensor, Tensors},
};

/// Rays are cast in strips of this many columns, so that those cast one after the other pass the same places.
const STRIP: usize = 16;

/// All rays of a camera. Places are in pixels of its R x R, whose centres lie at halves.
pub struct Camera {
    /// R.
    side: usize,
    /// Row by row, like the directions.
    origins: Vec<[f32; 3]>,
    directions: Vec<[f32; 3]>,
}

impl Camera {
    /// The camera at `pose`.
    pub fn at(models: &Models, pose: [f32; 6]) -> Result<Self> {
        let cast = models.run("camera", &Tensors::new().with("pose", Tensor::f32([1, 6], pose.to_vec())?))?;
        let read =
            |name: &str| -> Result<Vec<[f32; 3]>> { Ok(cast.get(name)?.as_f32()?.as_chunks().0.to_vec()) };
        Self::new(read("origins")?, read("directions")?)
    }

    /// Of R·R rays each.
    pub(super) fn new(origins: Vec<[f32; 3]>, directions: Vec<[f32; 3]>) -> Result<Self> {
        let side = origins.len().isqrt();
        if side == 0 || origins.len() != side * side || directions.len() != origins.len() {
            return Err(NodeError::model(format!(
                "role `camera`: {} origins and {} directions, expected R·R of each",
                origins.len(),
                directions.len()
            )));
        }
        Ok(Self { side, origins, directions })
    }

    /// R.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Origins and directions, row by row.
    pub(super) fn rays(&self) -> (&[[f32; 3]], &[[f32; 3]]) {
        (&self.origins, &self.directions)
    }

    /// The rays of `window`, or all.
    pub fn bundle(&self, window: Option<Window>) -> Result<Bundle> {
        let pixels = strips(window.unwrap_or(Window::whole(self.side)), self.side);
        let pick = |all: &[[f32; 3]]| -> Result<Tensor> {
            Tensor::f32([1, pixels.len(), 3], pixels.iter().flat_map(|&pixel| all[pixel]).collect())
        };
        Bundle::new(pick(&self.origins)?, pick(&self.directions)?, &pixels, self.side)
    }

    /// The rays through `places`, anywhere in the picture. What is behind one is the background of its pixel.
    pub fn through(&self, places: &[[f32; 2]]) -> Result<Bundle> {
        let most = self.side - 1;
        let pixel = |place: &[f32; 2]| {
            let [column, row] = place.map(|x| (x as usize).min(most));
            row * self.side + column
        };
        let between = |all: &[[f32; 3]]| -> Result<Tensor> {
            Tensor::f32(
                [1, places.len(), 3],
                places.iter().flat_map(|place| self.between(all, *place)).collect(),
            )
        };
        let pixels: Vec<usize> = places.iter().map(pixel).collect();
        Bundle::new(between(&self.origins)?, between(&self.directions)?, &pixels, self.side)
    }

    /// Rays in the middles between four each.
    pub fn between_rays(&self) -> Result<Bundle> {
        let count = self.side.saturating_sub(1);
        let middle = |place: usize| [place % count, place / count].map(|x| x as f32 + 1.0);
        self.through(&(0..count * count).map(middle).collect::<Vec<_>>())
    }

    /// What `all` rays have, between the four about `place`. Neighbours differ so little that this is a pinhole's ray to float's precision.
    fn between(&self, all: &[[f32; 3]], place: [f32; 2]) -> [f32; 3] {
        if self.side < 2 {
            return all[0];
        }
        let [x, y] = place.map(|x| x - 0.5);
        let [column, row] = [x, y].map(|x| (x.max(0.0) as usize).min(self.side - 2));
        let [right, down] = [x - column as f32, y - row as f32];
        let first = row * self.side + column;
        let mix =
            |a: [f32; 3], b: [f32; 3], part: f32| [0, 1, 2].map(|axis| a[axis] + part * (b[axis] - a[axis]));
        let line = |at: usize| mix(all[at], all[at + 1], right);
        mix(line(first), line(first + self.side), down)
    }
}

/// The pixels of a window, strip by strip and in a strip row by row.
fn strips(window: Window, side: usize) -> Vec<usize> {
    let (columns, rows) = (window.columns, window.rows);
    let strips = (columns.0..columns.1.min(side)).step_by(STRIP);
    strips
        .flat_map(|strip| {
            let end = (strip + STRIP).min(columns.1).min(side);
            (rows.0..rows.1.min(side))
                .flat_map(move |row| (strip..end).map(move |column| row * side + column))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tiny_models;

    #[test]
    fn strips_hold_every_pixel_of_a_window_once() {
        let mut all = strips(Window { columns: (0, 40), rows: (0, 40) }, 40);
        assert_eq!(all[..17], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 40]);
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1600));
        let part = strips(Window { columns: (3, 5), rows: (6, 99) }, 8);
        assert_eq!(part, [51, 52, 59, 60]);
    }

    #[test]
    fn rays_between_rays_are_those_of_the_camera() {
        let Some(models) = tiny_models() else { return };
        let camera = Camera::at(&models, [0.1, -0.3, 0.05, 0.02, 0.01, 0.1]).unwrap();
        let read =
            |bundle: &Bundle, name: &str| bundle.tensors().get(name).unwrap().as_f32().unwrap().to_vec();
        let side = camera.side();
        // at pixels themselves, and as far beyond the last as before it
        let pixel = |pixel: usize| [(pixel % side) as f32 + 0.5, (pixel / side) as f32 + 0.5];
        let places: Vec<_> = (0..side * side).map(pixel).collect();
        let all = camera.through(&places).unwrap();
        assert_eq!(read(&all, "directions"), camera.directions.as_flattened());
        let ends = camera.through(&[[-0.5, 0.5], [0.5, 0.5], [1.5, 0.5], [1.0, 0.5]]).unwrap();
        let found = read(&ends, "directions");
        for axis in 0..3 {
            let [before, first, second, middle] = [0, 1, 2, 3].map(|ray| found[3 * ray + axis]);
            assert!(
                (before - 2.0 * first + second).abs() < 1e-6 && (2.0 * middle - first - second).abs() < 1e-6
            );
        }
        assert_eq!(ends.tensors().get("pixels").unwrap().as_i64().unwrap(), [0, 0, 1, 1]);
    }
}
