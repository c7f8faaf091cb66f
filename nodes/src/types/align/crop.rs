//! What `align` says of the square that it cut, and how others read it.

use image::RgbImage;
use serde_json::{Value as Json, json};

use super::{detect::Face, mesh::Mesh};
use crate::{
    error::{NodeError, Result},
    warp::Square,
};

/// The square `crop` of `photo` as JSON; `side`: that of the picture cut out.
pub(super) fn describe(photo: &RgbImage, crop: Square, side: usize, faces: &[(Face, Mesh)]) -> Json {
    // The affine map from crop pixels to photo pixels, by where it takes the origin and the unit vectors.
    let unit = 1.0 / side as f64;
    let (origin, x, y) =
        (crop.to_picture([0.0, 0.0]), crop.to_picture([unit, 0.0]), crop.to_picture([0.0, unit]));
    let row = |k: usize| [x[k] - origin[k], y[k] - origin[k], origin[k]];
    let faces: Vec<_> = faces
        .iter()
        .map(|(face, mesh)| json!({ "box": face.bounds, "score": face.score, "mesh_score": mesh.score }))
        .collect();
    json!({
        "photo": [photo.width(), photo.height()],
        "side": side,
        "matrix": [row(0), row(1)],
        "angle": crop.angle,
        "box": faces[0]["box"],
        "score": faces[0]["score"],
        "faces": faces,
    })
}

/// The square in the photo that `crop` describes.
///
/// # Errors
/// JSON that [`describe`] did not write.
pub(crate) fn square(crop: &Json) -> Result<Square> {
    let wrong =
        || NodeError::input("port `crop`: expected `side`, `matrix` and `angle` as `align` gives them");
    let number = |value: &Json| value.as_f64().filter(|x| x.is_finite()).ok_or_else(wrong);
    let side = number(&crop["side"])?;
    let row = |k: usize| -> Result<[f64; 3]> {
        let row = &crop["matrix"][k];
        Ok([number(&row[0])?, number(&row[1])?, number(&row[2])?])
    };
    let [x, y] = [row(0)?, row(1)?];
    let middle = |row: [f64; 3]| (row[0] + row[1]) * side / 2.0 + row[2];
    let half = x[0].hypot(y[0]) * side / 2.0;
    if half <= 0.0 || side <= 0.0 {
        return Err(wrong());
    }
    Ok(Square { centre: [middle(x), middle(y)], half, angle: number(&crop["angle"])? })
}
