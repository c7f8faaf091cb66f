//! Where the mouth is: 1 inside, 0 outside.

use crate::{
    error::{NodeError, Result},
    geometry::{polygon, resample},
    models::Models,
    runtime::Dim,
    tensor::{Tensor, Tensors},
    volume::{self, Window},
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

/// Where a frame's mouth is, and where it may be in frames around it.
pub(super) struct Mouth {
    /// f32 [1,1,P,P].
    pub(super) mask: Tensor,
    /// What a mask may show once it is grown, shrunk to R x R and averaged over neighbouring frames.
    pub(super) window: Window,
}

/// Part of a picture's side that a head may move while masks are averaged.
const MOTION: f32 = 0.04;

/// The lip contours that the morphable model projects for the frames' expressions and poses, grown by `grow` pixels.
pub(super) fn contours(
    models: &Models,
    reference: &[f32],
    expression: &Tensors,
    poses: &[[f32; 6]],
    grow: f32,
) -> Result<Vec<Mouth>> {
    let pack = models.pack()?;
    let (side, layout) = (pack.resolution(), pack.coefficients());
    let extremes = volume::extremes(reference, layout)?;
    let mut rows = vec![];
    for (pose, expression) in poses.iter().zip(volume::rows(expression, "expression", layout.expressions())?)
    {
        let mut row = reference.to_vec();
        layout.set_expression(&mut row, expression)?;
        for mut row in std::iter::once(row).chain(extremes.iter().cloned()) {
            layout.set_pose(&mut row, pose)?;
            rows.push(row);
        }
    }
    let count = rows.len();
    let coefficients = Tensor::f32([count, reference.len()], rows.concat())?;
    let outputs = models.run("morphable_model", &Tensors::new().with("coefficients", coefficients))?;
    let outlines = outputs.get("contour")?;
    let &[found, points, 2] = outlines.shape() else {
        return Err(NodeError::model(format!(
            "role `morphable_model`: expected contour [n,J,2], found {:?}",
            outlines.shape()
        )));
    };
    if found != count || points == 0 {
        return Err(NodeError::model(format!(
            "role `morphable_model`: {found} contours of {points} points for {count}"
        )));
    }
    let rays = rays(models)?;
    let margin = grow.max(0.0) / side as f32 + MOTION;
    outlines
        .as_f32()?
        .as_chunks::<2>()
        .0
        .chunks_exact(points * (extremes.len() + 1))
        .map(|outlines| {
            let pixels: Vec<[f32; 2]> =
                outlines[..points].iter().map(|point| point.map(|x| x * side as f32)).collect();
            let mask = Tensor::f32([1, 1, side, side], polygon::fill(&pixels, side, side, grow))?;
            Ok(Mouth { mask, window: window(outlines, margin, rays) })
        })
        .collect()
}

/// R, from the camera's N = R·R rays.
fn rays(models: &Models) -> Result<usize> {
    let session = models.session("camera")?;
    match session.signature().output("origins").and_then(|port| port.dims.as_deref()) {
        Some([_, Dim::Fixed(rays), _]) => Ok(rays.isqrt()),
        _ => Err(NodeError::model("role `camera`: expected an output `origins` [n,N,3] with a fixed N")),
    }
}

/// The rays of `side` x `side` within `margin` of `points`, which are parts of the picture's side, and two more for resampling.
fn window(points: &[[f32; 2]], margin: f32, side: usize) -> Window {
    let range = |axis: usize| {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for point in points {
            low = low.min(point[axis]);
            high = high.max(point[axis]);
        }
        // A cast cuts to zero and, from what is no number, gives zero.
        let first = ((low - margin) * side as f32).floor() as usize;
        let end = ((high + margin) * side as f32).ceil() as usize + 2;
        let first = first.saturating_sub(2).min(side - 1);
        (first, end.clamp(first + 1, side))
    };
    Window { columns: range(0), rows: range(1) }
}
