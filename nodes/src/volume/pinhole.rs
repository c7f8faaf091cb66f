//! The pinhole camera behind rays.
//!
//! The role `camera` gives rays and says nothing else. Rays through one point, whose directions are a projective map of where they
//! cross the picture, are a pinhole's; the map is found from the four corners and checked at every ray.

use super::Camera;
use crate::error::{NodeError, Result};

/// A ray may cross the picture this far from the centre of its pixel, in pixels.
const TOLERANCE: f64 = 0.02;

type Vec3 = [f64; 3];

/// A camera that projects points of the volume to places in a picture of R x R pixels. Pixel centres lie at halves.
#[derive(Clone, Copy, Debug)]
pub struct Pinhole {
    /// Where all rays begin.
    origin: Vec3,
    /// Rows that take a point seen from the origin to (x·z, y·z, z): x to the right and y down in pixels, z along the camera's axis in
    /// units of the volume.
    rows: [Vec3; 3],
}

impl Pinhole {
    /// The pinhole of a camera; an error where its rays are no pinhole's.
    pub fn of(camera: &Camera) -> Result<Self> {
        let (origins, directions) = camera.rays();
        let [origins, directions] = [origins, directions]
            .map(|rows| rows.iter().map(|row| row.map(f64::from)).collect::<Vec<Vec3>>());
        let side = camera.side();
        if side < 2 {
            return Err(no_pinhole("a single ray"));
        }
        let origin = origins[0];
        let corners = [0, side - 1, side * (side - 1), side * side - 1].map(|ray| directions[ray]);
        let camera =
            Self::through(origin, corners, side).ok_or_else(|| no_pinhole("its corners lie in a plane"))?;
        for (ray, (from, direction)) in origins.iter().zip(&directions).enumerate() {
            // A unit along the ray from where it begins: another origin shows as well.
            let ([x, y], _) = camera.project([0, 1, 2].map(|axis| (from[axis] + direction[axis]) as f32));
            let off = (x - (ray % side) as f64 - 0.5).hypot(y - (ray / side) as f64 - 0.5);
            let apart = (0..3).map(|axis| (from[axis] - origin[axis]).abs()).fold(0.0, f64::max);
            if !(off <= TOLERANCE && apart <= 1e-4) {
                return Err(no_pinhole(format!(
                    "ray {ray} is {off:.2} pixels off, and its origin {apart:.4}"
                )));
            }
        }
        Ok(camera)
    }

    /// The camera at `origin` whose corner pixels look along `corners`: upper left, upper right, lower left, lower right.
    fn through(origin: Vec3, corners: [Vec3; 4], side: usize) -> Option<Self> {
        // The corners' pixels p obey p11 = p10 + p01 − p00, and so do their directions once each has the right length.
        let [a, b, c, d] = corners;
        let lengths = solve([b, c, a.map(|x| -x)], d)?;
        let [b, c, a] = [(b, lengths[0]), (c, lengths[1]), (a, lengths[2])].map(|(v, by)| v.map(|x| x * by));
        let span = (side - 1) as f64;
        let step = |to: Vec3| [0, 1, 2].map(|axis| (to[axis] - a[axis]) / span);
        let (right, down) = (step(b), step(c));
        let corner = [0, 1, 2].map(|axis| a[axis] - 0.5 * (right[axis] + down[axis]));
        // The picture's plane a unit before the origin.
        let normal = cross(right, down);
        let distance = dot(corner, normal) / dot(normal, normal).sqrt();
        let [right, down, corner] = [right, down, corner].map(|v| v.map(|x| x / distance));
        let unit = |at: usize| std::array::from_fn(|axis| f64::from(u8::from(axis == at)));
        let columns = [
            solve([right, down, corner], unit(0))?,
            solve([right, down, corner], unit(1))?,
            solve([right, down, corner], unit(2))?,
        ];
        Some(Self { origin, rows: [0, 1, 2].map(|row| columns.map(|column| column[row])) })
    }

