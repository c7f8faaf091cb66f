//! A seen face in the frame of its own head.

use nalgebra::{Matrix3, Vector3};

/// Points of the face mesh that no expression moves much: forehead, temples, bridge and tip of the nose, corners of the eyes.
const STABLE: [usize; 28] = [
    10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 33, 133, 263, 362, 127, 356, 234, 454, 109, 338, 67, 297, 54, 284,
    21, 251, 162, 389,
];
/// Corners of the person's right eye and of the left one, in the order of the picture.
const CORNERS: [[usize; 2]; 2] = [[33, 133], [362, 263]];
/// Points of one eye.
pub(super) const EYE: usize = 21;
/// Middles of the inner lips: upper and lower.
const LIPS: [usize; 2] = [13, 14];
/// Points that go down with the jaw: the lower lip without its corners, and the chin.
pub(super) const LOWER: [usize; 51] = [
    146, 91, 181, 84, 17, 314, 405, 321, 375, 77, 90, 180, 85, 16, 315, 404, 320, 307, 96, 89, 179, 86, 15,
    316, 403, 319, 325, 95, 88, 178, 87, 14, 317, 402, 318, 324, 152, 148, 377, 176, 400, 175, 199, 200, 18,
    83, 313, 171, 396, 208, 428,
];
/// The face mesh keeps shut lips this far apart, in distances of the eyes; lips that are farther apart than `OPEN` are open.
const SHUT: f64 = 0.02;
const OPEN: f64 = 0.05;
/// Middles of the upper and the lower lid of both eyes: an iris lies as far before the head as they do.
const BEFORE: [[usize; 2]; 2] = [[159, 145], [386, 374]];
/// Points of the iris.
const IRIS: usize = 5;
/// Points of the lids along the eye, lower and upper, without the corners.
const LIDS: [std::ops::Range<usize>; 2] = [1..8, 9..16];

/// A point: x to the right, y up, z to the viewer.
pub(super) type Point = Vector3<f64>;

/// A face without its pose.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Face {
    /// Landmarks brought onto the mean face.
    pub(super) points: Vec<Point>,
    /// Lids and irises, in frames of their eyes.
    pub(super) eyes: Vec<[f64; 2]>,
    /// Middles of the irises on the mean face, up from the corners of their eyes; none where no eyes were looked at. The corners keep still when
    /// a mouth opens, as the similarity does not.
    pub(super) irises: Vec<[f64; 2]>,
}

/// How a head is held, as the landmarks alone say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Held {
    /// Pitch, yaw, roll in radians: R = Ry·Rx·Rz.
    pub(super) rotation: [f64; 3],
    /// Middle of the stable points: right and up, in half sides of the crop from its middle.
    pub(super) place: [f64; 2],
    /// Size in sides of the crop, as a multiple of the mean face.
    pub(super) size: f64,
}

/// Landmarks of a frame: x and y in [0,1] of the crop, and how much nearer than the middle they are.
pub(super) fn cloud(landmarks: &[f32], near: &[f32]) -> Vec<Point> {
    let points = landmarks.chunks_exact(2).zip(near);
    points
        .map(|(at, &near)| Vector3::new(f64::from(at[0]) - 0.5, 0.5 - f64::from(at[1]), f64::from(near)))
        .collect()
}

