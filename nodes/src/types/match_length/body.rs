use serde_json::json;

use super::LENGTHS;
use crate::{
    artifact::{Artifact, Audio, Value},
    body::{Context, Inputs, Outputs, ReduceBody},
    contract::Rate,
    error::{NodeError, Result},
    types::timeline,
};

/// The port whose frames are counted.
pub(super) const DRIVING: &str = "driving";

/// Whose length the audio gets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Length {
    Speech,
    Driving,
    Longest,
    Shortest,
}

impl Length {
    fn of(self, speech: u64, driving: u64) -> u64 {
        match self {
            Self::Speech => speech,
            Self::Driving => driving,
            Self::Longest => speech.max(driving),
            Self::Shortest => speech.min(driving),
        }
    }
}

pub(super) struct Match {
    length: Length,
    driving: u64,
    /// The audio and the rate, once the first chunk has come.
    known: Option<(Artifact, Rate)>,
}

impl Match {
    pub(super) fn new(length: &str) -> Result<Self> {
        let all = [Length::Speech, Length::Driving, Length::Longest, Length::Shortest];
        let found = LENGTHS.iter().zip(all).find(|(word, _)| **word == length);
        let (_, length) =
            found.ok_or_else(|| NodeError::input(format!("parameter `length`: unknown `{length}`")))?;
        Ok(Self { length, driving: 0, known: None })
    }
}

impl ReduceBody for Match {
    fn push(&mut self, inputs: &Inputs, ctx: &Context<'_>) -> Result<()> {
        self.driving += timeline::frames(inputs, DRIVING)? as u64;
        if self.known.is_none() {
            let rate = inputs.rate();
            let rate = rate.ok_or_else(|| NodeError::input(format!("port `{DRIVING}`: no frame rate")))?;
            self.known = Some((inputs.value("audio")?.clone(), rate));
        }
        ctx.host.progress(self.driving, None);
        Ok(())
    }

    fn finish(&mut self, ctx: &Context<'_>) -> Result<Outputs> {
        let Some((audio, rate)) = self.known.take() else {
            return Err(NodeError::input(format!("port `{DRIVING}`: no frames, expected at least one")));
        };
        let Audio { rate: hertz, samples } = audio.audio().map_err(|error| error.at_port("audio"))?;
        let speech = rate.frames_in(samples.len() as u64, *hertz).max(1);
        let frames = self.length.of(speech, self.driving);
        let wanted = first_sample(frames, *hertz, rate);
        let beyond = samples.len() as f64 - wanted as f64;
        let mut samples = samples.clone();
        samples.resize(usize::try_from(wanted).unwrap_or(usize::MAX), 0.0);
        ctx.host.note("frames", json!(frames));
        ctx.host.note("speech_frames", json!(speech));
        ctx.host.note("driving_frames", json!(self.driving));
        let seconds = (beyond.abs() / f64::from(*hertz) * 1e3).round() / 1e3;
        if seconds > 0.0 {
            let done = if beyond > 0.0 { "cut_seconds" } else { "silence_seconds" };
            ctx.host.note(done, json!(seconds));
        }
        let audio = Value::Audio(Audio { rate: *hertz, samples });
        Ok([("audio".to_owned(), audio)].into())
    }
}

/// The fewest samples that fill so many frames.
fn first_sample(frames: u64, hertz: u32, rate: Rate) -> u64 {
    let (num, den) = (u128::from(rate.num), u128::from(rate.den));
    u64::try_from((u128::from(frames) * u128::from(hertz) * den).div_ceil(num)).unwrap_or(u64::MAX)
}