    /// Where `point` is seen, in pixels, and how far it is along the camera's axis.
    pub fn project(&self, point: [f32; 3]) -> ([f64; 2], f64) {
        let seen = [0, 1, 2].map(|axis| f64::from(point[axis]) - self.origin[axis]);
        let [x, y, z] = self.rows.map(|row| dot(row, seen));
        ([x / z, y / z], z)
    }
}

fn no_pinhole(why: impl std::fmt::Display) -> NodeError {
    NodeError::model(format!("role `camera`: its rays are not those of a pinhole: {why}"))
}

fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The factors of `columns` whose sum is `to`; `None` where they lie in a plane.
fn solve(columns: [Vec3; 3], to: Vec3) -> Option<Vec3> {
    let [a, b, c] = columns;
    let volume = dot(a, cross(b, c));
    let size: f64 = columns.iter().map(|column| dot(*column, *column).sqrt()).product();
    (volume.abs() > 1e-12 * size)
        .then(|| [dot(to, cross(b, c)), dot(a, cross(to, c)), dot(a, cross(b, to))].map(|x| x / volume))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tiny_models;

    /// Rays of a camera at (0.2, 0.1, 3) that is turned by `yaw`, of unit length or along the axis; pixel `bent` looks elsewhere.
    fn rays(side: usize, yaw: f64, unit: bool, bent: Option<usize>) -> Camera {
        let (sin, cos) = yaw.sin_cos();
        let mut directions = vec![];
        for pixel in 0..side * side {
            let at = |place: usize| ((place as f64 + 0.5) / side as f64 - 0.5) * 0.4;
            let off = if bent == Some(pixel) { 0.01 } else { 0.0 };
            let [x, y, z] = [at(pixel % side) + off, -at(pixel / side), -1.0];
            let length = if unit { (x * x + y * y + z * z).sqrt() } else { 1.0 };
            directions.push([cos * x + sin * z, y, cos * z - sin * x].map(|x| (x / length) as f32));
        }
        Camera::new(vec![[0.2, 0.1, 3.0]; side * side], directions).unwrap()
    }

    #[test]
    fn points_are_seen_by_the_rays_that_meet_them() {
        for unit in [false, true] {
            let rays = rays(16, 0.3, unit, None);
            let camera = Pinhole::of(&rays).unwrap();
            let (_, directions) = rays.rays();
            let axis = [-f64::sin(0.3), 0.0, -f64::cos(0.3)];
            for (pixel, direction) in directions.iter().enumerate() {
                let along = [0, 1, 2].map(|axis| [0.2, 0.1, 3.0][axis] + 2.5 * direction[axis]);
                let ([x, y], depth) = camera.project(along);
                let expected = [(pixel % 16) as f64 + 0.5, (pixel / 16) as f64 + 0.5];
                assert!(
                    (x - expected[0]).abs() < 1e-3 && (y - expected[1]).abs() < 1e-3,
                    "{x} {y} {expected:?}"
                );
                let expected = 2.5 * dot(direction.map(f64::from), axis);
                assert!((depth - expected).abs() < 1e-5, "{depth}, expected {expected}");
            }
        }
    }

    #[test]
    fn the_tiny_pack_has_a_pinhole_and_other_rays_are_refused() {
        let Some(models) = tiny_models() else { return };
        let pose = [0.1, -0.2, 0.05, 0.02, 0.01, 0.1];
        Pinhole::of(&Camera::at(&models, pose).unwrap()).unwrap();
        let error = Pinhole::of(&rays(16, 0.3, false, Some(37))).unwrap_err().to_string();
        assert!(error.contains("role `camera`") && error.contains("ray 37 is 0.40 pixels off"), "{error}");
        let flat = Camera::new(vec![[0.0; 3]; 4], vec![[0.0, 0.0, -1.0]; 4]).unwrap();
        let error = Pinhole::of(&flat).unwrap_err().to_string();
        assert!(error.contains("corners lie in a plane"), "{error}");
    }
}
