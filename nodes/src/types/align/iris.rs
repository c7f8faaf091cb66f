//! Irises, looked at closer still (Ablavatski et al. 2020, arXiv:2006.11341). The mesh with attention sees them too, but draws them to the middle of
//! the eye: of a glance aside it tells a third.

use image::RgbImage;

use super::parts::IRIS;
use crate::{
    error::{NodeError, Result},
    models::Models,
    tensor::{Tensor, Tensors},
    warp::{Border, Square, cut},
};

/// The role; packs without it have the irises of `face_parts`.
pub(super) const ROLE: &str = "iris";
/// Side of the network's input.
const SIDE: usize = 64;
/// What is looked at, in distances of the eye's corners.
const AROUND: f64 = 2.3;

/// Centre and edge of the iris of the eye with these corners, in the picture's order. `turned`: the person's left eye, which the network
/// sees as its mirror image.
pub(super) fn find(
    models: &Models,
    picture: &RgbImage,
    [a, b]: [[f64; 2]; 2],
    turned: bool,
) -> Result<[[f64; 2]; IRIS]> {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    // Of an eye that is seen from its side little is left, and nothing can be said.
    let half = (dx.hypot(dy) * AROUND / 2.0).max(1.0);
    let square = Square { centre: [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0], half, angle: dy.atan2(dx) };
    let mut pixels: Vec<f32> =
        cut(picture, square, SIDE, Border::Black).iter().map(|value| value / 255.0).collect();
    if turned {
        for row in pixels.as_chunks_mut::<3>().0.chunks_exact_mut(SIDE) {
            row.reverse();
        }
    }
    let outputs =
        models.run(ROLE, &Tensors::new().with("image", Tensor::f32([1, SIDE, SIDE, 3], pixels)?))?;
    let found = outputs.get("iris")?.as_f32()?;
    let (points, []) = found.as_chunks::<3>() else { return Err(unexpected(found)) };
    let points: [[f32; 3]; IRIS] = points.try_into().map_err(|_| unexpected(found))?;
    Ok(points.map(|[x, y, _]| {
        let (x, y) = (f64::from(x) / SIDE as f64, f64::from(y) / SIDE as f64);
        square.to_picture([if turned { 1.0 - x } else { x }, y])
    }))
}

fn unexpected(found: &[f32]) -> NodeError {
    NodeError::model(format!(
        "role `{ROLE}`: output `iris`: expected {} numbers, found {}",
        3 * IRIS,
        found.len()
    ))
}
