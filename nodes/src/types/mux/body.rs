use serde_json::json;
use talkgraph_media::Session;

use super::{
    audio::{Track, is_silent},
    file::{FORMATS, Format, Video, VideoFile},
};
use crate::{
    artifact::{FileRef, Value},
    body::{Context, Inputs, Outputs, ReduceBody},
    contract::Rate,
    error::{NodeError, Result},
    media::Told,
    params::Params,
    pictures::Clip,
};

/// Rate when the frames come without one.
const DEFAULT_RATE: Rate = Rate::new(25, 1);

/// Longest preview, in seconds, that is made without a warning.
const LONG_PREVIEW: f64 = 20.0;

pub(super) struct Mux {
    name: String,
    format: Format,
    crf: i64,
    preset: String,
    audio_bits: u32,
    open: Option<Open>,
}

/// A file being written.
struct Open {
    file: VideoFile,
    size: (usize, usize),
    rate: Rate,
    track: Option<Track>,
    /// Seconds of audio that were given.
    given: f64,
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
            audio_bits: u32::try_from(params.count("audio_kbps")?).unwrap_or(u32::MAX).saturating_mul(1000),
            open: None,
        })
    }

    fn create(&self, size: (usize, usize), first: &[u8], inputs: &Inputs, ctx: &Context<'_>) -> Result<Open> {
        let rate = inputs.rate().unwrap_or(DEFAULT_RATE);
        let session = Session::start().told()?;
        let (track, source) = match self.format {
            Format::Media(container) => {
                Track::open(&session, inputs, container, self.audio_bits, ctx)?.unzip()
            }
            Format::Gif | Format::Webp => (None, None),
        };
        let video = Video { rate, size, crf: self.crf, preset: self.preset.clone() };
        let path = ctx.host.scratch().join(format!("video.{}", self.name));
        let file = VideoFile::create(&session, path, self.format, video, source, first)?;
        Ok(Open { file, size, rate, track, given: given(&session, inputs)? })
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
        if let Some(mut track) = open.track.take() {
            track.until(open.samples(track.rate), &mut open.file)?;
            open.track = Some(track);
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
        let frames = open.file.frames();
        let seconds = open.rate.seconds(frames);
        let (mut end, mut audio) = (0, None);
        if let Some(track) = open.track.take() {
            end = open.samples(track.rate);
            audio = Some(track.finish(end, &mut open.file)?);
            ctx.host.note("audio_seconds", json!(open.given));
            let beyond = open.given - seconds;
            if beyond.abs() > 0.5 {
                let done = if beyond > 0.0 { "cut" } else { "filled up with silence" };
                ctx.host.warn(&format!(
                    "the audio lasts {:.2} s, the frames {seconds:.2} s: the audio is {done}",
                    open.given
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
        let (path, silent) = open.file.finish(end, ctx)?;
        if let Some(mut audio) = audio {
            if audio["done"] == "copied" {
                audio["silent_packets"] = silent.into();
            }
            ctx.host.note("audio", audio);
        } else {
            ctx.host.note("audio", json!("none"));
        }
        Ok([("video".to_owned(), Value::File(FileRef { path, digest: None }))].into())
    }
}

impl Open {
    /// Samples at `rate` that last as long as the frames so far, to the nearest.
    fn samples(&self, rate: u32) -> u64 {
        self.rate.samples(self.file.frames(), rate)
    }
}

/// Seconds of audio that came in.
fn given(session: &Session, inputs: &Inputs) -> Result<f64> {
    match (inputs.has("track"), inputs.has("audio")) {
        (true, _) if is_silent(inputs)? => Ok(0.0),
        (true, _) => Ok(session.seconds(&inputs.file("track")?.path).told()?),
        (_, true) => inputs.audio("audio").map(|audio| audio.samples.len() as f64 / f64::from(audio.rate)),
        _ => Ok(0.0),
    }
}
