//! Features and alpha of several frames, filled pixel by pixel.

use crate::{
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
};

/// Rendered frames of one size, in one piece of memory each for features and alpha.
pub struct Frames {
    side: usize,
    /// C; known when the first pixels are placed.
    channels: usize,
    count: usize,
    features: Vec<f32>,
    alpha: Vec<f32>,
}

impl Frames {
    /// `count` frames of `side` x `side` pixels, all zero.
    pub fn blank(count: usize, side: usize) -> Self {
        Self { side, channels: 0, count, features: vec![], alpha: vec![0.0; count * side * side] }
    }

    /// `count` frames like the first of `canvas`.
    pub fn like(canvas: &Self, count: usize) -> Self {
        let area = canvas.side * canvas.side;
        Self {
            count,
            features: canvas.features[..canvas.channels * area].repeat(count),
            alpha: canvas.alpha[..area].repeat(count),
            ..*canvas
        }
    }

    /// Puts `features` [1,C,N] and `alpha` [1,1,N] at `pixels` of frame `frame`.
    pub(super) fn place(
        &mut self,
        frame: usize,
        pixels: &[i64],
        features: &Tensor,
        alpha: &Tensor,
    ) -> Result<()> {
        let (count, area) = (pixels.len(), self.side * self.side);
        let channels = match features.shape() {
            &[1, channels, rays] if rays == count && channels > 0 => channels,
            other => {
                return Err(NodeError::model(format!(
                    "role `render`: expected features [1,C,{count}], found {other:?}"
                )));
            }
        };
        if alpha.shape() != [1, 1, count] {
            return Err(NodeError::model(format!(
                "role `render`: expected alpha [1,1,{count}], found {:?}",
                alpha.shape()
            )));
        }
        if self.channels == 0 {
            self.channels = channels;
            self.features = vec![0.0; self.count * channels * area];
        }
        let all = &mut self.features[frame * channels * area..(frame + 1) * channels * area];
        scatter(all.chunks_exact_mut(area), features.as_f32()?.chunks_exact(count), pixels);
        let all = &mut self.alpha[frame * area..(frame + 1) * area];
        scatter(all.chunks_exact_mut(area), alpha.as_f32()?.chunks_exact(count), pixels);
        Ok(())
    }

    /// The features [1,C,R,R] of one frame.
    pub fn features(&self, frame: usize) -> Result<Tensor> {
        let size = self.channels * self.side * self.side;
        let one = self.features[frame * size..(frame + 1) * size].to_vec();
        Tensor::f32([1, self.channels, self.side, self.side], one)
    }

    /// `features` [n,C,R,R] and `alpha` [n,1,R,R].
    pub fn tensors(self) -> Result<Tensors> {
        let side = self.side;
        Ok(Tensors::new()
            .with("features", Tensor::f32([self.count, self.channels, side, side], self.features)?)
            .with("alpha", Tensor::f32([self.count, 1, side, side], self.alpha)?))
    }
}

/// Writes each of `from` to the `pixels` of the plane of `to`.
fn scatter<'a>(
    to: impl Iterator<Item = &'a mut [f32]>,
    from: impl Iterator<Item = &'a [f32]>,
    pixels: &[i64],
) {
    for (to, from) in to.zip(from) {
        for (pixel, value) in pixels.iter().zip(from) {
            to[*pixel as usize] = *value;
        }
    }
}
