//! The audio of a video: encoded as far as the frames have come, or taken over packet by packet.

use std::{fs, path::Path};

use serde_json::{Value as Json, json};
use talkgraph_media::{
    AudioCodec, AudioReader, AudioSettings, AudioSource, Block, Container, Layout, Resampler, Session,
};

use super::file::VideoFile;
use crate::{
    artifact::Artifact,
    body::{Context, Inputs},
    error::{NodeError, Result},
    media::Told,
    sniff,
};

/// Samples of an artifact in memory that are handed on at once.
const BLOCK: usize = 16_000;

/// Rate of the track when the audio comes as analysed samples: what every player and platform takes.
const ANALYSED_RATE: u32 = 48_000;

/// Bits a second of each channel, and of all together at most, where nothing else is asked for.
const CHANNEL_BITS: u32 = 96_000;
const MOST_BITS: u32 = 510_000;

/// Bits a second of a channel that encoders take.
const MOST_CHANNEL_BITS: u32 = 256_000;

/// The track of the video being written.
pub(super) struct Track {
    /// Samples a second of the track.
    pub(super) rate: u32,
    codec: AudioCodec,
    feed: Feed,
}

enum Feed {
    Encoded { source: Source, resampler: Option<Resampler>, channels: usize, ready: Vec<f32>, given: u64 },
    Packets(Layout),
}

/// Where samples come from.
enum Source {
    Memory(Artifact, usize),
    File(Box<AudioReader>),
}

/// Whether the port `track` has a track without sound: an empty file.
pub(super) fn is_silent(inputs: &Inputs) -> Result<bool> {
    let path = &inputs.file("track")?.path;
    let size = fs::metadata(path).map(|meta| meta.len());
    size.map(|size| size == 0).map_err(|error| NodeError::io("port `track`: cannot be read").caused_by(error))
}

impl Track {
    /// The track for `container`, and what the file's writer must know of it. `bit_rate` 0: as many as suit.
    pub(super) fn open(
        session: &Session,
        inputs: &Inputs,
        container: Container,
        bit_rate: u32,
        ctx: &Context<'_>,
    ) -> Result<Option<(Self, AudioSource)>> {
        if inputs.has("track") {
            if is_silent(inputs)? {
                return Ok(None);
            }
            let layout = session.survey(&inputs.file("track")?.path, 0, &|| ctx.host.cancelled()).told()?;
            return Self::given(session, &inputs.file("track")?.path, (container, layout), bit_rate)
                .map(Some);
        }
        if !inputs.has("audio") {
            return Ok(None);
        }
        let audio = inputs.audio("audio")?;
        if audio.rate == 0 {
            return Err(NodeError::input("port `audio`: 0 samples a second"));
        }
        let source = Source::Memory(inputs.value("audio")?.clone(), 0);
        let resampler = Resampler::new(session, "port `audio`", audio.rate, ANALYSED_RATE, 1).told()?;
        Ok(Some(Self::encoded(source, resampler, (ANALYSED_RATE, 1), container.audio(), bit_rate)))
    }

    fn given(
        session: &Session,
        path: &Path,
        (container, layout): (Container, Option<Layout>),
        bit_rate: u32,
    ) -> Result<(Self, AudioSource)> {
        if let Some(layout) = layout.filter(|layout| container.takes(layout.codec)) {
            let track = Self { rate: layout.rate, codec: layout.codec, feed: Feed::Packets(layout) };
            return Ok((track, AudioSource::Packets(path.to_owned(), layout)));
        }
        let reader = AudioReader::open(session, path, 0).told()?;
        let (rate, channels) = (reader.rate(), reader.channels());
        let codec = container.audio();
        let source = Source::File(Box::new(reader));
        let resampler =
            Resampler::new(session, &sniff::name(path), rate, codec.rate(rate), channels).told()?;
        Ok(Self::encoded(source, resampler, (codec.rate(rate), channels), codec, bit_rate))
    }

    fn encoded(
        source: Source,
        resampler: Resampler,
        (rate, channels): (u32, u16),
        codec: AudioCodec,
        bit_rate: u32,
    ) -> (Self, AudioSource) {
        let usual = (CHANNEL_BITS * u32::from(channels)).min(MOST_BITS);
        let most = MOST_CHANNEL_BITS * u32::from(channels);
        let bit_rate = if bit_rate > 0 { bit_rate.min(most) } else { usual };
        let settings = AudioSettings { rate, channels, bit_rate, bits: 0 };
        let feed = Feed::Encoded {
            source,
            resampler: Some(resampler),
            channels: channels.into(),
            ready: vec![],
            given: 0,
        };
        (Self { rate, codec, feed }, AudioSource::Samples(settings))
    }

    /// Writes what is there before sample `end`.
    pub(super) fn until(&mut self, end: u64, file: &mut VideoFile) -> Result<()> {
        match &mut self.feed {
            Feed::Encoded { source, resampler, channels, ready, given } => {
                let wanted = (end - *given) as usize * *channels;
                while ready.len() < wanted && fill(source, resampler, ready)? {}
                let count = wanted.min(ready.len() / *channels * *channels);
                *given += (count / *channels) as u64;
                file.samples(&ready.drain(..count).collect::<Vec<_>>())
            }
            Feed::Packets(_) => file.packets_until(end),
        }
    }

    /// Writes up to sample `end`: cut there, or filled up with silence. Gives what was done, for the report; the file knows how
    /// many packets of silence that took.
    pub(super) fn finish(mut self, end: u64, file: &mut VideoFile) -> Result<Json> {
        self.until(end, file)?;
        match self.feed {
            Feed::Encoded { channels, given, .. } => {
                file.samples(&vec![0.0; (end - given) as usize * channels])?;
                Ok(json!({
                    "done": "encoded",
                    "codec": self.codec.name(),
                    "rate": self.rate,
                    "channels": channels,
                }))
            }
            Feed::Packets(layout) => Ok(json!({
                "done": "copied",
                "codec": self.codec.name(),
                "rate": layout.rate,
                "channels": layout.channels,
            })),
        }
    }
}

/// Takes one more block; false when there is none.
fn fill(source: &mut Source, resampler: &mut Option<Resampler>, ready: &mut Vec<f32>) -> Result<bool> {
    let block = match source {
        Source::Memory(audio, at) => {
            let samples = &audio.audio()?.samples;
            let next = samples.len().min(*at + BLOCK);
            let block = samples[*at..next].to_vec();
            *at = next;
            (!block.is_empty()).then_some(block)
        }
        Source::File(reader) => reader.next_block().told()?.map(|Block { samples, .. }| samples),
    };
    match (block, resampler.as_mut()) {
        (Some(block), Some(resampler)) => resampler.push(&block, ready).told()?,
        (None, Some(_)) => {
            if let Some(resampler) = resampler.take() {
                resampler.finish(ready).told()?;
            }
        }
        (_, None) => return Ok(false),
    }
    Ok(true)
}
