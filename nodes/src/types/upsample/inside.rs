//! What is painted, finished at twice the pitch of frames.

use super::body::{Painted, append, four};
use crate::{
    artifact::Value,
    body::Inputs,
    error::{NodeError, Result},
    geometry::resample,
    models::Models,
    onnx::Dim,
    runtime::Values,
    tensor::{Tensor, Tensors},
    volume,
};

/// How far around a mask features are finished, in rays: as far as the up-sampler of a pixel looks, and one.
const AROUND: usize = 4;

/// The window of a chunk's frames that is finished finer.
pub(super) struct Inside<'a> {
    /// Painted features [n,C,2h,2w].
    fine: &'a [f32],
    /// Channels, rows and columns of the painted window, in rays, and its corner.
    painted: &'a Painted<'a>,
    /// First row and the one after the last, columns; in rays.
    rows: (usize, usize),
    columns: (usize, usize),
    pixels: Vec<u8>,
    size: [usize; 2],
}

impl<'a> Inside<'a> {
    /// What can be finished finer of `painted`: there are features for it, the role `upsample` takes any size, and `masks` [R,R] of the
    /// frames, of `width` columns, are somewhere.
    pub(super) fn of(
        models: &Models,
        inputs: &'a Inputs,
        painted: &'a Painted<'a>,
        masks: &[Vec<f32>],
        width: usize,
    ) -> Result<Option<Self>> {
        let port = "inpainted";
        if !inputs.tensors(port)?.0.contains_key("fine") || !free(models)? {
            return Ok(None);
        }
        let fine = four(inputs, port, "fine")?;
        let [channels, rows, columns] = painted.size;
        let expected = [masks.len(), channels, 2 * rows, 2 * columns];
        if fine.shape() != expected {
            return Err(NodeError::input(format!(
                "port `{port}`: `fine`: shape {:?}, expected {expected:?}, twice the pitch of `features`",
                fine.shape()
            )));
        }
        let shown: Vec<(usize, usize)> = masks
            .iter()
            .flat_map(|mask| (0..mask.len()).filter(|ray| mask[*ray] > 0.0))
            .map(|ray| (ray / width, ray % width))
            .collect();
        let range = |at: fn(&(usize, usize)) -> usize, first: usize, count: usize| {
            let (low, high) = (shown.iter().map(at).min()?, shown.iter().map(at).max()?);
            let ends = (low.saturating_sub(AROUND).max(first), (high + AROUND + 1).min(first + count));
            (ends.0 < ends.1).then_some(ends)
        };
        let rows = range(|place| place.0, painted.corner[0], rows);
        let columns = range(|place| place.1, painted.corner[1], columns);
        let (Some(rows), Some(columns)) = (rows, columns) else { return Ok(None) };
        Ok(Some(Self { fine: fine.as_f32()?, painted, rows, columns, pixels: vec![], size: [0; 2] }))
    }

    /// Finishes frame `frame`, whose `features` [1,C,R,R] are not blended yet; `mask` [1,1,H,W] says where the painted ones are shown.
    pub(super) fn push(
        &mut self,
        models: &Models,
        state: &Values,
        frame: usize,
        features: (&[f32], usize),
        mask: (&[f32], (usize, usize)),
    ) -> Result<()> {
        let (features, side) = features;
        let [channels, rows, columns] = self.painted.size;
        let [height, width] = [self.rows, self.columns].map(|(first, end)| 2 * (end - first));
        let rays = features.len() / (channels * side).max(1);
        let mask = resample::resize(mask.0, mask.1, (2 * side, 2 * rays))?;
        let mut blended = Vec::with_capacity(channels * height * width);
        let fine = self.fine[frame * channels * 4 * rows * columns..].chunks_exact(4 * rows * columns);
        for (channel, (plane, fine)) in features.chunks_exact(side * rays).zip(fine).enumerate() {
            let mut plane = resample::twice(plane, side, self.rows, self.columns);
            if channel >= self.painted.blended {
                blended.extend(plane);
                continue;
            }
            for (line, plane) in plane.chunks_exact_mut(width).enumerate() {
                let row = 2 * self.rows.0 + line;
                let mask = &mask[row * 2 * side + 2 * self.columns.0..];
                let from = [row - 2 * self.painted.corner[0], 2 * (self.columns.0 - self.painted.corner[1])];
                let fine = &fine[from[0] * 2 * columns + from[1]..];
                for ((feature, fine), mask) in plane.iter_mut().zip(fine).zip(mask) {
                    *feature += mask * (fine - *feature);
                }
            }
            blended.extend(plane);
        }
        let image = volume::upsample(models, state, Tensor::f32([1, channels, height, width], blended)?)?;
        match *image.shape() {
            [1, 3, rows, columns] if rows * width == columns * height => self.size = [rows, columns],
            ref other => {
                return Err(NodeError::model(format!(
                    "role `upsample`: an image {other:?} of features of {height} x {width}"
                )));
            }
        }
        append(&mut self.pixels, image.as_f32()?, self.size[0] * self.size[1]);
        Ok(())
    }

    /// `frames` u8 [n,h,w,3], and `corner` i64 [2], row and column of their first pixel in a picture of twice the frames' pitch.
    pub(super) fn tensors(self) -> Result<Tensors> {
        let [rows, columns] = self.size;
        let enlarged = rows / (2 * (self.rows.1 - self.rows.0));
        let corner = [self.rows.0, self.columns.0].map(|ray| (2 * enlarged * ray) as i64);
        let count = self.pixels.len() / (3 * rows * columns).max(1);
        Ok(Tensors::new()
            .with("frames", Tensor::u8([count, rows, columns, 3], self.pixels)?)
            .with("corner", Tensor::i64([2], corner.to_vec())?))
    }
}

/// Whether the role `upsample` takes features of any size.
fn free(models: &Models) -> Result<bool> {
    let session = models.session("upsample")?;
    let port = session.signature().input("features").and_then(|port| port.dims.as_deref());
    Ok(matches!(port, None | Some([_, _, Dim::Symbol(_) | Dim::Any, Dim::Symbol(_) | Dim::Any])))
}

/// The value of the port `inside`.
pub(super) fn value(inside: Option<Inside<'_>>) -> Result<Value> {
    Ok(Value::Tensors(inside.map(Inside::tensors).transpose()?.unwrap_or_default()))
}
