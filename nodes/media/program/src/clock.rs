//! Where decoded samples belong in time.

use ffmpeg_next::{Rational, format::context::Input};

use talkgraph_media::Block;

use crate::tracks;

/// What is missing is filled from this many seconds on: less than any packet lasts, more than files' times are off by.
const LEAST: f64 = 0.015;

/// What begins with the pictures may be off by this many seconds: less than half a frame at any rate.
const CLOSE: f64 = 0.004;

/// A longer gap is a jump of the file's clock.
const MOST: f64 = 600.0;

/// Drops what is not played at a track's start, and says where silence belongs: before a track that begins after the file's first
/// picture, and where packets are missing.
pub(crate) struct Clock {
    /// Seconds of a unit of time.
    base: f64,
    /// Samples of each channel still to be dropped: the encoder's priming, which some files (fragmented MP4) only tell by times
    /// before zero; `None` before the first block.
    left: Option<usize>,
    /// When the first picture is shown, in the file's seconds; `None` without a video.
    picture: Option<f64>,
    /// Whether nothing is heard before the first picture.
    with_pictures: bool,
    /// Samples of each channel before the first picture still to be dropped; `None` before the first block.
    before: Option<usize>,
    /// When the next block is due; `None` before the first one.
    due: Option<f64>,
}

impl Clock {
    /// The clock of a track whose times count in `base`. `primed`: times before zero are the encoder's priming.
    /// `with_pictures`: nothing is heard before the file's first picture.
    pub(crate) fn new(input: &Input, base: Rational, primed: bool, with_pictures: bool) -> Self {
        Self {
            base: f64::from(base),
            left: (!primed).then_some(0),
            picture: first_picture(input),
            with_pictures,
            before: None,
            due: None,
        }
    }

    /// Drops what is not played of a block that begins at `time`, and gives the samples of each channel that are missing before it.
    pub(crate) fn place(&mut self, time: Option<i64>, block: &mut Block) -> u64 {
        let rate = f64::from(block.rate);
        let seconds = time.map(|time| time as f64 * self.base);
        let early = seconds.map_or(0.0, |seconds| -seconds * rate);
        let left = *self.left.get_or_insert(early.round().max(0.0) as usize);
        let channels = usize::from(block.channels);
        let mut dropped = left.min(block.samples.len() / channels);
        block.samples.drain(..dropped * channels);
        self.left = Some(left - dropped);
        if self.with_pictures && !block.samples.is_empty() {
            let begins = seconds.unwrap_or(0.0) + dropped as f64 / rate;
            let early = self.picture.map_or(0.0, |picture| (picture - begins) * rate);
            let before = *self.before.get_or_insert(early.round().max(0.0) as usize);
            let more = before.min(block.samples.len() / channels);
            block.samples.drain(..more * channels);
            self.before = Some(before - more);
            dropped += more;
        }
        let lasts = (block.samples.len() / channels) as f64 / rate;
        if lasts == 0.0 {
            return 0;
        }
        let begins = seconds.map(|seconds| seconds + dropped as f64 / rate).or(self.due).unwrap_or(0.0);
        // A track that begins before the first picture has nothing to wait for.
        let due = self.due.unwrap_or_else(|| self.picture.map_or(begins, |picture| picture.min(begins)));
        let gap = begins - due;
        // Where the first sample belongs is told to the sample.
        let exact = self.with_pictures && self.due.is_none() && (0.0..=MOST).contains(&gap);
        let missing = if exact || is_gap(gap) { gap } else { 0.0 };
        // Times that are off by less are rounded ones; times that fall back tell nothing.
        self.due = Some(if gap > MOST { begins } else { due + missing } + lasts);
        (missing * rate).round() as u64
    }
}

/// Whether so many missing seconds are filled.
fn is_gap(seconds: f64) -> bool {
    (LEAST..=MOST).contains(&seconds)
}

fn first_picture(input: &Input) -> Option<f64> {
    let video = tracks::video(input)?;
    let start = video.start_time();
    (start != ffmpeg_next::ffi::AV_NOPTS_VALUE).then(|| start as f64 * f64::from(video.time_base()))
}

/// Whether a track whose first played sample is at `seconds` can begin with its first sample: no silence belongs before it and, where it
/// comes with the pictures, nothing of it is heard before the first one.
pub(crate) fn suits(input: &Input, seconds: f64, with_pictures: bool) -> bool {
    let late = first_picture(input).map_or(0.0, |picture| seconds - picture);
    if with_pictures { late.abs() <= CLOSE } else { !is_gap(late) }
}
