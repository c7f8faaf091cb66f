//! Where decoded samples belong in time.

use ffmpeg_next::{Rational, format::context::Input};

use talkgraph_media::Block;

use crate::tracks;

/// What is missing is filled from this many seconds on: less than any packet lasts, more than files' times are off by.
const LEAST: f64 = 0.015;

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
    /// When the next block is due; `None` before the first one.
    due: Option<f64>,
}

impl Clock {
    /// The clock of a track whose times count in `base`. `primed`: times before zero are the encoder's priming.
    pub(crate) fn new(input: &Input, base: Rational, primed: bool) -> Self {
        Self { base: f64::from(base), left: (!primed).then_some(0), picture: first_picture(input), due: None }
    }

    /// Drops what is not played of a block that begins at `time`, and gives the samples of each channel that are missing before it.
    pub(crate) fn place(&mut self, time: Option<i64>, block: &mut Block) -> u64 {
        let rate = f64::from(block.rate);
        let seconds = time.map(|time| time as f64 * self.base);
        let early = seconds.map_or(0.0, |seconds| -seconds * rate);
        let left = *self.left.get_or_insert(early.round().max(0.0) as usize);
        let channels = usize::from(block.channels);
        let dropped = left.min(block.samples.len() / channels);
        block.samples.drain(..dropped * channels);
        self.left = Some(left - dropped);
        let lasts = (block.samples.len() / channels) as f64 / rate;
        if lasts == 0.0 {
            return 0;
        }
        let begins = seconds.map(|seconds| seconds + dropped as f64 / rate).or(self.due).unwrap_or(0.0);
        // A track that begins before the first picture has nothing to wait for.
        let due = self.due.unwrap_or_else(|| self.picture.map_or(begins, |picture| picture.min(begins)));
        let gap = begins - due;
        let missing = if is_gap(gap) { gap } else { 0.0 };
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

/// Whether a track whose first played sample is at `seconds` begins so long after the file's first picture that silence belongs
/// before it.
pub(crate) fn is_late(input: &Input, seconds: f64) -> bool {
    first_picture(input).is_some_and(|picture| is_gap(seconds - picture))
}
