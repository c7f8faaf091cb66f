//! Lips, lids and irises, looked at more closely (Grishchenko et al. 2020, arXiv:2006.10962).

use super::mesh::{POINTS, SIDE};
use crate::{
    error::{NodeError, Result},
    tensor::Tensors,
};

/// The role; packs without it have the plain mesh, and no irises.
pub(super) const ROLE: &str = "face_parts";
/// Points of one eye: 16 of the lids' edges, 5 of the iris, its centre first.
pub(super) const EYE: usize = LIDS + IRIS;
pub(super) const LIDS: usize = 16;
pub(super) const IRIS: usize = 5;

/// The parts' points, in pixels of the network's input.
pub(super) struct Parts {
    /// Index in the mesh and place of every point of lips and eyes.
    pub(super) points: Vec<(usize, [f64; 2])>,
    /// Points of both eyes, the person's right one first.
    pub(super) eyes: Vec<[f64; 2]>,
}

impl Parts {
    /// What the network gave.
    pub(super) fn of(outputs: &Tensors) -> Result<Self> {
        let rows = |name: &str, count: usize| -> Result<Vec<[f64; 2]>> {
            let flat = outputs.get(name)?.as_f32()?;
            if flat.len() != 2 * count {
                return Err(NodeError::model(format!(
                    "role `{ROLE}`: output `{name}`: expected {} numbers, found {}",
                    2 * count,
                    flat.len()
                )));
            }
            Ok(flat
                .chunks_exact(2)
                .map(|point| [point[0], point[1]].map(|x| f64::from(x) / SIDE as f64))
                .collect())
        };
        let (lips, right, left) =
            (rows("lips", LIPS.len())?, rows("right_eye", RIGHT.len())?, rows("left_eye", LEFT.len())?);
        let eyes =
            [&right[..LIDS], &rows("right_iris", IRIS)?, &left[..LIDS], &rows("left_iris", IRIS)?].concat();
        let indices = [LIPS.as_slice(), &RIGHT, &LEFT].concat();
        debug_assert!(indices.iter().all(|&index| usize::from(index) < POINTS));
        let points = indices.into_iter().map(usize::from).zip([lips, right, left].concat()).collect();
        Ok(Self { points, eyes })
    }
}

/// Indices in the mesh of the points of lips.
#[rustfmt::skip]
const LIPS: [u16; 80] = [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
];
/// Indices in the mesh of the points of the person's right eye, its lids first.
#[rustfmt::skip]
const RIGHT: [u16; 71] = [
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24,
    23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233,
    244, 113, 225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120,
    121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
];
/// Indices in the mesh of the points of the left eye.
#[rustfmt::skip]
const LEFT: [u16; 71] = [
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339, 254,
    253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451, 452, 453,
    464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349,
    350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417,
];
