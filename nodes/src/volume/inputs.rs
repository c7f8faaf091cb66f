//! Reading poses, coefficients and rows of numbers from a node's inputs.

use crate::{
    body::Inputs,
    error::{NodeError, Result},
    pack::CoefficientLayout,
    tensor::Tensors,
};

/// Rows of the f32 [n,…] tensor `name` of `tensors`, each of `width` elements.
pub fn rows<'a>(tensors: &'a Tensors, name: &str, width: usize) -> Result<std::slice::ChunksExact<'a, f32>> {
    let tensor = tensors.get(name)?;
    let shape = tensor.shape();
    let found: usize = shape.iter().skip(1).product();
    if shape.len() < 2 || found != width || width == 0 {
        return Err(NodeError::input(format!(
            "`{name}`: expected {width} numbers a frame, found shape {shape:?}"
        ))
        .hint(
            "coefficients, expressions and poses belong to one pack: do not mix those of different packs",
        ));
    }
    Ok(tensor.as_f32()?.chunks_exact(width))
}

/// The one row of reference coefficients at the port `reference`, K numbers.
pub fn reference<'a>(inputs: &'a Inputs, layout: &CoefficientLayout) -> Result<&'a [f32]> {
    let mut rows = rows(inputs.tensors("reference")?, "coefficients", layout.size)
        .map_err(|error| error.at_port("reference"))?;
    match (rows.next(), rows.len()) {
        (Some(row), 0) => Ok(row),
        (_, more) => Err(NodeError::input(format!(
            "port `reference`: expected one row of coefficients, found {}",
            more + 1
        ))),
    }
}

/// The pose of each of `frames` frames: from the chunk at `pose`, else from the value at `camera`, else from the reference
/// coefficients.
pub fn poses(
    inputs: &Inputs,
    layout: &CoefficientLayout,
    reference: &[f32],
    frames: usize,
) -> Result<Vec<[f32; 6]>> {
    let read = |port: &str| -> Result<Vec<[f32; 6]>> {
        let rows = rows(inputs.tensors(port)?, "pose", 6).map_err(|error| error.at_port(port))?;
        Ok(rows.filter_map(|row| row.try_into().ok()).collect())
    };
    let (port, poses, expected) = if inputs.has("pose") {
        ("pose", read("pose")?, frames)
    } else if inputs.has("camera") {
        ("camera", read("camera")?, 1)
    } else {
        ("reference", vec![layout.pose_of(reference)?], 1)
    };
    if poses.len() != expected {
        return Err(NodeError::input(format!(
            "port `{port}`: expected {expected} poses, found {}",
            poses.len()
        )));
    }
    Ok(if port == "pose" { poses } else { vec![poses[0]; frames] })
}

/// An expression that rests above this is also looked at without it.
const RESTING: f32 = 0.25;

/// Rows of coefficients that span what the face of `reference` does: `reference` itself, then each expression alone at its most, and those
/// that the face has at rest also at nothing.
pub fn extremes(reference: &[f32], layout: &CoefficientLayout) -> Result<Vec<Vec<f32>>> {
    let rest = layout.expression_of(reference)?;
    let shown = (0..rest.len()).filter(|number| rest[*number] > RESTING);
    let ends = (0..rest.len()).map(|number| (number, 1.0)).chain(shown.map(|number| (number, 0.0)));
    let mut rows = vec![reference.to_vec()];
    for (number, value) in ends {
        let (mut expression, mut row) = (rest.to_vec(), reference.to_vec());
        expression[number] = value;
        layout.set_expression(&mut row, &expression)?;
        rows.push(row);
    }
    Ok(rows)
}
