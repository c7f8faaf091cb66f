//! Reading poses, coefficients and rows of numbers from a node's inputs.

use crate::{
    body::Inputs,
    error::{NodeError, Result},
    pack::{CoefficientLayout, Pack},
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

/// A least expression that is nearer to what the face has at rest is not looked at.
const RESTING: f32 = 0.25;

/// Rows of coefficients that span what the face of `reference` does: `reference` itself, then each expression alone at its ends. Those are what
/// the pack says; else its most is 1, and those that the face has at rest are also looked at at nothing.
pub fn extremes(reference: &[f32], pack: &Pack) -> Result<Vec<Vec<f32>>> {
    let layout = pack.coefficients();
    let rest = layout.expression_of(reference)?;
    let ends: Vec<(usize, f32)> = match pack.expression_range() {
        Some(range) => {
            let most = range.iter().map(|pair| pair[1]).enumerate();
            let least = range.iter().map(|pair| pair[0]).enumerate();
            most.chain(least.filter(|&(number, least)| (least - rest[number]).abs() > RESTING)).collect()
        }
        None => {
            let shown = (0..rest.len()).filter(|number| rest[*number] > RESTING);
            (0..rest.len()).map(|number| (number, 1.0)).chain(shown.map(|number| (number, 0.0))).collect()
        }
    };
    let mut rows = vec![reference.to_vec()];
    for (number, value) in ends {
        let (mut expression, mut row) = (rest.to_vec(), reference.to_vec());
        expression[number] = value;
        layout.set_expression(&mut row, &expression)?;
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{tiny_models, tiny_models_in};

    #[test]
    fn extremes_are_those_that_the_pack_says() {
        if tiny_models().is_none() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let stating = |range: &str| {
            let without = |yaml: String| {
                let lines = yaml.lines().filter(|line| !line.starts_with("expression_range"));
                lines.collect::<Vec<_>>().join("\n") + "\n" + range
            };
            tiny_models_in(folder.path(), without, &[]).unwrap()
        };
        let plain = stating("");
        let layout = plain.pack().unwrap().coefficients();
        let mut reference = vec![0.0; layout.size];
        reference[layout.expression.0 + 2] = 0.4;
        let expressions = |models: &crate::models::Models| -> Vec<Vec<f32>> {
            let rows = extremes(&reference, models.pack().unwrap()).unwrap();
            rows.iter().map(|row| row[layout.expression_range()].to_vec()).collect()
        };
        let found = expressions(&plain);
        let size = layout.expressions();
        assert_eq!(found.len(), 1 + size + 1);
        assert_eq!((found[1][0], found[3][2], found[1 + size][2]), (1.0, 1.0, 0.0));
        let wide = stating("expression_range: [-3, 2.5]\n");
        let found = expressions(&wide);
        assert_eq!(found.len(), 1 + 2 * size);
        let (first, third) = (1 + size, 3 + size);
        assert_eq!((found[1][0], found[3][2], found[first][0], found[third][2]), (2.5, 2.5, -3.0, -3.0));
        assert_eq!((found[1][2], found[first][2]), (0.4, 0.4));
        let near = stating("expression_range: [0.3, 1]\n");
        assert_eq!(expressions(&near).len(), 2 * size, "0.4 is near 0.3");
    }
}
