//! The vertex that each sample of a ray goes with.
//!
//! NeRFFaceSpeech (Kim et al. 2024) moves a sample by the motion of the one vertex of the resting face that is nearest to it, seen from before: the
//! first coordinate, along which the resting head is looked at, is left out, of distances as of motions.

use kiddo::{ImmutableKdTree, SquaredEuclidean};
use rayon::prelude::*;

use super::vector::Vec3;
use crate::error::{NodeError, Result};

/// Samples that one task looks up.
const TASK: usize = 512;

/// Vertices at rest, and points that never move.
pub struct Nearest {
    reference: Vec<Vec3>,
    /// The last two coordinates of the vertices, then those of the points.
    tree: ImmutableKdTree<f32, 2>,
}

impl Nearest {
    /// Of the vertices at `reference` and of points that are `still`, by their last two coordinates.
    ///
    /// # Errors
    /// Without vertices, and where one is not finite.
    pub fn new(reference: Vec<Vec3>, still: &[[f32; 2]]) -> Result<Self> {
        let places = reference.iter().map(|[_, y, z]| [*y, *z]).chain(still.iter().copied());
        let places: Vec<[f32; 2]> = places.collect();
        if reference.is_empty() {
            return Err(NodeError::model("role `morphable_model`: no vertices, expected at least one"));
        }
        if places.iter().flatten().any(|x| !x.is_finite()) {
            return Err(NodeError::model("role `morphable_model`: a vertex at rest is not finite"));
        }
        Ok(Self { tree: ImmutableKdTree::new_from_slice(&places), reference })
    }

    /// The number of the nearest for each of `points`; those after the vertices are still.
    pub fn of(&self, points: &[Vec3]) -> Vec<u32> {
        let nearest = |[_, y, z]: &Vec3| self.tree.nearest_one::<SquaredEuclidean>(&[*y, *z]).item as u32;
        points.par_iter().with_min_len(TASK).map(nearest).collect()
    }

    /// Where samples come from whose `nearest` vertices have moved to `current`: by how much each is moved, x, y and z one after the other.
    ///
    /// # Errors
    /// Where there are not as many vertices as at rest.
    pub fn offsets(&self, nearest: &[u32], current: &[Vec3]) -> Result<Vec<f32>> {
        if current.len() != self.reference.len() {
            return Err(NodeError::model(format!(
                "role `morphable_model`: {} vertices in a frame, {} at rest",
                current.len(),
                self.reference.len()
            )));
        }
        let offset = |vertex: &u32| {
            let vertex = *vertex as usize;
            match (self.reference.get(vertex), current.get(vertex)) {
                (Some(rest), Some(now)) => [0.0, rest[1] - now[1], rest[2] - now[2]],
                _ => [0.0; 3],
            }
        };
        Ok(nearest.iter().flat_map(offset).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in [-0.1, 0.1] that look random.
    fn number(i: usize) -> f32 {
        (i * 7919 % 10_007) as f32 / 50_035.0 - 0.1
    }

    #[test]
    fn the_nearest_is_found_without_the_first_coordinate() {
        let vertices: Vec<Vec3> =
            (0..300).map(|i| [number(i + 5000), number(3 * i), number(3 * i + 1)]).collect();
        // A lattice as pixels make one: many share a coordinate.
        let still: Vec<[f32; 2]> =
            (0..400).map(|i| [(i % 100) as f32 * 2e-3 - 0.1, (i / 100) as f32 * 1e-2 - 0.1]).collect();
        let points: Vec<Vec3> =
            (0..2000).map(|i| [number(i), number(7 * i + 2), number(11 * i + 3)]).collect();
        let face = Nearest::new(vertices.clone(), &still).unwrap();
        let found = face.of(&points);
        let places: Vec<[f32; 2]> =
            vertices.iter().map(|[_, y, z]| [*y, *z]).chain(still.iter().copied()).collect();
        let mut resting = 0;
        for (point, &nearest) in points.iter().zip(&found) {
            let square = |place: &[f32; 2]| (place[0] - point[1]).powi(2) + (place[1] - point[2]).powi(2);
            let least = places.iter().map(square).fold(f32::INFINITY, f32::min);
            assert!(square(&places[nearest as usize]) <= least);
            resting += usize::from(nearest as usize >= vertices.len());
        }
        assert!(resting > 100 && resting < 1900, "{resting}");
        // All vertices go one way; what is still stays.
        let moved: Vec<Vec3> = vertices.iter().map(|[x, y, z]| [x + 1.0, y - 0.01, z + 0.02]).collect();
        let offsets = face.offsets(&found, &moved).unwrap();
        for (offset, &nearest) in offsets.as_chunks::<3>().0.iter().zip(&found) {
            let expected = if (nearest as usize) < vertices.len() { [0.0, 0.01, -0.02] } else { [0.0; 3] };
            assert!((0..3).all(|axis| (offset[axis] - expected[axis]).abs() < 1e-6), "{offset:?}");
        }
        assert!(
            face.offsets(&found, &moved[1..]).unwrap_err().to_string().contains("299 vertices in a frame")
        );
    }

    #[test]
    fn vertices_must_be_there_and_finite() {
        assert!(Nearest::new(vec![], &[[0.0; 2]]).is_err());
        assert!(Nearest::new(vec![[0.0, f32::NAN, 0.0]], &[]).is_err());
    }
}
