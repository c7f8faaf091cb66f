//! How a frame's face bends rays: by a field, or sample by sample.

use crate::{
    error::{NodeError, Result},
    geometry::{
        deformation::{Deformation, Sight},
        displacement::Reach,
        nearest::Nearest,
        solid::Solid,
        vector::Vec3,
    },
    models::Models,
    pack::Parsing,
    runtime::Values,
    tensor::{Tensor, Tensors},
    volume::{self, Rays},
};

/// A person's face in motion.
pub(super) enum Motion {
    /// A field, tabulated for each frame.
    Field(Deformation),
    /// The vertex of each sample.
    Samples {
        face: Nearest,
        /// Those of the samples of all rays, where they are the same in every frame.
        nearest: Option<Vec<u32>>,
    },
}

impl Motion {
    /// A field about the anchors of `reference` coefficients, right where `points` are, if anything there is `solid`.
    pub(super) fn field(
        models: &Models,
        reference: &[f32],
        (reach, step): (Reach, f32),
        points: Option<&[Vec3]>,
        solid: Option<Solid>,
    ) -> Result<Self> {
        let mut faces = anchors(models, volume::extremes(reference, models.pack()?)?)?;
        let rest = faces.remove(0);
        let sight = points.map(|points| Sight { points, solid });
        Ok(Self::Field(Deformation::new(&rest, &faces, reach, step, sight)?))
    }

    /// The vertices of `reference` coefficients and points that are `still`. With `rays`, the vertices of their samples are those of every frame.
    pub(super) fn samples(
        models: &Models,
        reference: &[f32],
        still: &[[f32; 2]],
        rays: Option<&Rays>,
    ) -> Result<Self> {
        let face = Nearest::new(anchors(models, vec![reference.to_vec()])?.remove(0), still)?;
        let nearest = rays.map(Rays::points).transpose()?.map(|points| face.of(&points));
        Ok(Self::Samples { face, nearest })
    }

    /// What `render` takes along `rays` for a frame whose anchors are at `current`.
    pub(super) fn bend(&self, models: &Models, rays: &Rays, current: &[Vec3]) -> Result<Values> {
        match self {
            Self::Field(face) => models.values(&volume::bend(&face.bend(current)?)?),
            Self::Samples { face, nearest: Some(nearest) } => {
                volume::offsets(models, rays, face.offsets(nearest, current)?)
            }
            Self::Samples { face, nearest: None } => {
                volume::offsets(models, rays, face.offsets(&face.of(&rays.points()?), current)?)
            }
        }
    }
}

/// Places of every fourth pixel that belongs to the torso, row by row, in the last two coordinates of the volume. The label map `classes` u8 [1,Q,Q] is
/// of the resting head, seen from before; half of its side is `extent` units of the volume.
pub(super) fn torso(labels: &Tensors, parsing: &Parsing, extent: f32) -> Result<Vec<[f32; 2]>> {
    /// One pixel in so many counts.
    const EVERY: usize = 4;
    let classes = labels.get("classes").map_err(|error| error.at_port("parsing"))?;
    let &[1, rows, columns] = classes.shape() else {
        return Err(NodeError::input(format!(
            "port `parsing`: expected classes [1,Q,Q] of one picture, found {:?}",
            classes.shape()
        )));
    };
    let of = |at: usize, size: usize| (at as f32 / size as f32 * 2.0 - 1.0) * extent;
    let classes = classes.as_u8().map_err(|error| error.at_port("parsing"))?;
    let torso = (0..rows * columns).filter(|&pixel| parsing.torso.contains(&classes[pixel]));
    Ok(torso.step_by(EVERY).map(|pixel| [of(pixel % columns, columns), -of(pixel / columns, rows)]).collect())
}

/// Deformation anchors of rows of coefficients.
pub(super) fn anchors(models: &Models, rows: Vec<Vec<f32>>) -> Result<Vec<Vec<Vec3>>> {
    let (frames, size) = (rows.len(), rows.first().map_or(0, Vec::len));
    let coefficients = Tensor::f32([frames, size], rows.concat())?;
    let outputs = models.run("morphable_model", &Tensors::new().with("coefficients", coefficients))?;
    let vertices = outputs.get("vertices")?;
    let &[found, count, 3] = vertices.shape() else {
        return Err(NodeError::model(format!(
            "role `morphable_model`: expected vertices [n,V,3], found {:?}",
            vertices.shape()
        )));
    };
    if found != frames || count == 0 {
        return Err(NodeError::model(format!(
            "role `morphable_model`: {found} frames of {count} vertices for {frames}"
        )));
    }
    let frame = |flat: &[f32]| flat.as_chunks::<3>().0.to_vec();
    Ok(vertices.as_f32()?.chunks_exact(3 * count).map(frame).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fourth_pixel_of_the_torso_stands_still() {
        let parsing = Parsing { mouth: vec![7], torso: vec![10, 14], size: 4, mean: [0.0; 3], std: [1.0; 3] };
        let mut classes = vec![1; 16];
        classes[5..15].copy_from_slice(&[10, 14, 10, 3, 10, 10, 10, 14, 14, 3]);
        let labels =
            |shape: [usize; 3]| Tensors::new().with("classes", Tensor::u8(shape, classes.clone()).unwrap());
        // Pixels 5, 6, 7, 9, 10, 11, 12, 13 are the torso's: 5 and 10 are taken.
        let found = torso(&labels([1, 4, 4]), &parsing, 0.1).unwrap();
        assert_eq!(found, [[-0.05, 0.05], [0.0, -0.0]]);
        let error = torso(&labels([2, 2, 4]), &parsing, 0.1).unwrap_err().to_string();
        assert_eq!(error, "port `parsing`: expected classes [1,Q,Q] of one picture, found [2, 2, 4]");
    }
}
