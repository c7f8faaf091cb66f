//! Lids and irises (Ablavatski et al. 2020, arXiv:2006.11341).

use image::RgbImage;

use super::mesh::Mesh;
use crate::{
    error::{NodeError, Result},
    models::Models,
    tensor::{Tensor, Tensors},
    warp::{Border, Square, cut},
};

/// The role; packs without it track no gaze.
pub(super) const ROLE: &str = "iris";
/// Points of one eye: 16 of the lids' edges, 5 of the iris, its centre first.
pub(super) const POINTS: usize = LIDS + IRIS;
const LIDS: usize = 16;
const IRIS: usize = 5;
const SIDE: usize = 64;
/// The network sees so many times the distance of the eye's corners.
const SIZE: f64 = 2.3;
/// Corners of the person's right eye, on the picture's left, and of the left one.
const CORNERS: [[usize; 2]; 2] = [[33, 133], [362, 263]];

/// The points of both eyes of `mesh`, the person's right one first, in pixels of the picture.
pub(super) fn find(models: &Models, picture: &RgbImage, mesh: &Mesh) -> Result<Vec<[f64; 2]>> {
    let mut points = Vec::with_capacity(2 * POINTS);
    for (eye, corners) in CORNERS.into_iter().enumerate() {
        let [a, b] = corners.map(|k| mesh.points[k]);
        let across = [b[0] - a[0], b[1] - a[1]];
        let region = Square {
            centre: [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0],
            half: SIZE / 2.0 * across[0].hypot(across[1]),
            angle: across[1].atan2(across[0]),
        };
        // The network knows left eyes; a right one is shown to it in a mirror.
        let mirrored = eye == 0;
        let mut pixels: Vec<f32> =
            cut(picture, region, SIDE, Border::Black).iter().map(|value| value / 255.0).collect();
        if mirrored {
            for row in pixels.chunks_exact_mut(3 * SIDE) {
                (0..SIDE / 2).for_each(|x| (0..3).for_each(|c| row.swap(3 * x + c, 3 * (SIDE - 1 - x) + c)));
            }
        }
        let inputs = Tensors::new().with("image", Tensor::f32([1, SIDE, SIDE, 3], pixels)?);
        let outputs = models.run(ROLE, &inputs)?;
        let (lids, iris) = (outputs.get("lids")?.as_f32()?, outputs.get("iris")?.as_f32()?);
        if lids.len() < 3 * LIDS || iris.len() != 3 * IRIS {
            return Err(NodeError::model(format!(
                "iris: expected 48 or more numbers of lids and 15 of the iris, found {} and {}",
                lids.len(),
                iris.len()
            )));
        }
        let seen = lids.chunks_exact(3).take(LIDS).chain(iris.chunks_exact(3));
        points.extend(seen.map(|point| {
            let [x, y] = [point[0], point[1]].map(|x| f64::from(x) / SIDE as f64);
            region.to_picture([if mirrored { 1.0 - x } else { x }, y])
        }));
    }
    Ok(points)
}
