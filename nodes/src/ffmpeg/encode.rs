//! A video file: frames and audio, the same bytes for the same input.

use std::path::Path;

use ffmpeg_next::{Dictionary, Error, Packet, Rational, format, format::context::Output};

use super::{audio_encode::AudioEncoder, container::Container, init, video_encode::VideoEncoder};

/// Index of the video stream.
pub(super) const VIDEO: usize = 0;
/// Index of the audio stream.
pub(super) const AUDIO: usize = 1;

/// What a file is made with.
#[derive(Clone, Debug)]
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
    pub(crate) audio: Option<AudioSettings>,
    /// Title and comment of the file.
    pub(crate) tags: Vec<(&'static str, &'static str)>,
}

/// What an audio track is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AudioSettings {
    /// Samples a second.
    pub(crate) rate: u32,
    /// Channels.
    pub(crate) channels: u16,
    /// Bits a second.
    pub(crate) bit_rate: usize,
}

/// A file being written. Frames and audio may come in any order; what waits for the other is kept by the muxer.
pub(crate) struct Writer {
    output: Output,
    video: VideoEncoder,
    audio: Option<AudioEncoder>,
}

impl Writer {
    /// Creates the file at `path`.
    pub(crate) fn create(path: &Path, container: Container, settings: &Settings) -> Result<Self, Error> {
        init().map_err(|_| Error::Unknown)?;
        let mut output = format::output_as(path, container.muxer())?;
        let video = VideoEncoder::open(&mut output, container, settings)?;
        let audio = match settings.audio {
            Some(audio) => Some(AudioEncoder::open(&mut output, container, audio)?),
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
    pub(crate) fn audio(&mut self, samples: &[f32]) -> Result<(), Error> {
        match &mut self.audio {
            Some(audio) => audio.push(samples, &mut self.output),
            None => Ok(()),
        }
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.video.finish(&mut self.output)?;
        if let Some(audio) = &mut self.audio {
            audio.finish(&mut self.output)?;
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
