use std::path::{Path, PathBuf};

use serde_json::json;
use talkgraph_media::{AudioCodec, AudioReader, Block, Container, Resampler, Session};

use super::{
    contract::RATE,
    downmix::{Downmix, Moments},
    track::TrackWriter,
    wav,
};
use crate::{
    artifact::{Audio, FileRef, Value},
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    media::Told,
    sniff,
};

pub(super) struct Decode {
    /// The audio track, counted from 1; 0: the file's choice.
    pub(super) stream: usize,
}

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let path = &inputs.file("file")?.path;
        let name = sniff::name(path);
        let (samples, track) = decode(path, self.stream, ctx)?;
        if samples.is_empty() {
            return Err(NodeError::input(format!("{name}: the audio has no samples"))
                .hint("give a file with at least one video frame (0.04 s) of audio"));
        }
        ctx.host.note("seconds", json!(samples.len() as f64 / f64::from(RATE)));
        out.value("audio", Value::Audio(Audio { rate: RATE, samples }))?;
        out.value("track", Value::File(FileRef { path: track, digest: None }))
    }
}

/// The samples at [`RATE`] and the file of the track.
fn decode(path: &Path, stream: usize, ctx: &Context<'_>) -> Result<(Vec<f32>, PathBuf)> {
    let name = sniff::name(path);
    let session = Session::start().told()?;
    if stream <= 1 && is_wav(path)? {
        let downmix = listen(wav::channels(path), ctx, |sink| wav::decode(path, sink).map(drop))?;
        let mut collector = Collector::new(&session, path, ctx, downmix, true);
        let extent = wav::decode(path, &mut |block| collector.push(&block))?;
        if let Some(extent) = extent.filter(|extent| extent.read > 0) {
            if let Some(announced) = extent.announced.filter(|&announced| extent.read < announced) {
                let [found, announced] = [extent.read, announced].map(|n| n as f64 / f64::from(extent.rate));
                ctx.host.note("truncated", json!({ "seconds": found, "announced_seconds": announced }));
                ctx.host.warn(&format!(
                    "{name}: ends after {found:.2} s of the announced {announced:.2} s; that much is used"
                ));
            }
            return collector.finish();
        }
    }
    let cancelled = || ctx.host.cancelled();
    let mut reader = AudioReader::open(&session, path, stream).told()?;
    let layout = session.survey(path, stream, &cancelled).told()?;
    name_tracks(&name, &reader, stream, ctx);
    let downmix = listen(reader.channels(), ctx, |sink| {
        let mut reader = AudioReader::open(&session, path, stream).told()?;
        while let Some(block) = reader.next_block().told()? {
            sink(block)?;
        }
        Ok(())
    })?;
    let mut collector = Collector::new(&session, path, ctx, downmix, layout.is_none());
    collector.strict = reader.is_pcm;
    while let Some(block) = reader.next_block().told()? {
        collector.push(&block)?;
    }
    if reader.filled > 0.0 {
        ctx.host.note("silence_filled_in", json!((reader.filled * 1e3).round() / 1e3));
    }
    if reader.damaged > 0 {
        ctx.host.note("damaged_packets", json!(reader.damaged));
        ctx.host.warn(&format!("{name}: {} packets of audio are damaged and were left out", reader.damaged));
    }
    if collector.bad > 0 {
        ctx.host
            .warn(&format!("{name}: {} samples were not finite numbers and were set to zero", collector.bad));
    }
    let (samples, decoded) = collector.finish()?;
    let Some(layout) = layout.filter(|_| !samples.is_empty()) else { return Ok((samples, decoded)) };
    let (ending, container) = match layout.codec {
        AudioCodec::Opus => ("webm", Container::WebM),
        AudioCodec::Aac | AudioCodec::Flac => ("m4a", Container::M4a),
    };
    let copy = ctx.host.scratch().join(format!("track.{ending}"));
    session.copy_track(path, stream, layout, (&copy, container), &cancelled).told()?;
    Ok((samples, copy))
}

/// Listens to all blocks that `play` hands on, and says how their channels become one. A single channel is not listened to.
fn listen(
    channels: u16,
    ctx: &Context<'_>,
    play: impl FnOnce(&mut dyn FnMut(Block) -> Result<()>) -> Result<()>,
) -> Result<Downmix> {
    if channels <= 1 {
        return Ok(Downmix::default());
    }
    let mut moments = Moments::default();
    play(&mut |block| {
        moments.add(&block);
        ctx.check_cancelled()
    })?;
    let downmix = moments.downmix();
    let weights: Vec<Vec<_>> = downmix
        .weights()
        .map(|weights| weights.iter().map(|&weight| (f64::from(weight) * 1e3).round() / 1e3).collect())
        .collect();
    ctx.host.note("channel_weights", json!(weights));
    Ok(downmix)
}

