//! Where the mouth is: 1 inside, 0 outside.

use crate::{
    error::{NodeError, Result},
    geometry::{polygon, resample},
    models::Models,
    tensor::{Tensor, Tensors},
};

/// The mouth classes of the parsed `image` f32 [1,3,P,P] in [-1,1], as f32 [1,1,Q,Q].
pub(super) fn parsed(models: &Models, image: Tensor) -> Result<Tensor> {
    let pack = models.pack()?;
    let parsing = pack.parsing().ok_or_else(|| {
        NodeError::model(format!("pack {} has no `parsing`", pack.name())).hint("use `mask: contour`")
    })?;
    let side = parsing.size;
    let &[1, 3, height, width] = image.shape() else {
        return Err(NodeError::model(format!(
            "role `upsample`: expected a picture [1,3,P,P], found {:?}",
            image.shape()
        )));
    };
    let mut planes = vec![];
    for (channel, plane) in image.as_f32()?.chunks_exact(height * width).enumerate() {
        let (mean, std) = (parsing.mean[channel], parsing.std[channel]);
        let plane = resample::resize(plane, (width, height), (side, side))?;
        planes.extend(plane.into_iter().map(|x| (x.clamp(-1.0, 1.0) * 0.5 + 0.5 - mean) / std));
    }
    let outputs =
        models.run("parse", &Tensors::new().with("image", Tensor::f32([1, 3, side, side], planes)?))?;
    let logits = outputs.get("logits")?;
    let &[1, classes, rows, columns] = logits.shape() else {
        return Err(NodeError::model(format!(
            "role `parse`: expected logits [1,16,Q,Q], found {:?}",
            logits.shape()
        )));
    };
    let logits = logits.as_f32()?;
    let pixels = rows * columns;
    let mouth = (0..pixels).map(|pixel| {
        let best =
            (0..classes).max_by(|a, b| logits[a * pixels + pixel].total_cmp(&logits[b * pixels + pixel]));
        f32::from(best.is_some_and(|class| parsing.mouth.iter().any(|&mouth| usize::from(mouth) == class)))
    });
    Tensor::f32([1, 1, rows, columns], mouth.collect())
}

/// The lip contour that the morphable model projects for one row of `coefficients`, grown by `grow` pixels, as f32 [1,1,P,P].
pub(super) fn contour(models: &Models, coefficients: Vec<f32>, grow: f32) -> Result<Tensor> {
    let side = models.pack()?.resolution();
    let offered = Tensors::new().with("coefficients", Tensor::f32([1, coefficients.len()], coefficients)?);
    let outputs = models.run("morphable_model", &offered)?;
    let outline = outputs.get("contour")?.as_f32()?.as_chunks::<2>().0;
    let pixels: Vec<[f32; 2]> = outline.iter().map(|point| point.map(|x| x * side as f32)).collect();
    Tensor::f32([1, 1, side, side], polygon::fill(&pixels, side, side, grow))
}
