//! The 468-point face mesh (Kartynnik et al. 2019, arXiv:1907.06724) and the crop that follows from it.

use image::RgbImage;

use super::{
    iris,
    parts::{self, EYE, LIDS, Parts},
};
use crate::{
    error::{NodeError, Result},
    models::Models,
    tensor::{Tensor, Tensors},
    warp::{Border, Square, cut},
};

/// Number of landmarks, M.
pub(super) const POINTS: usize = 468;
/// Side of the network's input.
pub(super) const SIDE: usize = 192;
/// Under this the network sees no face.
const MIN_SCORE: f64 = 0.5;
/// Corners of the eye on the picture's left, of the one on its right, and of the mouth.
const LEFT_EYE: [usize; 2] = [33, 133];
const RIGHT_EYE: [usize; 2] = [263, 362];
const MOUTH: [usize; 2] = [61, 291];

/// Landmarks in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mesh {
    pub(super) points: Vec<[f64; 2]>,
    /// How much nearer than the face's middle each point is, in the same unit.
    pub(super) near: Vec<f64>,
    /// Confidence in [0,1].
    pub(super) score: f64,
    /// Lids and irises, where they were looked at closer ([`Mesh::find_closer`]); else none.
    pub(super) eyes: Vec<[f64; 2]>,
}

impl Mesh {
    /// Landmarks of the face in `region`; `None` when the network sees none there.
    pub(super) fn find(models: &Models, picture: &RgbImage, region: Square) -> Result<Option<Self>> {
        Ok(Self::run(models, "face_mesh", picture, region)?.map(|(mesh, _)| mesh))
    }

    /// Like [`find`](Self::find), with lips, lids and irises looked at closer where the pack can do that.
    pub(super) fn find_closer(models: &Models, picture: &RgbImage, region: Square) -> Result<Option<Self>> {
        if !models.pack()?.has(parts::ROLE) {
            return Self::find(models, picture, region);
        }
        let Some((mut mesh, outputs)) = Self::run(models, parts::ROLE, picture, region)? else {
            return Ok(None);
        };
        let parts = Parts::of(&outputs)?;
        for (index, place) in parts.points {
            mesh.points[index] = region.to_picture(place);
        }
        mesh.eyes = parts.eyes.into_iter().map(|place| region.to_picture(place)).collect();
        if models.pack()?.has(iris::ROLE) {
            let [a, b] = RIGHT_EYE;
            for (eye, (corners, turned)) in [(LEFT_EYE, false), ([b, a], true)].into_iter().enumerate() {
                let corners = corners.map(|index| mesh.points[index]);
                let points = iris::find(models, picture, corners, turned)?;
                mesh.eyes[eye * EYE + LIDS..][..points.len()].copy_from_slice(&points);
            }
        }
        Ok(Some(mesh))
    }

    /// The landmarks that the network of `role` sees, and all else that it gave.
    fn run(
        models: &Models,
        role: &str,
        picture: &RgbImage,
        region: Square,
    ) -> Result<Option<(Self, Tensors)>> {
        let pixels = cut(picture, region, SIDE, Border::Black).iter().map(|value| value / 255.0).collect();
        let inputs = Tensors::new().with("image", Tensor::f32([1, SIDE, SIDE, 3], pixels)?);
        let outputs = models.run(role, &inputs)?;
        let (points, score) = (outputs.get("landmarks")?.as_f32()?, outputs.get("score")?.as_f32()?);
        let (true, &[score]) = (points.len() == 3 * POINTS, score) else {
            let (points, scores) = (points.len(), score.len());
            return Err(NodeError::model(format!(
                "role `{role}`: expected 1404 numbers and a score, found {points} and {scores}"
            )));
        };
        let score = 1.0 / (1.0 + f64::from(-score).exp());
        if score < MIN_SCORE {
            return Ok(None);
        }
        let unit = |x: f32| f64::from(x) / SIDE as f64;
        let near = points.chunks_exact(3).map(|point| -unit(point[2]) * 2.0 * region.half).collect();
        let points = points.chunks_exact(3).map(|point| [point[0], point[1]].map(unit));
        let points = points.map(|point| region.to_picture(point)).collect();
        Ok(Some((Self { points, near, score, eyes: vec![] }, outputs)))
    }

    /// Like [`find`](Self::find), then once more in the region that the first landmarks give, which is centred better
    /// than a detector's.
    pub(super) fn refine(models: &Models, picture: &RgbImage, region: Square) -> Result<Option<Self>> {
        match Self::find(models, picture, region)? {
            Some(first) => Ok(Self::find(models, picture, first.region())?.or(Some(first))),
            None => Ok(None),
        }
    }

