//! Cuts in a clip.

use image::{RgbImage, imageops};

/// Side of the thumbnails that are compared.
const SIDE: u32 = 24;
/// A cut changes grey values by more than this on average …
const CHANGE: f64 = 18.0;
/// … and by so many times the usual change from frame to frame.
const TIMES: f64 = 4.0;
/// How fast the usual change follows.
const FOLLOW: f64 = 0.2;

/// What is known of the frames before that showed a face: frames without one cut nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shots {
    /// Number of the running shot.
    pub(super) shot: i64,
    /// The last of those frames, small and grey; empty before the first.
    pub(super) thumbnail: Vec<u8>,
    /// Usual change from frame to frame.
    pub(super) usual: f64,
}

/// A frame beside the one before.
pub(super) struct Look {
    grey: Vec<u8>,
    change: f64,
    /// Whether the change is a cut: large, and large beside the motion until then.
    pub(super) cut: bool,
}

impl Shots {
    /// Looks at `frame`.
    pub(super) fn look(&self, frame: &RgbImage) -> Look {
        let grey = imageops::grayscale(&imageops::thumbnail(frame, SIDE, SIDE)).into_raw();
        let changes = grey.iter().zip(&self.thumbnail).map(|(&a, &b)| f64::from(a.abs_diff(b)));
        let change = changes.sum::<f64>() / f64::from(SIDE * SIDE);
        Look { grey, change, cut: change > CHANGE.max(TIMES * self.usual) }
    }

    /// Goes on to the frame of `look`, which shows a face.
    pub(super) fn go_on(&mut self, look: Look) {
        if look.cut {
            self.shot += 1;
        } else {
            self.usual += FOLLOW * (look.change - self.usual);
        }
        self.thumbnail = look.grey;
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn scene(seed: u32, shift: u32) -> RgbImage {
        RgbImage::from_fn(96, 64, |x, y| {
            let cell = ((x + shift) / 16 * 7 + y / 16 * 13 + seed * 5) % 11;
            Rgb([(cell * 23) as u8; 3])
        })
    }

    #[test]
    fn motion_is_no_cut_and_another_scene_is() {
        let mut shots = Shots::default();
        let mut next = |frame| {
            let look = shots.look(&frame);
            shots.go_on(look);
            shots.shot
        };
        let moving: Vec<i64> = (0..6).map(|k| next(scene(1, k))).collect();
        assert_eq!(moving, [0; 6]);
        assert_eq!([scene(4, 0), scene(4, 1), scene(1, 0)].map(next), [1, 1, 2]);
    }
}
