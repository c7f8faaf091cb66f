//! The rays of a camera, or of a part of its picture.

use super::Frames;
use crate::{
    error::{NodeError, Result},
    models::Models,
    runtime::Values,
    tensor::{Tensor, Tensors},
};

/// Rays are cast in strips of this many columns, so that those cast one after the other pass the same places.
const STRIP: usize = 16;

/// A rectangle of a picture of R x R rays, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first column and the one after the last.
    pub columns: (usize, usize),
    /// The first row and the one after the last.
    pub rows: (usize, usize),
}

impl Window {
    /// All of a picture of `side` x `side`.
    pub fn whole(side: usize) -> Self {
        Self { columns: (0, side), rows: (0, side) }
    }

    /// The smallest window that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let join = |a: (usize, usize), b: (usize, usize)| (a.0.min(b.0), a.1.max(b.1));
        Self { columns: join(self.columns, other.columns), rows: join(self.rows, other.rows) }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.columns.1 - self.columns.0
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.rows.1 - self.rows.0
    }

    /// Pixels.
    pub fn area(&self) -> usize {
        self.width() * self.height()
    }

    /// Where pixel `pixel` of a picture of `side` columns, which the window must hold, is in the window.
    pub(super) fn index(&self, pixel: usize, side: usize) -> usize {
        (pixel / side - self.rows.0) * self.width() + pixel % side - self.columns.0
    }
}

/// The rays of a camera, or of a window of its picture.
pub struct Bundle {
    /// `origins`, `directions` [1,N,3], `pixels` [N].
    tensors: Tensors,
    /// R.
    side: usize,
}

/// Rays and the depths at which they are sampled, frozen for a person.
#[derive(Clone)]
pub struct Rays {
    /// `origins`, `directions` [1,N,3], `depths` [1,N,S], `pixels` [N].
    tensors: Tensors,
    values: Values,
    /// R.
    side: usize,
}

impl Bundle {
    /// The rays of the camera at `pose`, those of `window` or all.
    pub fn cast(models: &Models, pose: [f32; 6], window: Option<Window>) -> Result<Self> {
        let camera =
            models.run("camera", &Tensors::new().with("pose", Tensor::f32([1, 6], pose.to_vec())?))?;
        let (origins, directions) = (camera.get("origins")?.as_f32()?, camera.get("directions")?.as_f32()?);
        let side = (origins.len() / 3).isqrt();
        if side == 0 || origins.len() != 3 * side * side || directions.len() != origins.len() {
            return Err(NodeError::model(format!(
                "role `camera`: {} origins and {} directions, expected R·R of each",
                origins.len() / 3,
                directions.len() / 3
            )));
        }
        let window = window.unwrap_or(Window::whole(side));
        let pixels = strips(window, side);
        let pick = |all: &[f32]| {
            let picked = pixels.iter().flat_map(|&pixel| &all[3 * pixel..3 * pixel + 3]).copied().collect();
            Tensor::f32([1, pixels.len(), 3], picked)
        };
        let tensors = Tensors::new()
            .with("origins", pick(origins)?)
            .with("directions", pick(directions)?)
            .with("pixels", Tensor::i64([pixels.len()], pixels.iter().map(|&pixel| pixel as i64).collect())?);
        Ok(Self { tensors, side })
    }

    /// The rays, to be sampled where the volume of `state` asks for it.
    pub fn sample(&self, models: &Models, state: &Values) -> Result<Rays> {
        let mut offered = state.clone();
        offered.extend(models.values(&self.tensors)?);
        let depths = models.run_values("depths", &offered)?.tensor("depths")?;
        let count = self.tensors.get("pixels")?.shape()[0];
        match depths.shape() {
            &[1, rays, samples] if rays == count && samples > 0 => {}
            other => {
                return Err(NodeError::model(format!(
                    "role `depths`: expected depths [1,{count},S], found {other:?}"
                )));
            }
        }
        Rays::new(models, self.tensors.clone().with("depths", depths), self.side)
    }
}