/// Takes the pose out of `seen`: the similarity that brings its stable points onto those of `mean` (Umeyama 1991), and the eyes in
/// frames of their own.
pub(super) fn unpose(seen: &[Point], eyes: &[f32], mean: &[Point]) -> (Face, Held) {
    let middle = |points: &[Point]| STABLE.iter().map(|&k| points[k]).sum::<Point>() / STABLE.len() as f64;
    let (from, to) = (middle(seen), middle(mean));
    let mut covariance = Matrix3::zeros();
    let mut spread = 0.0;
    for k in STABLE {
        let (a, b) = (seen[k] - from, mean[k] - to);
        covariance += b * a.transpose();
        spread += a.norm_squared();
    }
    let svd = covariance.svd(true, true);
    let (u, v) = (svd.u.unwrap_or_else(Matrix3::identity), svd.v_t.unwrap_or_else(Matrix3::identity));
    let mirrored = (u * v).determinant() < 0.0;
    let sign = Vector3::new(1.0, 1.0, if mirrored { -1.0 } else { 1.0 });
    let turn = u * Matrix3::from_diagonal(&sign) * v;
    let scale = svd.singular_values.dot(&sign) / spread.max(f64::MIN_POSITIVE);
    let onto = |point: Point| turn * (point - from) * scale + to;
    let points: Vec<Point> = seen.iter().map(|&point| onto(point)).collect();
    let irises = eyes.chunks_exact(2 * EYE).zip(BEFORE.iter().zip(CORNERS)).map(|(eye, (lids, corners))| {
        let iris = eye[2 * (EYE - IRIS)..].as_chunks::<2>().0;
        let mean = |axis: usize| iris.iter().map(|point| f64::from(point[axis])).sum::<f64>() / IRIS as f64;
        let near = lids.iter().map(|&lid| seen[lid].z).sum::<f64>() / 2.0;
        let at = onto(Vector3::new(mean(0) - 0.5, 0.5 - mean(1), near));
        [at.x, at.y - corners.iter().map(|&corner| points[corner].y).sum::<f64>() / 2.0]
    });
    let irises = irises.collect();
    let held = Held {
        rotation: angles(&turn.transpose()),
        place: [2.0 * from.x, 2.0 * from.y],
        size: 1.0 / scale.max(f64::MIN_POSITIVE),
    };
    (Face { points, eyes: own_frames(seen, eyes), irises }, held)
}

/// Pitch, yaw and roll of R = Ry·Rx·Rz.
fn angles(r: &Matrix3<f64>) -> [f64; 3] {
    [(-r[(1, 2)]).clamp(-1.0, 1.0).asin(), r[(0, 2)].atan2(r[(2, 2)]), r[(1, 0)].atan2(r[(1, 1)])]
}

/// Points of both eyes, each from the middle of its corners, x along them, y down, in their distance.
fn own_frames(seen: &[Point], eyes: &[f32]) -> Vec<[f64; 2]> {
    let mut own = Vec::with_capacity(eyes.len() / 2);
    for (eye, [a, b]) in eyes.chunks_exact(2 * EYE).zip(CORNERS) {
        // In the crop, y down.
        let [a, b] = [a, b].map(|k| [seen[k].x + 0.5, 0.5 - seen[k].y]);
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let square = (dx * dx + dy * dy).max(f64::MIN_POSITIVE);
        own.extend(eye.chunks_exact(2).map(|point| {
            let x = f64::from(point[0]) - (a[0] + b[0]) / 2.0;
            let y = f64::from(point[1]) - (a[1] + b[1]) / 2.0;
            [(x * dx + y * dy) / square, (y * dx - x * dy) / square]
        }));
    }
    own
}

impl Face {
    /// Opening of the inner lips, in distances of the eyes.
    pub(super) fn lips_apart(&self) -> f64 {
        (self.points[LIPS[0]] - self.points[LIPS[1]]).norm()
    }

    /// The same face with its lips shut, where they are open: lower lip and chin go up.
    pub(super) fn with_shut_lips(mut self) -> Self {
        let apart = self.lips_apart();
        if apart > OPEN {
            for point in LOWER {
                self.points[point].y += apart - SHUT;
            }
        }
        self
    }

    /// Mean opening of the lids, in distances of an eye's corners; 0 where no eyes were looked at.
    pub(super) fn lids_apart(&self) -> f64 {
        let one = |eye: &[[f64; 2]]| {
            let [lower, upper] = LIDS.map(|lid| eye[lid].iter().map(|point| point[1]).sum::<f64>() / 7.0);
            lower - upper
        };
        let openings: Vec<f64> = self.eyes.chunks_exact(EYE).map(one).collect();
        openings.iter().sum::<f64>() / openings.len().max(1) as f64
    }

    /// How far the stable points lie from those of `other`: root mean square, in distances of the eyes.
    pub(super) fn off(&self, other: &Self) -> f64 {
        let apart = |&k: &usize| (self.points[k] - other.points[k]).norm_squared();
        (STABLE.iter().map(apart).sum::<f64>() / STABLE.len() as f64).sqrt()
    }

