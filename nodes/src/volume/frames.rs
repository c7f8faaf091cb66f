//! Features and alpha of several frames, or of one window of them, filled pixel by pixel.

use half::{f16, slice::HalfFloatSliceExt};

use super::Window;
use crate::{
    error::{NodeError, Result},
    runtime::Values,
    tensor::{Tensor, Tensors},
};

/// Rendered frames, in one piece of memory each for features and alpha.
pub struct Frames {
    /// R.
    side: usize,
    /// The part of the picture that they show.
    window: Window,
    /// C; known when the first pixels are placed.
    channels: usize,
    count: usize,
    features: Vec<f32>,
    alpha: Vec<f32>,
    /// [n,3,h,w], where the rays' places on the resting head are kept.
    source: Option<Vec<f32>>,
}

impl Frames {
    /// `count` frames of the `window` of a picture of `side` x `side` pixels, all zero.
    pub fn blank(count: usize, side: usize, window: Window) -> Self {
        let alpha = vec![0.0; count * window.area()];
        Self { side, window, channels: 0, count, features: vec![], alpha, source: None }
    }

    /// The same, to keep where on the resting head lies what their rays show.
    #[must_use]
    pub fn sourced(self) -> Self {
        Self { source: Some(vec![0.0; self.count * 3 * self.window.area()]), ..self }
    }

    /// `count` frames like the first of `canvas`.
    pub fn like(canvas: &Self, count: usize) -> Self {
        let area = canvas.window.area();
        Self {
            count,
            features: canvas.features[..canvas.channels * area].repeat(count),
            alpha: canvas.alpha[..area].repeat(count),
            source: canvas.source.as_ref().map(|source| source[..3 * area].repeat(count)),
            ..*canvas
        }
    }

    /// Puts what the role `render` gave, `features` [1,C,N], `alpha` [1,1,N] and, where it is kept, `source` [1,3,N], at `pixels` of frame
    /// `frame`.
    pub(super) fn place(&mut self, frame: usize, pixels: &[i64], rendered: &Values) -> Result<()> {
        let (count, area) = (pixels.len(), self.window.area());
        let of = |name: &str, channels: Option<usize>| -> Result<(Tensor, usize)> {
            let tensor = rendered.tensor(name)?;
            match *tensor.shape() {
                [1, found, rays] if rays == count && found == channels.unwrap_or(found.max(1)) => {
                    Ok((tensor, found))
                }
                ref other => {
                    let channels = channels.map_or("C".into(), |channels| channels.to_string());
                    Err(NodeError::model(format!(
                        "role `render`: expected {name} [1,{channels},{count}], found {other:?}"
                    )))
                }
            }
        };
        let (features, channels) = of("features", None)?;
        let (alpha, _) = of("alpha", Some(1))?;
        if self.channels == 0 {
            self.channels = channels;
            self.features = vec![0.0; self.count * channels * area];
        }
        let places: Vec<usize> =
            pixels.iter().map(|&pixel| self.window.index(pixel as usize, self.side)).collect();
        let all = &mut self.features[frame * channels * area..(frame + 1) * channels * area];
        scatter(all.chunks_exact_mut(area), features.as_f32()?.chunks_exact(count), &places);
        let all = &mut self.alpha[frame * area..(frame + 1) * area];
        scatter(all.chunks_exact_mut(area), alpha.as_f32()?.chunks_exact(count), &places);
        if let Some(all) = &mut self.source {
            let (source, _) = of("source", Some(3))?;
            let all = &mut all[frame * 3 * area..(frame + 1) * 3 * area];
            scatter(all.chunks_exact_mut(area), source.as_f32()?.chunks_exact(count), &places);
        }
        Ok(())
    }

    /// The part of the picture that they show.
    pub fn window(&self) -> Window {
        self.window
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Alpha [h,w] of one frame.
    pub fn alpha(&self, frame: usize) -> &[f32] {
        let area = self.window.area();
        &self.alpha[frame * area..][..area]
    }

    /// Alpha [h,w] and source [3,h,w] of one frame; no source where it is not kept.
    pub(super) fn sources(&self, frame: usize) -> (&[f32], &[f32]) {
        let area = self.window.area();
        let source = self.source.as_deref().unwrap_or_default();
        (self.alpha(frame), source.get(frame * 3 * area..).unwrap_or_default())
    }

    /// The features [1,C,h,w] of one frame.
    pub fn features(&self, frame: usize) -> Result<Tensor> {
        let size = self.channels * self.window.area();
        let one = self.features[frame * size..(frame + 1) * size].to_vec();
        Tensor::f32([1, self.channels, self.window.height(), self.window.width()], one)
    }

    /// `features` [n,C,h,w] and `alpha` [n,1,h,w], in numbers that half precision holds; and `corner` [2], row and column of the window's
    /// first pixel, where it is not the whole picture.
    pub fn tensors(self) -> Result<Tensors> {
        let (height, width) = (self.window.height(), self.window.width());
        let mut tensors = Tensors::new()
            .with("features", Tensor::f32([self.count, self.channels, height, width], halves(self.features))?)
            .with("alpha", Tensor::f32([self.count, 1, height, width], halves(self.alpha))?);
        if self.window != Window::whole(self.side) {
            let corner = [self.window.rows.0, self.window.columns.0].map(|x| x as i64);
            tensors.0.insert("corner".into(), Tensor::i64([2], corner.to_vec())?);
        }
        Ok(tensors)
    }
}

/// The numbers of half precision that are nearest: a store keeps them in half the room.
pub fn halves(mut numbers: Vec<f32>) -> Vec<f32> {
    let mut half = [f16::ZERO; 4096];
    for part in numbers.chunks_mut(half.len()) {
        let half = &mut half[..part.len()];
        half.convert_from_f32_slice(part);
        half.convert_to_f32_slice(part);
    }
    numbers
}

/// Writes each plane of `from` to the `places` of that of `to`.
fn scatter<'a>(
    to: impl Iterator<Item = &'a mut [f32]>,
    from: impl Iterator<Item = &'a [f32]>,
    places: &[usize],
) {
    for (to, from) in to.zip(from) {
        for (place, value) in places.iter().zip(from) {
            to[*place] = *value;
        }
    }
}
