//! A recording as read, and its frames at another rate.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{COUNT, Units, units};
use crate::{
    contract::Rate,
    error::{NodeError, Result},
};

/// One frame of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Seconds, on the recording's own clock.
    pub time: f64,
    /// How far each unit goes.
    pub units: Units,
    /// Pitch, yaw and roll of the head in radians (docs/packs.md), where the frame says.
    pub rotation: Option<[f32; 3]>,
    /// Line of the file, or number of the item in a JSON list, counted from 1 and 0.
    pub number: usize,
}

/// A recording.
#[derive(Clone, Debug, Default)]
pub struct Take {
    /// Frames with a face, their times rising.
    pub frames: Vec<Frame>,
    /// Whether [`Frame::number`] is an item of a list.
    pub(super) items: bool,
    /// Frames a second that timecodes or frames without times were taken to have.
    pub(super) clock: Option<Rate>,
    /// Frames without a face.
    pub(super) dropped: usize,
    /// Frames with the time of the one before, which count for nothing.
    pub(super) repeated: usize,
    /// Rows whose count of blend shapes is not that of their columns.
    pub(super) miscounted: usize,
    /// Frames with more than one face, of which the first counts.
    pub(super) crowded: usize,
    /// Units that the file lacks.
    pub(super) missing: BTreeSet<&'static str>,
    /// Names that are no unit's.
    pub(super) unknown: BTreeSet<String>,
}

impl Take {
    /// Where `frame` stands in the file called `name`.
    pub(super) fn place(&self, name: &str, frame: &Frame) -> String {
        let number = frame.number;
        if self.items { format!("{name}: [{number}]") } else { format!("{name}:{number}:1") }
    }

    /// Adds a frame in order of time; one that goes back is an error, one at the same time counts for nothing.
    pub(super) fn push(&mut self, name: &str, frame: Frame) -> Result<()> {
        match self.frames.last() {
            Some(last) if frame.time < last.time => Err(NodeError::input(format!(
                "{}: {:.3} s before the frame of {}, expected times that rise",
                self.place(name, &frame),
                last.time - frame.time,
                if self.items { format!("[{}]", last.number) } else { format!("line {}", last.number) },
            ))),
            Some(last) if frame.time == last.time => {
                self.repeated += 1;
                Ok(())
            }
            _ => {
                self.frames.push(frame);
                Ok(())
            }
        }
    }

    /// Facts for the report: what was found, and what was left out or filled in.
    pub fn notes(&self) -> Vec<(&'static str, Value)> {
        let mut notes = vec![("frames", json!(self.frames.len()))];
        if let Some(rate) = self.clock {
            notes.push(("source_fps", json!(rate.to_string())));
        }
        let counts = [
            ("dropped", self.dropped),
            ("repeated", self.repeated),
            ("miscounted", self.miscounted),
            ("several_faces", self.crowded),
        ];
        notes.extend(counts.into_iter().filter(|&(_, n)| n > 0).map(|(name, n)| (name, json!(n))));
        if !self.missing.is_empty() {
            notes.push(("missing", json!(self.missing)));
        }
        if !self.unknown.is_empty() {
            notes.push(("unknown", json!(self.unknown)));
        }
        notes
    }

    /// What a user should know without looking at the report: how many frames of the file called `name` had to be made up.
    pub(crate) fn warning(&self, name: &str) -> Option<String> {
        let all = self.dropped + self.repeated + self.frames.len();
        (self.dropped > 0)
            .then(|| format!("{name}: {} of {all} frames show no face and are bridged", self.dropped))
    }

    /// Fails where frames are further apart than `longest` seconds.
    pub(crate) fn check_gaps(&self, name: &str, longest: f64) -> Result<()> {
        let wide = self.frames.windows(2).find(|pair| pair[1].time - pair[0].time > longest + 1e-6);
        let Some([before, after]) = wide else { return Ok(()) };
        Err(NodeError::input(format!(
            "{}: {:.2} s after the frame before, the most is {longest}",
            self.place(name, after),
            after.time - before.time
        ))
        .hint("raise `longest_gap`, or cut the recording there"))
    }