    /// The mean of faces.
    pub(super) fn mean<'a>(mut faces: impl Iterator<Item = &'a Self>) -> Option<Self> {
        let mut sum = faces.next()?.clone();
        let mut count = 1.0;
        for face in faces {
            sum.points.iter_mut().zip(&face.points).for_each(|(sum, point)| *sum += point);
            let eyes = sum.eyes.iter_mut().chain(&mut sum.irises).zip(face.eyes.iter().chain(&face.irises));
            eyes.for_each(|(sum, point)| (0..2).for_each(|axis| sum[axis] += point[axis]));
            count += 1.0;
        }
        sum.points.iter_mut().for_each(|point| *point /= count);
        sum.eyes.iter_mut().chain(&mut sum.irises).flatten().for_each(|x| *x /= count);
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Rotation3;

    use super::*;

    fn mean() -> Vec<Point> {
        let at = |k: usize| {
            let t = k as f64 * 0.37;
            Vector3::new(t.sin(), (1.7 * t).cos(), 0.5 * (0.6 * t).sin())
        };
        (0..468).map(at).collect()
    }

    #[test]
    fn pose_and_size_are_taken_out_and_told() {
        let mean = mean();
        let [pitch, yaw, roll] = [0.2, -0.3, 0.1];
        let turn = Rotation3::from_axis_angle(&Vector3::y_axis(), yaw)
            * Rotation3::from_axis_angle(&Vector3::x_axis(), pitch)
            * Rotation3::from_axis_angle(&Vector3::z_axis(), roll);
        let seen: Vec<Point> =
            mean.iter().map(|point| turn * point * 0.2 + Vector3::new(0.1, -0.05, 0.3)).collect();
        let (face, held) = unpose(&seen, &[], &mean);
        assert!(face.points.iter().zip(&mean).all(|(a, b)| (a - b).norm() < 1e-9));
        assert!(held.rotation.iter().zip([pitch, yaw, roll]).all(|(a, b)| (a - b).abs() < 1e-9), "{held:?}");
        assert!((held.size - 0.2).abs() < 1e-9);
    }

    #[test]
    fn irises_lie_in_the_frame_of_the_head() {
        let mean = mean();
        let turn = Rotation3::from_axis_angle(&Vector3::y_axis(), 0.4);
        let seen: Vec<Point> = mean.iter().map(|point| turn * point * 0.2).collect();
        let mut eyes = vec![0.5f32; 4 * EYE];
        let middles = BEFORE.map(|[upper, lower]| (mean[upper] + mean[lower]) / 2.0);
        for (eye, middle) in middles.iter().enumerate() {
            let at = turn * middle * 0.2;
            for point in eyes[2 * (EYE * (eye + 1) - IRIS)..2 * EYE * (eye + 1)].as_chunks_mut::<2>().0 {
                *point = [(at.x + 0.5) as f32, (0.5 - at.y) as f32];
            }
        }
        let (face, _) = unpose(&seen, &eyes, &mean);
        for ((iris, middle), [a, b]) in face.irises.iter().zip(&middles).zip(CORNERS) {
            let y = middle.y - (mean[a].y + mean[b].y) / 2.0;
            assert!((iris[0] - middle.x).abs() < 1e-5 && (iris[1] - y).abs() < 1e-5, "{iris:?} {middle} {y}");
        }
    }

    #[test]
    fn eyes_lie_in_frames_of_their_own() {
        let mut seen = vec![Vector3::zeros(); 468];
        // Corners of the right eye at (0.2,0.4) and (0.3,0.4) of the crop, of the left one upright.
        for (k, [x, y]) in [(33, [0.2, 0.4]), (133, [0.3, 0.4]), (362, [0.6, 0.3]), (263, [0.6, 0.5])] {
            seen[k] = Vector3::new(x - 0.5, 0.5 - y, 0.0);
        }
        let mut eyes = vec![0.0f32; 4 * EYE];
        eyes[..2].copy_from_slice(&[0.25, 0.42]);
        eyes[2 * EYE..2 * EYE + 2].copy_from_slice(&[0.58, 0.5]);
        let own = own_frames(&seen, &eyes);
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-6;
        assert!(near(own[0], [0.0, 0.2]) && near(own[EYE], [0.5, 0.1]), "{:?} {:?}", own[0], own[EYE]);
    }
}
