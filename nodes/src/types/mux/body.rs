use std::{path::PathBuf, sync::Arc};

use ffmpeg_next::Rational;
use serde_json::json;

use crate::{
    artifact::{Artifact, FileRef, Value},
    body::{Context, Inputs, Outputs, ReduceBody},
    contract::Rate,
    error::{NodeError, Result},
    ffmpeg::{
        encode::{Mp4, Settings},
        failed,
        resample::Resampler,
        sound_encode::SoundEncoder,
    },
    params::Params,
};

/// Rate when the frames come without one.
const DEFAULT_RATE: Rate = Rate::new(25, 1);

/// Samples of the source handed to the resampler at once.
const BLOCK: usize = 16_000;

/// What every file says about itself.
const TITLE: &str = "Synthetic talking head";
const COMMENT: &str = "Generated with talkgraph; not a recording. Digital source type: \
                       http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

pub(super) struct Mux {
    crf: i64,
    preset: String,
    audio_bits: usize,
    open: Option<Open>,
}

/// A file being written.
struct Open {
    path: PathBuf,
    mp4: Mp4,
    size: (usize, usize),
    rate: Rate,
    frames: u64,
    sound: Option<Sound>,
}

impl Mux {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self {
            crf: params.int("crf")?,
            preset: params.text("preset")?.to_owned(),
            audio_bits: params.count("audio_kbps")? * 1000,
            open: None,
        })
    }

    fn create(&self, size: (usize, usize), inputs: &Inputs, ctx: &Context<'_>) -> Result<Open> {
        let rate = inputs.rate().unwrap_or(DEFAULT_RATE);
        let side = |n: usize| {
            u32::try_from(n).ok().filter(|&n| (2..=16_384).contains(&n)).ok_or_else(|| {
                NodeError::input(format!(
                    "port `frames`: {}x{} pixels, expected sides of 2 to 16384",
                    size.1, size.0
                ))
            })
        };
        let signed = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let sound = match inputs.has("audio") {
            true => Some(Sound::new(Arc::clone(inputs.value("audio")?))?),
            false => None,
        };
        let settings = Settings {
            rate: Rational::new(signed(rate.num), signed(rate.den)),
            width: side(size.1)?,
            height: side(size.0)?,
            crf: self.crf,
            preset: self.preset.clone(),
            sound: sound.is_some().then_some(self.audio_bits),
            tags: vec![("title", TITLE.to_owned()), ("comment", COMMENT.to_owned())],
        };
        let path = ctx.host.scratch().join("video.mp4");
        let mp4 = Mp4::create(&path, &settings)
            .map_err(|error| failed(format!("{}: cannot be created", path.display()), error))?;
        Ok(Open { path, mp4, size, rate, frames: 0, sound })
    }
}

impl ReduceBody for Mux {
    fn push(&mut self, inputs: &Inputs, ctx: &Context<'_>) -> Result<()> {
        let frames = inputs.tensors("frames")?.get("frames")?;
        let &[n, height, width, 3] = frames.shape() else {
            return Err(NodeError::input(format!(
                "port `frames`: shape {:?}, expected [n, height, width, 3]",
                frames.shape()
            )));
        };
        let pixels = frames.as_u8().map_err(|error| error.at_port("frames"))?;
        let mut open = match self.open.take() {
            Some(open) => open,
            None if n == 0 => return Ok(()),
            None => self.create((height, width), inputs, ctx)?,
        };
        if n > 0 && open.size != (height, width) {
            return Err(NodeError::input(format!(
                "port `frames`: frame {} has {width}x{height} pixels, expected {}x{} as the first one",
                open.frames, open.size.1, open.size.0
            )));
        }
        for picture in pixels.chunks_exact((height * width * 3).max(1)) {
            ctx.check_cancelled()?;
            open.mp4.picture(picture).map_err(|error| open.cannot_write(error))?;
            open.frames += 1;
        }
        let end = open.samples();
        if let Some(sound) = &mut open.sound {
            let ready = sound.until(end)?;
            open.mp4.sound(&ready).map_err(|error| open.cannot_write(error))?;
        }
        ctx.host.progress(open.frames, None);
        self.open = Some(open);
        Ok(())
    }

    fn finish(&mut self, ctx: &Context<'_>) -> Result<Outputs> {
        let Some(mut open) = self.open.take() else {
            return Err(NodeError::input("port `frames`: no frames, expected at least one")
                .hint("see whether the speech is as long as one video frame"));
        };
        let end = open.samples();
        let seconds = open.frames as f64 * f64::from(open.rate.den) / f64::from(open.rate.num);
        if let Some(sound) = open.sound.take() {
            let given = sound.seconds();
            let rest = sound.finish(end)?;
            open.mp4.sound(&rest).map_err(|error| open.cannot_write(error))?;
            ctx.host.note("audio_seconds", json!(given));
            let beyond = given - seconds;
            if beyond.abs() > 0.5 {
                let done = if beyond > 0.0 { "cut" } else { "filled up with silence" };
                ctx.host.warn(&format!(
                    "the sound lasts {given:.2} s, the frames {seconds:.2} s: the sound is {done}"
                ));
            }
        }
        ctx.host.note("frames", json!(open.frames));
        ctx.host.note("seconds", json!(seconds));
        let path = open.path;
        open.mp4.finish().map_err(|error| failed(format!("{}: cannot be written", path.display()), error))?;
        Ok([("video".to_owned(), Value::File(FileRef { path, digest: None }))].into())
    }
}

impl Open {
    fn cannot_write(&self, error: ffmpeg_next::Error) -> NodeError {
        failed(format!("{}: frame {} cannot be written", self.path.display(), self.frames), error)
    }

    /// Sound samples that last as long as the frames so far, to the nearest.
    fn samples(&self) -> u64 {
        let (num, den) = (u64::from(self.rate.num), u64::from(self.rate.den));
        (self.frames * den * u64::from(SoundEncoder::RATE) + num / 2) / num
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
        let resampler = Resampler::new(rate, SoundEncoder::RATE).map_err(cannot_resample)?;
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
