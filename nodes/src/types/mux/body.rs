use std::sync::Arc;

use serde_json::json;

use super::file::{FORMATS, Format, Video, VideoFile};
use crate::{
    artifact::{Artifact, FileRef, Value},
    body::{Context, Inputs, Outputs, ReduceBody},
    contract::Rate,
    error::{NodeError, Result},
    ffmpeg::{encode::AudioSettings, failed, resample::Resampler},
    params::Params,
    pictures::Clip,
};

/// Rate when the frames come without one.
const DEFAULT_RATE: Rate = Rate::new(25, 1);

/// Samples a second of the audio track: what every player and platform takes.
const AUDIO_RATE: u32 = 48_000;

/// Samples of the source handed to the resampler at once.
const BLOCK: usize = 16_000;

/// Longest preview, in seconds, that is made without a warning.
const LONG_PREVIEW: f64 = 20.0;

pub(super) struct Mux {
    name: String,
    format: Format,
    crf: i64,
    preset: String,
    audio_bits: usize,
    open: Option<Open>,
}

/// A file being written.
struct Open {
    file: VideoFile,
    size: (usize, usize),
    rate: Rate,
    sound: Option<Sound>,
}

impl Mux {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let name = params.text("container")?;
        let format = FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        Ok(Self {
            name: name.to_owned(),
            format: format
                .ok_or_else(|| NodeError::input(format!("parameter `container`: unknown `{name}`")))?,
            crf: params.int("crf")?,
            preset: params.text("preset")?.to_owned(),
            audio_bits: params.count("audio_kbps")? * 1000,
            open: None,
        })
    }

    fn create(&self, size: (usize, usize), first: &[u8], inputs: &Inputs, ctx: &Context<'_>) -> Result<Open> {
        let rate = inputs.rate().unwrap_or(DEFAULT_RATE);
        let sound = match inputs.has("audio") && self.format.audio().is_some() {
            true => Some(Sound::new(Arc::clone(inputs.value("audio")?))?),
            false => None,
        };
        let audio = AudioSettings { rate: AUDIO_RATE, channels: 1, bit_rate: self.audio_bits };
        let video = Video { rate, size, crf: self.crf, preset: self.preset.clone() };
        let path = ctx.host.scratch().join(format!("video.{}", self.name));
        let file = VideoFile::create(path, self.format, video, sound.is_some().then_some(audio), first)?;
        Ok(Open { file, size, rate, sound })
    }
}

impl ReduceBody for Mux {
    fn push(&mut self, inputs: &Inputs, ctx: &Context<'_>) -> Result<()> {
        let clip = Clip::of(inputs.tensors("frames")?).map_err(|error| error.at_port("frames"))?;
        let (n, [height, width]) = (clip.len(), clip.size());
        let mut open = match self.open.take() {
            Some(open) => open,
            None if n == 0 => return Ok(()),
            None => self.create((height, width), &clip.picture(0), inputs, ctx)?,
        };
        if n > 0 && open.size != (height, width) {
            return Err(NodeError::input(format!(
                "port `frames`: frame {} has {width}x{height} pixels, expected {}x{} as the first one",
                open.file.frames(),
                open.size.1,
                open.size.0
            )));
        }
        for k in 0..n {
            ctx.check_cancelled()?;
            open.file.frame(&clip.picture(k))?;
        }
        let end = open.samples();
        if let Some(sound) = &mut open.sound {
            open.file.audio(&sound.until(end)?)?;
        }
        ctx.host.progress(open.file.frames(), None);
        self.open = Some(open);
        Ok(())
    }

    fn finish(&mut self, ctx: &Context<'_>) -> Result<Outputs> {
        let Some(mut open) = self.open.take() else {
            return Err(NodeError::input("port `frames`: no frames, expected at least one")
                .hint("see whether the speech is as long as one video frame"));
        };
        let end = open.samples();
        let frames = open.file.frames();
        let seconds = frames as f64 * f64::from(open.rate.den) / f64::from(open.rate.num);
        if let Some(sound) = open.sound.take() {
            let given = sound.seconds();
            open.file.audio(&sound.finish(end)?)?;
            ctx.host.note("audio_seconds", json!(given));
            let beyond = given - seconds;
            if beyond.abs() > 0.5 {
                let done = if beyond > 0.0 { "cut" } else { "filled up with silence" };
                ctx.host.warn(&format!(
                    "the sound lasts {given:.2} s, the frames {seconds:.2} s: the sound is {done}"
                ));
            }
        }
        if self.format.audio().is_none() && seconds > LONG_PREVIEW {
            ctx.host.warn(&format!(
                "a {} of {seconds:.0} s is large and silent: take .mp4 or .webm for more than a preview",
                self.name
            ));
        }
        ctx.host.note("frames", json!(frames));
        ctx.host.note("seconds", json!(seconds));
        let path = open.file.finish()?;
        Ok([("video".to_owned(), Value::File(FileRef { path, digest: None }))].into())
    }
}

impl Open {
    /// Sound samples that last as long as the frames so far, to the nearest.
    fn samples(&self) -> u64 {
        let (num, den) = (u64::from(self.rate.num), u64::from(self.rate.den));
        (self.file.frames() * den * u64::from(AUDIO_RATE) + num / 2) / num
    }
}

/// The sound track, resampled as far as the frames have come.
struct Sound {
    audio: Artifact,
    rate: u32,
    resampler: Resampler,
    taken: usize,
    ready: Vec<f32>,
    given: u64,
}

impl Sound {
    fn new(audio: Artifact) -> Result<Self> {
        let rate = audio.audio().map_err(|error| error.at_port("audio"))?.rate;
        if rate == 0 {
            return Err(NodeError::input("port `audio`: 0 samples a second"));
        }
        let resampler = Resampler::new(rate, AUDIO_RATE).map_err(cannot_resample)?;
        Ok(Self { audio, rate, resampler, taken: 0, ready: vec![], given: 0 })
    }

    fn seconds(&self) -> f64 {
        self.audio.audio().map_or(0.0, |audio| audio.samples.len() as f64 / f64::from(self.rate))
    }

    /// What is ready of the samples before `end`.
    fn until(&mut self, end: u64) -> Result<Vec<f32>> {
        let samples = &self.audio.audio()?.samples;
        while self.given + (self.ready.len() as u64) < end && self.taken < samples.len() {
            let next = samples.len().min(self.taken + BLOCK);
            let block = &samples[self.taken..next];
            self.resampler.push(block, &mut self.ready).map_err(cannot_resample)?;
            self.taken = next;
        }
        let count = self.ready.len().min((end - self.given) as usize);
        self.given += count as u64;
        Ok(self.ready.drain(..count).collect())
    }

    /// The rest up to `end`, cut or filled up with silence.
    fn finish(mut self, end: u64) -> Result<Vec<f32>> {
        let missing = (end - self.given) as usize;
        let mut rest = self.until(end)?;
        if rest.len() < missing {
            self.resampler.finish(&mut rest).map_err(cannot_resample)?;
            rest.resize(missing, 0.0);
        }
        Ok(rest)
    }
}

fn cannot_resample(error: ffmpeg_next::Error) -> NodeError {
    failed("port `audio`: cannot be resampled", error)
}
