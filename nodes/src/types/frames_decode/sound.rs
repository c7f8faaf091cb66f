//! The sound of a video that drives: a track as long as the video, beginning with its first picture.

use std::{
    fs,
    path::{Path, PathBuf},
};

use talkgraph_media::{AudioCodec, AudioReader, Block, Container, Session};

use crate::{
    body::Context,
    error::{ErrorKind, NodeError, Result},
    media::Told,
    sniff,
    types::audio_decode::TrackWriter,
};

/// A track without sound: an empty file.
pub(super) fn silent(ctx: &Context<'_>) -> Result<PathBuf> {
    let path = ctx.host.scratch().join("track.none");
    fs::write(&path, []).map_err(|error| {
        NodeError::io(format!("{}: cannot be written", sniff::name(&path))).caused_by(error)
    })?;
    Ok(path)
}

/// The track of the video at `path`, cut or filled up with silence to `seconds`, where they are known. Audio that cannot be read is a
/// warning, and the track is empty: the pictures need none.
pub(super) fn track(path: &Path, seconds: Option<f64>, ctx: &Context<'_>) -> Result<PathBuf> {
    match read(path, seconds, ctx) {
        Ok(track) => Ok(track),
        Err(error) if error.kind() == ErrorKind::Input => {
            ctx.host.warn(&format!("{error}; the video is taken without its audio"));
            silent(ctx)
        }
        Err(error) => Err(error),
    }
}

fn read(path: &Path, seconds: Option<f64>, ctx: &Context<'_>) -> Result<PathBuf> {
    let cancelled = || ctx.host.cancelled();
    let session = Session::start().told()?;
    if let Some(mut layout) = session.survey_with_pictures(path, 0, &cancelled).told()? {
        let (ending, container) = match layout.codec {
            AudioCodec::Opus => ("webm", Container::WebM),
            AudioCodec::Aac | AudioCodec::Flac => ("m4a", Container::M4a),
        };
        if let Some(seconds) = seconds {
            layout.samples = samples(seconds, layout.rate);
        }
        let copy = ctx.host.scratch().join(format!("track.{ending}"));
        session.copy_track(path, 0, layout, (&copy, container), &cancelled).told()?;
        return Ok(copy);
    }
    let mut reader = AudioReader::open_with_pictures(&session, path, 0).told()?;
    let mut track = TrackWriter::new(session.clone(), ctx.host.scratch().join("track.flac"));
    let (mut heard, mut last) = (0.0, None);
    while let Some(mut block) = reader.next_block().told()? {
        ctx.check_cancelled()?;
        let channels = usize::from(block.channels);
        let left = seconds.map_or(u64::MAX, |seconds| samples(seconds - heard, block.rate));
        if left == 0 {
            break;
        }
        block.samples.truncate(usize::try_from(left).unwrap_or(usize::MAX).saturating_mul(channels));
        block.samples.iter_mut().filter(|sample| !sample.is_finite()).for_each(|sample| *sample = 0.0);
        heard += (block.samples.len() / channels) as f64 / f64::from(block.rate);
        track.push(&block)?;
        last = Some((block.rate, block.channels, block.layout, block.bits));
    }
    let Some((rate, channels, layout, bits)) = last else {
        return Err(NodeError::input(format!("{}: its audio has no samples", sniff::name(path))));
    };
    let mut left = seconds.map_or(0, |seconds| samples(seconds - heard, rate));
    while left > 0 {
        ctx.check_cancelled()?;
        let now = left.min(rate.into());
        let samples = vec![0.0; now as usize * usize::from(channels)];
        track.push(&Block { rate, channels, layout, bits, samples })?;
        left -= now;
    }
    track.finish()
}

/// Samples, `rate` a second, that last so many seconds, to the nearest.
fn samples(seconds: f64, rate: u32) -> u64 {
    (seconds.max(0.0) * f64::from(rate)).round() as u64
}
