//! A video file: frames and audio, the same bytes for the same input.

use ffmpeg_next::{Dictionary, Error, Packet, Rational, format::context::Output};
use talkgraph_media::{AudioSettings, Container, Settings};

use crate::{
    audio_encode::AudioEncoder,
    container::Muxed,
    ffmpeg::create,
    files::Sink,
    link,
    packets::{Feed, PacketTrack},
    video_encode::VideoEncoder,
};

/// Index of the video stream.
pub(crate) const VIDEO: usize = 0;

/// Where an audio track comes from.
pub enum AudioTrack {
    /// Samples to encode.
    Samples(AudioSettings),
    /// Packets to take over.
    Packets(Feed),
}

/// A file being written. Frames and audio may come in any order; what waits for the other is kept by the muxer.
pub struct Writer {
    output: Output,
    video: VideoEncoder,
    audio: Option<Open>,
    /// Bytes of a frame.
    frame: usize,
}

/// An audio track being written.
enum Open {
    Encoded(AudioEncoder),
    Packets(Feed, PacketTrack),
}

impl Writer {
    /// Creates the file.
    pub fn create(
        sink: Sink,
        container: Container,
        settings: &Settings,
        audio: Option<AudioTrack>,
    ) -> Result<Self, Error> {
        let mut output = create(sink, container.muxer())?;
        let video = VideoEncoder::open(&mut output, container, settings)?;
        let audio = match audio {
            Some(AudioTrack::Samples(audio)) => {
                Some(Open::Encoded(AudioEncoder::open(&mut output, container, audio)?))
            }
            Some(AudioTrack::Packets(feed)) => {
                let track = PacketTrack::open(&mut output, container, feed.layout(), feed.parameters())?;
                Some(Open::Packets(feed, track))
            }
            None => None,
        };
        let mut tags = Dictionary::new();
        settings.tags.iter().for_each(|(name, value)| tags.set(name, value));
        output.set_metadata(tags);
        drop(output.write_header_with(container.options())?);
        let frame = settings.width as usize * settings.height as usize * 3;
        Ok(Self { output, video, audio, frame })
    }

    /// Adds one packed RGB frame of the settings' size.
    pub fn frame(&mut self, rgb: &[u8]) -> Result<(), Error> {
        if rgb.len() == self.frame { self.video.push(rgb, &mut self.output) } else { Err(Error::InvalidData) }
    }

    /// Adds samples, channels interleaved, as many as there are.
    pub fn samples(&mut self, samples: &[f32]) -> Result<(), Error> {
        match &mut self.audio {
            Some(Open::Encoded(audio)) => audio.push(samples, &mut self.output),
            Some(Open::Packets(..)) | None => Ok(()),
        }
    }

    /// Takes packets over up to sample `end`; silence where there are no more. `name` is this file's.
    pub(crate) fn packets_until(&mut self, end: u64, name: &str) -> talkgraph_media::Result<()> {
        match &mut self.audio {
            Some(Open::Packets(feed, track)) => feed.until(end, track, &mut self.output, name),
            Some(Open::Encoded(_)) | None => Ok(()),
        }
    }

    /// Ends the file; packets that were taken over are cut at sample `audio_end`. Gives the packets of silence behind those.
    pub fn finish(mut self, audio_end: u64) -> Result<u64, Error> {
        self.video.finish(&mut self.output)?;
        let silent = match &mut self.audio {
            Some(Open::Encoded(audio)) => audio.finish(&mut self.output).map(|()| 0)?,
            Some(Open::Packets(feed, track)) => {
                track.finish(audio_end, &mut self.output)?;
                feed.silent()
            }
            None => 0,
        };
        self.output.write_trailer()?;
        Ok(silent)
    }
}

/// Hands a packet with times in units of `base` to the muxer.
pub(crate) fn write(
    packet: &mut Packet,
    stream: usize,
    base: Rational,
    output: &mut Output,
) -> Result<(), Error> {
    let Some(to) = output.stream(stream).map(|stream| stream.time_base()) else {
        return Err(Error::StreamNotFound);
    };
    link::gets_on();
    packet.set_stream(stream);
    packet.rescale_ts(base, to);
    packet.write_interleaved(output)
}