impl Rays {
    /// All rays of the camera at `pose` through the volume of `state`.
    pub fn cast(models: &Models, state: &Values, pose: [f32; 6]) -> Result<Self> {
        Bundle::cast(models, pose, None)?.sample(models, state)
    }

    fn new(models: &Models, tensors: Tensors, side: usize) -> Result<Self> {
        Ok(Self { values: models.values(&tensors)?, tensors, side })
    }

    /// R, the side of the picture in rays.
    pub fn side(&self) -> usize {
        self.side
    }

    /// `origins`, `directions` [1,N,3], `depths` [1,N,S] and `pixels` [N].
    pub fn tensors(&self) -> &Tensors {
        &self.tensors
    }

    /// The sample points, ray by ray.
    pub fn points(&self) -> Result<Vec<[f32; 3]>> {
        let read = |name: &str| self.tensors.get(name)?.as_f32();
        let (origins, directions) =
            (read("origins")?.as_chunks::<3>().0, read("directions")?.as_chunks::<3>().0);
        let depths = read("depths")?.chunks_exact(self.samples());
        let mut points = Vec::with_capacity(origins.len() * self.samples());
        for ((origin, direction), depths) in origins.iter().zip(directions).zip(depths) {
            let along = |depth: &f32| [0, 1, 2].map(|axis| origin[axis] + depth * direction[axis]);
            points.extend(depths.iter().map(along));
        }
        Ok(points)
    }

    /// S.
    fn samples(&self) -> usize {
        self.tensors.0.get("depths").and_then(|depths| depths.shape().last().copied()).unwrap_or(1).max(1)
    }

    /// Those of the rays that have a sample point which is `wanted`.
    pub fn reaching(&self, models: &Models, wanted: impl Fn([f32; 3]) -> bool) -> Result<Self> {
        let samples = self.samples();
        let points = self.points()?;
        let rays = points.chunks_exact(samples).enumerate();
        let kept: Vec<usize> =
            rays.filter(|(_, points)| points.iter().any(|p| wanted(*p))).map(|(ray, _)| ray).collect();
        let pick = |name: &str, width: usize| -> Result<Tensor> {
            let all = self.tensors.get(name)?.as_f32()?;
            let rows = kept.iter().flat_map(|&ray| &all[ray * width..(ray + 1) * width]).copied();
            Tensor::f32([1, kept.len(), width], rows.collect())
        };
        let pixels = self.tensors.get("pixels")?.as_i64()?;
        let tensors = Tensors::new()
            .with("origins", pick("origins", 3)?)
            .with("directions", pick("directions", 3)?)
            .with("depths", pick("depths", samples)?)
            .with("pixels", Tensor::i64([kept.len()], kept.iter().map(|&ray| pixels[ray]).collect())?);
        Self::new(models, tensors, self.side)
    }

    /// Renders `state` along these rays, bent by the tensors of `bend`, into frame `frame` of `frames`; other pixels stay as they are.
    pub fn render(
        &self,
        models: &Models,
        state: &Values,
        bend: &Values,
        frames: &mut Frames,
        frame: usize,
    ) -> Result<()> {
        let pixels = self.tensors.get("pixels")?.as_i64()?;
        if pixels.is_empty() {
            return Ok(());
        }
        let mut offered = state.clone();
        offered.extend(self.values.clone());
        offered.extend(bend.clone());
        let outputs = models.run_values("render", &offered)?;
        frames.place(frame, pixels, &outputs)
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

    #[test]
    fn strips_hold_every_pixel_of_a_window_once() {
        let mut all = strips(Window { columns: (0, 40), rows: (0, 40) }, 40);
        assert_eq!(all[..17], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 40]);
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1600));
        let part = strips(Window { columns: (3, 5), rows: (6, 99) }, 8);
        assert_eq!(part, [51, 52, 59, 60]);
    }
}
