//! A video file: frames and audio, the same bytes for the same input.

use std::path::Path;

use ffmpeg_next::{Dictionary, Error, Packet, Rational, codec, format, format::context::Output};

use super::{
    audio_encode::AudioEncoder,
    container::Container,
    init,
    packets::{Layout, PacketTrack},
    video_encode::VideoEncoder,
};

/// Index of the video stream.
pub(super) const VIDEO: usize = 0;

/// What a file is made with.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Frames a second.
    pub(crate) rate: Rational,
    /// Size of the frames; odd sizes are padded to even ones.
    pub(crate) width: u32,
    /// See `width`.
    pub(crate) height: u32,
    /// x264's constant rate factor, also for other codecs.
    pub(crate) crf: i64,
    /// x264's preset, also for other codecs.
    pub(crate) preset: String,
    /// The audio track; `None`: there is none.
    pub(crate) audio: Option<AudioSource>,
    /// Title and comment of the file.
    pub(crate) tags: Vec<(&'static str, &'static str)>,
}

/// Where an audio track comes from.
#[derive(Clone)]
pub(crate) enum AudioSource {
    /// Samples to encode.
    Samples(AudioSettings),
    /// Packets to take over, and what their codec must know.
    Packets(Layout, codec::Parameters),
}

/// What an audio track is encoded with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AudioSettings {
    /// Samples a second.
    pub(crate) rate: u32,
    /// Channels.
    pub(crate) channels: u16,
    /// Bits a second; 0 for codecs without loss.
    pub(crate) bit_rate: usize,
    /// Bits of a sample, for codecs without loss.
    pub(crate) bits: u32,
}

/// A file being written. Frames and audio may come in any order; what waits for the other is kept by the muxer.
pub(crate) struct Writer {
    output: Output,
    video: VideoEncoder,
    audio: Option<AudioTrack>,
}

enum AudioTrack {
    Encoded(AudioEncoder),
    Packets(PacketTrack),
}

impl Writer {
    /// Creates the file at `path`.
    pub(crate) fn create(path: &Path, container: Container, settings: &Settings) -> Result<Self, Error> {
        init().map_err(|_| Error::Unknown)?;
        let mut output = format::output_as(path, container.muxer())?;
        let video = VideoEncoder::open(&mut output, container, settings)?;
        let audio =
            match &settings.audio {
                Some(AudioSource::Samples(audio)) => {
                    Some(AudioTrack::Encoded(AudioEncoder::open(&mut output, container, *audio)?))
                }
                Some(AudioSource::Packets(layout, parameters)) => Some(AudioTrack::Packets(
                    PacketTrack::open(&mut output, container, *layout, parameters.clone())?,
                )),
                None => None,
            };
        let mut tags = Dictionary::new();
        settings.tags.iter().for_each(|(name, value)| tags.set(name, value));
        output.set_metadata(tags);
        drop(output.write_header_with(container.options())?);
        Ok(Self { output, video, audio })
    }

    /// Adds one packed RGB frame of the settings' size.
    pub(crate) fn frame(&mut self, rgb: &[u8]) -> Result<(), Error> {
        self.video.push(rgb, &mut self.output)
    }

    /// Adds samples, channels interleaved, as many as there are.
    pub(crate) fn samples(&mut self, samples: &[f32]) -> Result<(), Error> {
        match &mut self.audio {
            Some(AudioTrack::Encoded(audio)) => audio.push(samples, &mut self.output),
            Some(AudioTrack::Packets(_)) | None => Ok(()),
        }
    }

    /// Adds a packet that is taken over.
    pub(crate) fn packet(&mut self, data: &[u8]) -> Result<(), Error> {
        match &mut self.audio {
            Some(AudioTrack::Packets(track)) => track.push(data, &mut self.output),
            Some(AudioTrack::Encoded(_)) | None => Ok(()),
        }
    }

    /// The sample that the next packet to be taken over begins with.
    pub(crate) fn next_packet(&self) -> i64 {
        match &self.audio {
            Some(AudioTrack::Packets(track)) => track.next_start(),
            Some(AudioTrack::Encoded(_)) | None => 0,
        }
    }

    /// Ends the file; packets that were taken over are cut at sample `audio_end`.
    pub(crate) fn finish(mut self, audio_end: u64) -> Result<(), Error> {
        self.video.finish(&mut self.output)?;
        match &mut self.audio {
            Some(AudioTrack::Encoded(audio)) => audio.finish(&mut self.output)?,
            Some(AudioTrack::Packets(track)) => track.finish(audio_end, &mut self.output)?,
            None => {}
        }
        self.output.write_trailer()
    }
}

/// Hands a packet with times in units of `base` to the muxer.
pub(super) fn write(
    packet: &mut Packet,
    stream: usize,
    base: Rational,
    output: &mut Output,
) -> Result<(), Error> {
    let Some(to) = output.stream(stream).map(|stream| stream.time_base()) else {
        return Err(Error::StreamNotFound);
    };
    packet.set_stream(stream);
    packet.rescale_ts(base, to);
    packet.write_interleaved(output)
}
