//! An audio track by itself: what a user's file holds, kept for the video.

use std::path::Path;

use ffmpeg_next::{Error, format, format::context::Output};

use super::{
    audio_encode::AudioEncoder,
    container::Container,
    encode::AudioSettings,
    failed, init,
    packets::{Layout, PacketReader, PacketTrack},
};
use crate::{error::Result, sniff};

/// A FLAC file being written.
pub(crate) struct Lossless {
    output: Output,
    encoder: AudioEncoder,
}

impl Lossless {
    /// Creates the file at `path`.
    pub(crate) fn create(path: &Path, settings: AudioSettings) -> Result<Self, Error> {
        let mut output = new(path, Container::Flac)?;
        let encoder = AudioEncoder::open(&mut output, Container::Flac, settings)?;
        drop(output.write_header_with(Container::Flac.options())?);
        Ok(Self { output, encoder })
    }

    /// Adds samples, channels interleaved.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<(), Error> {
        self.encoder.push(samples, &mut self.output)
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.encoder.finish(&mut self.output)?;
        self.output.write_trailer()
    }
}

/// Copies the packets that `reader` gives, which lie as `layout` says, to a new file at `to`.
pub(crate) fn copy(mut reader: PacketReader, layout: Layout, to: &Path, container: Container) -> Result<()> {
    let cannot = |error| failed(format!("{}: cannot be written", sniff::name(to)), error);
    let mut output = new(to, container).map_err(cannot)?;
    let mut track = PacketTrack::open(&mut output, container, layout, reader.parameters()).map_err(cannot)?;
    drop(output.write_header_with(container.options()).map_err(cannot)?);
    while let Some(packet) = reader.next()? {
        track.push(packet.data().unwrap_or_default(), &mut output).map_err(cannot)?;
    }
    track.finish(layout.samples, &mut output).map_err(cannot)?;
    output.write_trailer().map_err(cannot)
}

fn new(path: &Path, container: Container) -> Result<Output, Error> {
    init().map_err(|_| Error::Unknown)?;
    format::output_as(path, container.muxer())
}