/// Says which of several audio tracks is taken; a warning where no one chose it.
fn name_tracks(name: &str, reader: &AudioReader, stream: usize, ctx: &Context<'_>) {
    let (tracks, taken) = reader.tracks();
    if tracks.len() < 2 {
        return;
    }
    ctx.host.note("audio_tracks", json!({ "taken": taken, "all": tracks }));
    if stream == 0 {
        ctx.host.warn(&format!(
            "{name}: {} audio tracks ({}); {taken} is taken: choose another with the parameter `stream`",
            tracks.len(),
            tracks.join("; ")
        ));
    }
}

fn is_wav(path: &Path) -> Result<bool> {
    Ok(path.is_file() && sniff::describe(&sniff::head(path).told()?) == "WAV audio")
}

/// Brings blocks of any rate to [`RATE`] and one channel, and keeps them as they are in a track.
struct Collector<'a> {
    session: Session,
    name: String,
    ctx: &'a Context<'a>,
    downmix: Downmix,
    resampler: Option<(u32, Resampler)>,
    samples: Vec<f32>,
    track: Option<TrackWriter>,
    /// Samples of each channel so far.
    taken: u64,
    /// Whether a sample that is no finite number is an error, or else is set to zero and counted.
    strict: bool,
    bad: u64,
}

impl<'a> Collector<'a> {
    fn new(session: &Session, path: &Path, ctx: &'a Context<'a>, downmix: Downmix, keeps: bool) -> Self {
        let track = keeps.then(|| TrackWriter::new(session.clone(), ctx.host.scratch().join("track.flac")));
        Self {
            session: session.clone(),
            name: sniff::name(path),
            ctx,
            downmix,
            resampler: None,
            samples: vec![],
            track,
            taken: 0,
            strict: true,
            bad: 0,
        }
    }

    fn push(&mut self, block: &Block) -> Result<()> {
        self.ctx.check_cancelled()?;
        let mended = self.mended(block)?;
        let block = mended.as_ref().unwrap_or(block);
        self.taken += (block.samples.len() / usize::from(block.channels)) as u64;
        if let Some(track) = &mut self.track {
            track.push(block)?;
        }
        let mut resampler = match self.resampler.take() {
            Some((old, resampler)) if old == block.rate => resampler,
            old => {
                if let Some((_, old)) = old {
                    old.finish(&mut self.samples).told()?;
                }
                Resampler::new(&self.session, &self.name, block.rate, RATE, 1).told()?
            }
        };
        resampler.push(&self.downmix.apply(block), &mut self.samples).told()?;
        self.resampler = Some((block.rate, resampler));
        Ok(())
    }

    /// The block without numbers that are not finite; `None` where all are.
    fn mended(&mut self, block: &Block) -> Result<Option<Block>> {
        let Some(first) = block.samples.iter().position(|sample| !sample.is_finite()) else {
            return Ok(None);
        };
        if self.strict {
            let channels = usize::from(block.channels);
            let at = self.taken + (first / channels) as u64;
            let channel = match channels {
                1 => String::new(),
                _ => format!(" of channel {}", first % channels + 1),
            };
            let found = if block.samples[first].is_nan() { "not a number" } else { "infinite" };
            return Err(NodeError::input(format!(
                "{}: sample {at}{channel}, at {:.3} s, is {found}, expected numbers in [-1,1]",
                self.name,
                at as f64 / f64::from(block.rate)
            ))
            .hint("export the audio again, as 16-bit WAV for example"));
        }
        let finite = |&sample: &f32| if sample.is_finite() { sample } else { 0.0 };
        self.bad += block.samples.iter().filter(|sample| !sample.is_finite()).count() as u64;
        Ok(Some(Block { samples: block.samples.iter().map(finite).collect(), ..*block }))
    }

    /// The samples at [`RATE`] and where the track was written, if it was.
    fn finish(mut self) -> Result<(Vec<f32>, PathBuf)> {
        if let Some((_, resampler)) = self.resampler.take() {
            resampler.finish(&mut self.samples).told()?;
        }
        let path = self.track.map(TrackWriter::finish).transpose()?;
        Ok((self.samples, path.unwrap_or_default()))
    }
}
