//! The audio of a video: encoded as far as the frames have come, or taken over packet by packet.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::file::VideoFile;
use crate::{
    artifact::Artifact,
    body::Inputs,
    error::{NodeError, Result},
    ffmpeg::{
        audio::{AudioReader, Block},
        container::{AudioCodec, Container},
        encode::{AudioSettings, AudioSource},
        failed,
        packets::{self, Layout, PacketReader},
        resample::Resampler,
    },
};

/// Samples of an artifact in memory that are handed on at once.
const BLOCK: usize = 16_000;

/// Rate of the track when the audio comes as analysed samples: what every player and platform takes.
const ANALYSED_RATE: u32 = 48_000;

/// Bits a second of each channel, and of all together at most, where nothing else is asked for.
const CHANNEL_BITS: usize = 96_000;
const MOST_BITS: usize = 510_000;

/// Bits a second of a channel that encoders take.
const MOST_CHANNEL_BITS: usize = 256_000;

/// The track of the video being written.
pub(super) struct Track {
    /// Samples a second of the track.
    pub(super) rate: u32,
    codec: AudioCodec,
    feed: Feed,
}

enum Feed {
    Encoded {
        source: Source,
        resampler: Option<Resampler>,
        channels: usize,
        ready: Vec<f32>,
        given: u64,
    },
    Packets {
        reader: PacketReader,
        layout: Layout,
        container: Container,
        filler: Option<Vec<u8>>,
        filled: u64,
    },
}

/// Where samples come from.
enum Source {
    Memory(Artifact, usize),
    File(Box<AudioReader>),
}

impl Track {
    /// The track for `container`, and what the file's writer must know of it. `bit_rate` 0: as many as suit.
    pub(super) fn open(
        inputs: &Inputs,
        container: Container,
        bit_rate: usize,
    ) -> Result<Option<(Self, AudioSource)>> {
        if inputs.has("track") {
            return Self::given(&inputs.file("track")?.path, container, bit_rate).map(Some);
        }
        if !inputs.has("audio") {
            return Ok(None);
        }
        let audio = inputs.audio("audio")?;
        if audio.rate == 0 {
            return Err(NodeError::input("port `audio`: 0 samples a second"));
        }
        let source = Source::Memory(inputs.value("audio")?.clone(), 0);
        Self::encoded(source, (audio.rate, ANALYSED_RATE), 1, container.audio(), bit_rate).map(Some)
    }

    fn given(path: &Path, container: Container, bit_rate: usize) -> Result<(Self, AudioSource)> {
        if let Some(layout) = packets::survey(path)?.filter(|layout| container.takes(layout.codec)) {
            let reader = PacketReader::open(path)?;
            let source = AudioSource::Packets(layout, reader.parameters());
            let feed = Feed::Packets { reader, layout, container, filler: None, filled: 0 };
            return Ok((Self { rate: layout.rate, codec: layout.codec, feed }, source));
        }
        let reader = AudioReader::open(path)?;
        let (rate, channels) = (reader.rate(), reader.channels());
        let codec = container.audio();
        Self::encoded(Source::File(Box::new(reader)), (rate, codec.rate(rate)), channels, codec, bit_rate)
    }

    fn encoded(
        source: Source,
        (from, rate): (u32, u32),
        channels: u16,
        codec: AudioCodec,
        bit_rate: usize,
    ) -> Result<(Self, AudioSource)> {
        let resampler = Resampler::new(from, rate, channels).map_err(cannot_resample)?;
        let usual = (CHANNEL_BITS * usize::from(channels)).min(MOST_BITS);
        let most = MOST_CHANNEL_BITS * usize::from(channels);
        let bit_rate = if bit_rate > 0 { bit_rate.min(most) } else { usual };
        let settings = AudioSettings { rate, channels, bit_rate, bits: 0 };
        let feed = Feed::Encoded {
            source,
            resampler: Some(resampler),
            channels: channels.into(),
            ready: vec![],
            given: 0,
        };
        Ok((Self { rate, codec, feed }, AudioSource::Samples(settings)))
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
            Feed::Packets { reader, layout, container, filler, filled } => {
                while file.next_packet() < end as i64 {
                    match reader.next()? {
                        Some(packet) if filler.is_none() => file.packet(packet.data().unwrap_or_default())?,
                        _ => {
                            let silence = match filler.take() {
                                Some(silence) => silence,
                                None => silence(*container, *layout)?,
                            };
                            file.packet(&silence)?;
                            *filled += 1;
                            *filler = Some(silence);
                        }
                    }
                }
                Ok(())
            }
        }
    }

    /// Writes up to sample `end`: cut there, or filled up with silence. Gives what was done, for the report.
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
            Feed::Packets { layout, filled, .. } => Ok(json!({
                "done": "copied",
                "codec": self.codec.name(),
                "rate": layout.rate,
                "channels": layout.channels,
                "silent_packets": filled,
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
        Source::File(reader) => reader.next()?.map(|Block { samples, .. }| samples),
    };
    match (block, resampler.as_mut()) {
        (Some(block), Some(resampler)) => resampler.push(&block, ready).map_err(cannot_resample)?,
        (None, Some(_)) => {
            if let Some(resampler) = resampler.take() {
                resampler.finish(ready).map_err(cannot_resample)?;
            }
        }
        (_, None) => return Ok(false),
    }
    Ok(true)
}

fn silence(container: Container, layout: Layout) -> Result<Vec<u8>> {
    let container = if layout.codec == AudioCodec::Opus { Container::WebM } else { container };
    let settings = AudioSettings {
        rate: layout.rate,
        channels: layout.channels,
        bit_rate: CHANNEL_BITS / 2 * usize::from(layout.channels),
        bits: 0,
    };
    packets::silence(container, settings)
        .map_err(|error| failed("port `track`: no silence after its end", error))
}

fn cannot_resample(error: ffmpeg_next::Error) -> NodeError {
    failed("the audio cannot be resampled", error)
}
