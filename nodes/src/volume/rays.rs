//! The rays of a camera, or of a part of its picture.

use super::{Camera, Frames, offsets};
use crate::{
    error::{NodeError, Result},
    models::Models,
    runtime::Values,
    tensor::{Tensor, Tensors},
};

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
    /// Rays by `origins` and `directions` [1,N,3] and the pixels behind them, of a picture of `side` x `side`.
    pub(super) fn new(origins: Tensor, directions: Tensor, pixels: &[usize], side: usize) -> Result<Self> {
        let pixels = pixels.iter().map(|&pixel| pixel as i64).collect::<Vec<_>>();
        let tensors = Tensors::new()
            .with("origins", origins)
            .with("directions", directions)
            .with("pixels", Tensor::i64([pixels.len()], pixels)?);
        Ok(Self { tensors, side })
    }

    /// `origins`, `directions` [1,N,3] and `pixels` [N].
    pub fn tensors(&self) -> &Tensors {
        &self.tensors
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

    /// The rays, sampled at the depths that the rays of the same pixels have in `rest`.
    pub fn sample_as(&self, models: &Models, rest: &Rays) -> Result<Rays> {
        let samples = rest.samples();
        let depths = rest.tensors.get("depths")?.as_f32()?;
        let mut rows = vec![None; rest.side * rest.side];
        for (&pixel, row) in rest.tensors.get("pixels")?.as_i64()?.iter().zip(depths.chunks_exact(samples)) {
            rows[pixel as usize] = Some(row);
        }
        let pixels = self.tensors.get("pixels")?.as_i64()?;
        let mut picked = Vec::with_capacity(pixels.len() * samples);
        for &pixel in pixels {
            let row = rows.get(pixel as usize).copied().flatten().ok_or_else(|| {
                NodeError::model(format!("role `camera`: pixel {pixel} has no ray before the resting head"))
            })?;
            picked.extend_from_slice(row);
        }
        let depths = Tensor::f32([1, pixels.len(), samples], picked)?;
        Rays::new(models, self.tensors.clone().with("depths", depths), self.side)
    }
}

impl Rays {
    /// All rays of the camera at `pose` through the volume of `state`.
    pub fn cast(models: &Models, state: &Values, pose: [f32; 6]) -> Result<Self> {
        Camera::at(models, pose)?.bundle(None)?.sample(models, state)
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

    /// Which pixels of the picture the rays are of, row by row.
    pub fn pixels(&self) -> Result<Vec<bool>> {
        let mut among = vec![false; self.side * self.side];
        self.tensors.get("pixels")?.as_i64()?.iter().for_each(|&pixel| among[pixel as usize] = true);
        Ok(among)
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

    /// N and S.
    pub fn shape(&self) -> [usize; 2] {
        let count = self.tensors.0.get("pixels").map_or(0, |pixels| pixels.shape()[0]);
        [count, self.samples()]
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
        frames.place(frame, pixels, &self.march(models, state, bend)?)
    }

    /// What the role `render` gives of `state` along these rays, bent by the tensors of `bend`.
    pub fn march(&self, models: &Models, state: &Values, bend: &Values) -> Result<Values> {
        let mut offered = state.clone();
        offered.extend(self.values.clone());
        offered.extend(bend.clone());
        offsets::rest(models, self, &mut offered)?;
        models.run_values("render", &offered)
    }
}
