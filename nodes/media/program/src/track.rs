//! An audio track by itself: what a user's file holds, kept for the video.

use ffmpeg_next::{Error, format::context::Output};
use talkgraph_media::{AudioSettings, Container, Layout, Result};

use crate::{
    audio_encode::AudioEncoder,
    container::Muxed,
    ffmpeg::{create, failed},
    files::Sink,
    packets::{Feed, PacketReader, PacketTrack},
};

/// A FLAC file being written.
pub(crate) struct Lossless {
    output: Output,
    encoder: AudioEncoder,
}

impl Lossless {
    /// Creates the file.
    pub(crate) fn create(sink: Sink, settings: AudioSettings) -> Result<Self, Error> {
        let mut output = create(sink, Container::Flac.muxer())?;
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

/// Copies the packets that `reader` gives, which lie as `layout` says, to a new file of this name: as many samples as that says, the last
/// ones silence where there are fewer.
pub(crate) fn copy(
    reader: PacketReader,
    layout: Layout,
    (sink, to): (Sink, &str),
    container: Container,
) -> Result<()> {
    let cannot = |error| failed(format!("{to}: cannot be written"), error);
    let mut output = create(sink, container.muxer()).map_err(cannot)?;
    let mut track = PacketTrack::open(&mut output, container, layout, reader.parameters()).map_err(cannot)?;
    drop(output.write_header_with(container.options()).map_err(cannot)?);
    Feed::new(reader, layout, container).until(layout.samples, &mut track, &mut output, to)?;
    track.finish(layout.samples, &mut output).map_err(cannot)?;
    output.write_trailer().map_err(cannot)
}
