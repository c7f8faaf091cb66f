//! The face that a person makes when it does nothing, out of a clip in which it does something.

use std::collections::BTreeMap;

use super::face::{Face, Held};

/// Shots with fewer frames with a face than this lend the neutral of the whole clip.
const SHORT: usize = 15;
/// The mouth counts as shut in this share of the frames, those with the least open lips …
const SHUT: f64 = 0.25;
/// … and the eyes as open in all but this share.
const BLINKING: f64 = 0.3;

/// What of a frame decides whether it is neutral.
#[derive(Clone, Copy, Debug)]
struct Opening {
    shot: i64,
    lips: f64,
    lids: f64,
}

/// The first look: openings of all frames.
#[derive(Debug, Default)]
pub(super) struct Openings(Vec<Option<Opening>>);

impl Openings {
    /// Takes in the next frame; `None` where no face is seen.
    pub(super) fn push(&mut self, seen: Option<(i64, &Face)>) {
        self.0.push(seen.map(|(shot, face)| Opening {
            shot,
            lips: face.lips_apart(),
            lids: face.lids_apart(),
        }));
    }

    /// Which frames are neutral, each with the shots that it stands for: of a shot, those with a shut mouth and open eyes.
    pub(super) fn neutral(&self) -> Vec<Option<i64>> {
        let mut shots: BTreeMap<i64, Vec<Opening>> = BTreeMap::new();
        for opening in self.0.iter().flatten() {
            shots.entry(opening.shot).or_default().push(*opening);
        }
        let limits: BTreeMap<i64, [f64; 2]> = shots
            .into_iter()
            .map(|(shot, openings)| {
                let lips = share(openings.iter().map(|one| one.lips), SHUT);
                // Of frames with a shut mouth, so that some are left.
                let lids =
                    share(openings.iter().filter(|one| one.lips <= lips).map(|one| one.lids), BLINKING);
                (shot, [lips, lids])
            })
            .collect();
        let chosen = |one: &Opening| {
            let [lips, lids] = limits[&one.shot];
            (one.lips <= lips && one.lids >= lids).then_some(one.shot)
        };
        self.0.iter().map(|one| one.as_ref().and_then(chosen)).collect()
    }
}

/// The number below which `share` of `values` lie.
fn share(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(((values.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or(0.0)
}

/// The neutral face, and how the head was held with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Neutral {
    pub(super) face: Face,
    pub(super) rotation: [f64; 3],
    pub(super) place: [f64; 2],
    pub(super) size: f64,
}

/// Sums of the neutral frames of a shot.
#[derive(Default)]
struct Sum {
    faces: Vec<Face>,
    held: Vec<Held>,
    frames: usize,
}

/// The second look: neutral faces of shots.
#[derive(Default)]
pub(super) struct Neutrals(BTreeMap<i64, Sum>);

/// At most so many neutral frames of a shot are kept.
const KEPT: usize = 250;

impl Neutrals {
    /// Takes in a frame of `shot`, and whether it is neutral.
    pub(super) fn push(&mut self, shot: i64, face: Face, held: Held, neutral: bool) {
        let sum = self.0.entry(shot).or_default();
        sum.frames += 1;
        if neutral && sum.faces.len() < KEPT {
            sum.faces.push(face);
            sum.held.push(held);
        }
    }

    /// The neutral of every shot.
    pub(super) fn finish(self) -> BTreeMap<i64, Neutral> {
        let of = |sums: &[&Sum]| {
            let held: Vec<&Held> = sums.iter().flat_map(|sum| &sum.held).collect();
            let mean =
                |of: &dyn Fn(&Held) -> f64| held.iter().map(|held| of(held)).sum::<f64>() / held.len() as f64;
            Some(Neutral {
                // Of a mouth that is never shut the neutral is what it would look like shut.
                face: Face::mean(sums.iter().flat_map(|sum| &sum.faces))?.with_shut_lips(),
                rotation: std::array::from_fn(|axis| mean(&|held| held.rotation[axis])),
                place: std::array::from_fn(|axis| mean(&|held| held.place[axis])),
                size: mean(&|held| held.size.ln()).exp(),
            })
        };
        let all: Vec<&Sum> = self.0.values().collect();
        let whole = of(&all);
        let one = |(&shot, sum): (&i64, &Sum)| {
            let own = if sum.frames < SHORT { None } else { of(&[sum]) };
            own.or_else(|| whole.clone()).map(|neutral| (shot, neutral))
        };
        self.0.iter().filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(shot: i64, lips: f64, lids: f64) -> Option<Opening> {
        Some(Opening { shot, lips, lids })
    }

    #[test]
    fn shut_mouths_with_open_eyes_are_neutral_wherever_the_clip_begins() {
        let mut openings: Vec<_> = (0..40).map(|k| opening(0, 0.3 + 0.01 * f64::from(k), 0.3)).collect();
        openings[20] = opening(0, 0.01, 0.02); // shut lips in a blink
        openings[30] = opening(0, 0.02, 0.3);
        openings[31] = None;
        let neutral = Openings(openings).neutral();
        assert_eq!(neutral[0], Some(0), "among the quarter with the least open lips");
        assert_eq!((neutral[20], neutral[30], neutral[31], neutral[39]), (None, Some(0), None, None));
    }

    #[test]
    fn every_shot_has_a_neutral_of_its_own_unless_it_is_short() {
        let face =
            |x: f64| Face { points: vec![nalgebra::Vector3::repeat(x); 468], eyes: vec![], irises: vec![] };
        let held = Held { rotation: [0.1; 3], place: [0.0; 2], size: 2.0 };
        let mut neutrals = Neutrals::default();
        for (shot, frames, x) in [(0, 20, 1.0), (1, 20, 3.0), (2, 4, 8.0)] {
            (0..frames).for_each(|k| neutrals.push(shot, face(x), held, k < 2));
        }
        let found = neutrals.finish();
        assert_eq!(found[&0].face, face(1.0));
        assert_eq!(found[&1].face, face(3.0));
        assert_eq!(found[&2].face, face(4.0), "the mean of all");
        assert!((found[&0].size - 2.0).abs() < 1e-12);
    }
}
