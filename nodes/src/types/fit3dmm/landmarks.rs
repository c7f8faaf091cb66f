//! Found landmarks, and those that the morphable model projects.

use crate::{
    error::{NodeError, Result},
    models::Models,
    pack::{MESH, Pack},
    tensor::{Tensor, Tensors},
    warp::Square,
};

/// Each frame's landmarks, M points of x and y one after the other. Of a whole face mesh those are chosen that are the pack's.
pub(super) fn rows(tensors: &Tensors, pack: &Pack) -> Result<Vec<Vec<f32>>> {
    let tensor = tensors.get("landmarks").map_err(|error| error.at_port("landmarks"))?;
    let &[_, count, 2] = tensor.shape() else {
        return Err(NodeError::input(format!(
            "port `landmarks`: expected shape [n,M,2], found {:?}",
            tensor.shape()
        )));
    };
    let rows = tensor.as_f32()?.chunks_exact((2 * count).max(1));
    Ok(match pack.landmarks().filter(|_| count == MESH) {
        Some(chosen) => rows
            .map(|row| chosen.iter().flat_map(|point| &row[2 * point..][..2]).copied().collect())
            .collect(),
        None => rows.map(<[f32]>::to_vec).collect(),
    })
}

/// Brings `landmarks` in [0,1] of a square of a picture of this width and height into [0,1] of the picture.
pub(super) fn uncrop(landmarks: &mut [f32], square: Square, (width, height): (u32, u32)) {
    for point in landmarks.as_chunks_mut::<2>().0 {
        let [x, y] = square.to_picture(point.map(f64::from));
        *point = [(x / f64::from(width)) as f32, (y / f64::from(height)) as f32];
    }
}

/// Mean distance in pixels of a finished frame between `landmarks` and those that the model projects.
pub(super) fn error(models: &Models, coefficients: &Tensor, landmarks: &[f32]) -> Result<f64> {
    let outputs =
        models.run("morphable_model", &Tensors::new().with("coefficients", coefficients.clone()))?;
    let projected = outputs.get("landmarks")?.as_f32()?;
    if projected.len() != landmarks.len() || landmarks.is_empty() {
        return Err(NodeError::input(format!(
            "port `landmarks`: {} landmarks, expected {} as the pack's morphable model has",
            landmarks.len() / 2,
            projected.len() / 2
        )));
    }
    let side = models.pack()?.resolution() as f64;
    let distance = |(a, b): (&[f32], &[f32])| f64::from(a[0] - b[0]).hypot(f64::from(a[1] - b[1]));
    let sum: f64 = projected.chunks_exact(2).zip(landmarks.chunks_exact(2)).map(distance).sum();
    Ok(sum / (landmarks.len() / 2) as f64 * side)
}
