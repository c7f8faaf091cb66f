use image::RgbImage;
use serde_json::json;

use super::{fit::Fit, landmarks};
use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody},
    error::{NodeError, Result},
    params::Params,
    tensor::{Tensor, Tensors},
    volume,
};

/// Fits frame after frame.
pub(super) struct FitFrames {
    params: Params,
    /// The fit of the first frame, and that of the others.
    fits: Option<(Fit, Fit)>,
}

impl FitFrames {
    pub(super) fn new(params: &Params) -> Self {
        Self { params: params.clone(), fits: None }
    }
}

/// Whether the landmarks are those that `align` gives before it sees a face: all in one place.
fn is_nobody(landmarks: &[f32]) -> bool {
    landmarks.as_chunks::<2>().0.windows(2).all(|pair| pair[0] == pair[1])
}

impl ScanBody for FitFrames {
    /// The state is the last frame: its `landmarks` [1,M,2] and fitted `coefficients` [1,K].
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        ctx: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        if self.fits.is_none() {
            let load = |warm| Fit::load(&self.params, ctx.models, warm);
            self.fits = Some((load(false)?, load(true)?));
        }
        let Some((first, next)) = &self.fits else {
            return Err(NodeError::model("fit3dmm: phases are not loaded"));
        };
        let pack = ctx.models.pack()?;
        let size = pack.coefficients().size;
        let found = landmarks::rows(inputs.tensors("landmarks")?, pack)?;
        let predicted = volume::rows(inputs.tensors("coefficients")?, "coefficients", size)?;
        let frames = inputs.tensors("frames")?.get("frames").map_err(|error| error.at_port("frames"))?;
        let &[count, height, width, 3] = frames.shape() else {
            return Err(NodeError::input(format!(
                "port `frames`: expected [n,H,W,3], found {:?}",
                frames.shape()
            )));
        };
        if found.len() != count || predicted.len() != count {
            return Err(NodeError::input(format!(
                "{count} frames with landmarks of {} and coefficients of {}",
                found.len(),
                predicted.len()
            )));
        }
        let mut last: Option<(Vec<f32>, Vec<f32>)> = match state {
            Some(state) => Some((
                state.get("landmarks")?.as_f32()?.to_vec(),
                state.get("coefficients")?.as_f32()?.to_vec(),
            )),
            None => None,
        };
        let points = found.first().map_or(0, |row| row.len() / 2);
        let (mut fitted, mut errors) = (Vec::with_capacity(count * size), vec![]);
        let pictures = frames.as_u8()?.chunks_exact((height * width * 3).max(1));
        for ((found, predicted), picture) in found.iter().zip(predicted).zip(pictures) {
            ctx.check_cancelled()?;
            let row = match last {
                Some((ref seen, ref row)) if seen == found => row.clone(),
                _ => {
                    let picture = RgbImage::from_raw(width as u32, height as u32, picture.to_vec())
                        .ok_or_else(|| NodeError::input("port `frames`: a frame without pixels"))?;
                    let (fit, start) = match &last {
                        Some((_, row)) => (next, row.as_slice()),
                        None if is_nobody(found) => {
                            return Err(NodeError::input(format!(
                                "no face found in the first {count} frames"
                            ))
                            .hint("start the driving clip where the face is seen, or use `track`"));
                        }
                        None => (first, predicted),
                    };
                    let outcome = fit.run(&picture, found, start, false, ctx)?;
                    let row = outcome.tensors.get("coefficients")?;
                    errors.push(landmarks::error(ctx.models, row, found)?);
                    row.as_f32()?.to_vec()
                }
            };
            fitted.extend_from_slice(&row);
            last = Some((found.clone(), row));
        }
        if !errors.is_empty() {
            ctx.host.note("landmark_error_px", json!(errors.iter().sum::<f64>() / errors.len() as f64));
        }
        let (landmarks, row) = last.ok_or_else(|| NodeError::input("port `frames`: no frames"))?;
        let state = Tensors::new()
            .with("landmarks", Tensor::f32([1, points, 2], landmarks)?)
            .with("coefficients", Tensor::f32([1, size], row)?);
        let out = Tensors::new().with("coefficients", Tensor::f32([count, size], fitted)?);
        Ok((Outputs::from([("coefficients".to_owned(), Value::Tensors(out))]), state))
    }
}
