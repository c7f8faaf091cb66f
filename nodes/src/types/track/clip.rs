//! The landmarks of a clip, frame by frame.

use super::face::{EYE, Point, cloud};
use crate::{
    error::{NodeError, Result},
    tensor::Tensors,
};

/// One frame's landmarks, and what is known of it.
pub(super) struct Seen<'a> {
    pub(super) points: Vec<Point>,
    pub(super) eyes: &'a [f32],
    pub(super) found: bool,
    pub(super) shot: i64,
    pub(super) sharpness: f32,
}

/// The frames of one chunk of landmarks; `points`: how many a face has.
pub(super) fn frames(chunk: &Tensors, points: usize) -> Result<Vec<Seen<'_>>> {
    let at_port = |error: NodeError| error.at_port("landmarks");
    let landmarks = chunk.get("landmarks").map_err(at_port)?;
    let &[count, found, 2] = landmarks.shape() else {
        let shape = landmarks.shape();
        return Err(NodeError::input(format!("port `landmarks`: expected shape [n,M,2], found {shape:?}")));
    };
    if found != points {
        return Err(NodeError::input(format!(
            "port `landmarks`: {found} landmarks, expected {points} as the pack's expression reader takes"
        )));
    }
    let missing = |error: NodeError| {
        at_port(error).hint("connect the landmarks that `align` finds in driving `frames`")
    };
    let near = chunk.get("near").map_err(missing)?.as_f32()?;
    let seen = chunk.get("found").map_err(missing)?.as_u8()?;
    let shot = chunk.get("shot").map_err(missing)?.as_i64()?;
    let sharpness = chunk.get("sharpness").map_err(missing)?.as_f32()?;
    let eyes = match chunk.0.get("eyes") {
        Some(eyes) => eyes.as_f32()?,
        None => &[],
    };
    let each = 4 * EYE;
    if near.len() != count * points
        || [seen.len(), shot.len(), sharpness.len()] != [count; 3]
        || !(eyes.is_empty() || eyes.len() == count * each)
    {
        return Err(NodeError::input("port `landmarks`: tensors of different numbers of frames"));
    }
    let flat = landmarks.as_f32()?;
    let frame = |i: usize| Seen {
        points: cloud(&flat[2 * points * i..][..2 * points], &near[points * i..][..points]),
        eyes: eyes.get(each * i..each * (i + 1)).unwrap_or(&[]),
        found: seen[i] != 0,
        shot: shot[i],
        sharpness: sharpness[i],
    };
    Ok((0..count).map(frame).collect())
}