    /// Swaps the sides: what a mirror shows.
    pub(crate) fn mirror(&mut self) {
        let other: [usize; COUNT] = std::array::from_fn(units::mirrored);
        for frame in &mut self.frames {
            frame.units = other.map(|unit| frame.units[unit]);
            if let Some([_, yaw, roll]) = &mut frame.rotation {
                (*yaw, *roll) = (-*yaw, -*roll);
            }
        }
    }

    /// Takes the mean of the first `seconds` as what the face does at rest: units go from there to 1, the head turns from there.
    pub(crate) fn rest(&mut self, seconds: f64) {
        let Some(start) = self.frames.first().map(|frame| frame.time) else { return };
        let first: Vec<_> = self.frames.iter().take_while(|frame| frame.time < start + seconds).collect();
        let mean = |of: &dyn Fn(&Frame) -> f32| {
            first.iter().map(|frame| f64::from(of(frame))).sum::<f64>() / first.len().max(1) as f64
        };
        let units: Units = std::array::from_fn(|unit| mean(&|frame| frame.units[unit]) as f32);
        let turned: [f32; 3] =
            std::array::from_fn(|axis| mean(&|frame| frame.rotation.unwrap_or_default()[axis]) as f32);
        for frame in &mut self.frames {
            for (unit, rest) in frame.units.iter_mut().zip(units) {
                // A unit that rests near its most still has a way to go.
                *unit = ((*unit - rest) / (1.0 - rest).max(0.1)).max(0.0);
            }
            if let Some(rotation) = &mut frame.rotation {
                (0..3).for_each(|axis| rotation[axis] -= turned[axis]);
            }
        }
    }

    /// Number of frames at `rate`: the last frame lasts as long as the middle one of all does.
    pub fn len_at(&self, rate: Rate) -> usize {
        let (Some(first), Some(last)) = (self.frames.first(), self.frames.last()) else { return 0 };
        let mut steps: Vec<f64> = self.frames.windows(2).map(|pair| pair[1].time - pair[0].time).collect();
        steps.sort_by(f64::total_cmp);
        let lasts = steps.get(steps.len().saturating_sub(1) / 2).copied().unwrap_or(rate.seconds(1));
        (((last.time - first.time + lasts) * rate.fps()).round() as usize).max(1)
    }

    /// Frame after frame at `rate`, the first at the first frame's time: units, and pitch, yaw and roll. In between, frames are interpolated
    /// linearly, or the nearest is taken.
    pub fn at(&self, rate: Rate, nearest: bool) -> impl Iterator<Item = (Units, [f32; 3])> {
        let rotations = self.rotations();
        let start = self.frames.first().map_or(0.0, |frame| frame.time);
        let mut before = 0;
        (0..self.len_at(rate)).map(move |k| {
            let time = start + rate.seconds(k as u64);
            while self.frames.get(before + 1).is_some_and(|next| next.time <= time) {
                before += 1;
            }
            let after = (before + 1).min(self.frames.len() - 1);
            let (a, b) = (&self.frames[before], &self.frames[after]);
            let span = b.time - a.time;
            let share = if span > 0.0 { ((time - a.time) / span).clamp(0.0, 1.0) } else { 0.0 };
            let share = if nearest { share.round() } else { share } as f32;
            let mix = |a: f32, b: f32| a + share * (b - a);
            (
                std::array::from_fn(|unit| mix(a.units[unit], b.units[unit])),
                std::array::from_fn(|axis| mix(rotations[before][axis], rotations[after][axis])),
            )
        })
    }

    /// Every frame's rotation: that of the frame before where it says none, or of the first that does.
    fn rotations(&self) -> Vec<[f32; 3]> {
        let mut last = self.frames.iter().find_map(|frame| frame.rotation).unwrap_or_default();
        let turn = |frame: &Frame| {
            last = frame.rotation.unwrap_or(last);
            last
        };
        self.frames.iter().map(turn).collect()
    }
}