    /// Where to look for this face next: one and a half times the landmarks' extent, outer eye corners level.
    pub(super) fn region(&self) -> Square {
        let (a, b) = (self.points[LEFT_EYE[0]], self.points[RIGHT_EYE[0]]);
        let angle = (b[1] - a[1]).atan2(b[0] - a[0]);
        let upright = Square { centre: [0.0; 2], half: 1.0, angle };
        let turned: Vec<_> = self.points.iter().map(|&point| upright.locate(point)).collect();
        let range = |axis: usize| {
            let values = turned.iter().map(|point| point[axis]);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
        };
        let ((x0, x1), (y0, y1)) = (range(0), range(1));
        // `upright` maps [0,1] to a side of 2, so extents there are half those in pixels.
        let half = 1.5 * (x1 - x0).max(y1 - y0);
        Square { centre: upright.to_picture([(x0 + x1) / 2.0, (y0 + y1) / 2.0]), half, angle }
    }

    /// The crop of the FFHQ data set (Karras et al. 2019): centred a tenth of the way from the eyes to the mouth, half
    /// a side of the larger of 2 interocular distances and 1.8 distances from eyes to mouth. `upright` turns it with
    /// the head; otherwise it stays level.
    pub(super) fn crop(&self, upright: bool) -> Square {
        let middle = |pair: [usize; 2]| {
            let [a, b] = pair.map(|k| self.points[k]);
            [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]
        };
        let (left, right, mouth) = (middle(LEFT_EYE), middle(RIGHT_EYE), middle(MOUTH));
        let eyes = [(left[0] + right[0]) / 2.0, (left[1] + right[1]) / 2.0];
        let across = [right[0] - left[0], right[1] - left[1]];
        let down = [mouth[0] - eyes[0], mouth[1] - eyes[1]];
        // Between the line of the eyes and the perpendicular of the line to the mouth, as in FFHQ.
        let axis = [across[0] + down[1], across[1] - down[0]];
        Square {
            centre: [eyes[0] + 0.1 * down[0], eyes[1] + 0.1 * down[1]],
            half: (2.0 * across[0].hypot(across[1])).max(1.8 * down[0].hypot(down[1])),
            angle: if upright { axis[1].atan2(axis[0]) } else { 0.0 },
        }
    }

    /// The landmarks in [0,1] of `crop`, x and y in turn.
    pub(super) fn within(&self, crop: Square) -> Vec<f32> {
        located(&self.points, crop)
    }

    /// How much nearer than the face's middle the landmarks are, in sides of `crop`.
    pub(super) fn near(&self, crop: Square) -> Vec<f32> {
        self.near.iter().map(|near| (near / (2.0 * crop.half)) as f32).collect()
    }
}

/// `points` of the picture in [0,1] of `crop`, x and y in turn.
pub(super) fn located(points: &[[f64; 2]], crop: Square) -> Vec<f32> {
    points.iter().flat_map(|&point| crop.locate(point)).map(|x| x as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face with eyes 60 apart and a mouth 70 below, turned by `angle` about its eyes' middle at (200,150).
    fn mesh(angle: f64) -> Mesh {
        let frame = Square { centre: [200.0, 150.0], half: 1.0, angle };
        let mut points = vec![[0.0, 0.0]; POINTS];
        let at = |x: f64, y: f64| frame.to_picture([(x + 1.0) / 2.0, (y + 1.0) / 2.0]);
        for (pair, x) in [(LEFT_EYE, -30.0), (RIGHT_EYE, 30.0)] {
            points[pair[0]] = at(x * 1.2, 0.0);
            points[pair[1]] = at(x * 0.8, 0.0);
        }
        points[MOUTH[0]] = at(-20.0, 70.0);
        points[MOUTH[1]] = at(20.0, 70.0);
        Mesh { points, near: vec![0.0; POINTS], score: 1.0, eyes: vec![] }
    }

    #[test]
    fn the_crop_follows_the_head() {
        for angle in [-0.4, 0.0, 0.3] {
            let crop = mesh(angle).crop(true);
            assert!((crop.angle - angle).abs() < 1e-9 && (crop.half - 126.0).abs() < 1e-9);
            let centre = [200.0 - 7.0 * angle.sin(), 150.0 + 7.0 * angle.cos()];
            assert!((crop.centre[0] - centre[0]).abs() < 1e-9 && (crop.centre[1] - centre[1]).abs() < 1e-9);
            assert_eq!(mesh(angle).crop(false).angle, 0.0);
        }
    }

    #[test]
    fn landmarks_lie_level_in_the_crop() {
        let mesh = mesh(0.3);
        let inside = mesh.within(mesh.crop(true));
        assert!((inside[2 * 33 + 1] - inside[2 * 263 + 1]).abs() < 1e-6);
        assert!((inside[2 * 33] + inside[2 * 263] - 1.0).abs() < 1e-6);
    }
}
