//! The file that `mux` writes, whatever its container.

use std::path::{Path, PathBuf};

use image::{RgbImage, imageops};
use talkgraph_media::{
    AudioCodec, AudioSource, Container, Finished, FrameRate, Session, Settings, Webp, WebpSettings, Writer,
};

use super::gif::Gif;
use crate::{
    body::Context,
    contract::Rate,
    error::{NodeError, Result},
    media::Told,
};

/// What every file says about itself.
const TITLE: &str = "Synthetic talking head";
const COMMENT: &str = "Generated with talkgraph; not a recording. Digital source type: \
                       http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
const XMP: &str = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\">\
<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Synthetic talking head</rdf:li></rdf:Alt></dc:title>\
<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">Generated with talkgraph; not a recording.</rdf:li></rdf:Alt>\
</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>";

/// Longest side of a preview in pixels.
const PREVIEW_SIDE: usize = 512;

/// A file format, by its name in graph files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Media(Container),
    Gif,
    Webp,
}

/// Names in graph files, with the endings of names that mean them.
pub(super) const FORMATS: [(&str, Format); 7] = [
    ("mp4", Format::Media(Container::Mp4)),
    ("mov", Format::Media(Container::Mov)),
    ("mkv", Format::Media(Container::Matroska)),
    ("webm", Format::Media(Container::WebM)),
    ("gif", Format::Gif),
    ("webp", Format::Webp),
    (STREAM, Format::Media(Container::FragmentedMp4)),
];

/// The format for standard output.
pub(super) const STREAM: &str = "fmp4";

impl Format {
    /// The codec of the audio track; `None`: silent.
    pub(super) fn audio(self) -> Option<AudioCodec> {
        match self {
            Self::Media(container) => Some(container.audio()),
            Self::Gif | Self::Webp => None,
        }
    }
}

/// How frames are coded.
pub(super) struct Video {
    pub(super) rate: Rate,
    /// Height and width.
    pub(super) size: (usize, usize),
    pub(super) crf: i64,
    pub(super) preset: String,
}

/// A file being written.
pub(super) struct VideoFile {
    path: PathBuf,
    frames: u64,
    size: (u32, u32),
    target: Target,
}

enum Target {
    Media(Writer),
    Gif(Box<Gif>),
    Webp(Webp),
}

impl VideoFile {
    /// Creates the file at `path`; `first` are the first frames, packed RGB.
    pub(super) fn create(
        session: &Session,
        path: PathBuf,
        format: Format,
        video: Video,
        audio: Option<AudioSource>,
        first: &[u8],
    ) -> Result<Self> {
        let (height, width) = video.size;
        let side = |n: usize| {
            u32::try_from(n).ok().filter(|&n| (2..=16_384).contains(&n)).ok_or_else(|| {
                NodeError::input(format!(
                    "port `frames`: {width}x{height} pixels, expected sides of 2 to 16384"
                ))
            })
        };
        let size = (side(width)?, side(height)?);
        let signed = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let rate = FrameRate { num: signed(video.rate.num), den: signed(video.rate.den) };
        let target = match format {
            Format::Media(container) => {
                let settings = Settings {
                    rate,
                    width: size.0,
                    height: size.1,
                    crf: video.crf,
                    preset: video.preset,
                    tags: [("title", TITLE), ("comment", COMMENT)]
                        .map(|(a, b)| (a.to_owned(), b.to_owned()))
                        .into(),
                };
                Target::Media(Writer::create(session, &path, container, &settings, audio.as_ref()).told()?)
            }
            Format::Gif => {
                let small = preview(size);
                let sides = (small.0 as u16, small.1 as u16);
                let frame = width * height * 3;
                let sample: Vec<u8> =
                    first.chunks_exact(frame).step_by(8).flat_map(|rgb| scaled(rgb, size, small)).collect();
                let comment = format!("{TITLE}. {COMMENT}");
                let gif = Gif::create(&path, sides, video.rate, &sample, &comment);
                Target::Gif(Box::new(gif.map_err(|error| cannot_write_gif(&path, error))?))
            }
            Format::Webp => {
                let small = preview(size);
                // As JPEG's usual qualities: 80 at the default, 100 where lossless is asked for.
                let quality = (100 - video.crf * 10 / 9).clamp(0, 100);
                let settings = WebpSettings { width: small.0, height: small.1, rate, quality };
                Target::Webp(Webp::create(session, &path, settings, XMP).told()?)
            }
        };
        Ok(Self { path, frames: 0, size, target })
    }

    /// Frames so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Adds one packed RGB frame.
    pub(super) fn frame(&mut self, rgb: &[u8]) -> Result<()> {
        let small = preview(self.size);
        match &mut self.target {
            Target::Media(writer) => writer.frame(rgb).told()?,
            Target::Webp(webp) => webp.frame(&scaled(rgb, self.size, small)).told()?,
            Target::Gif(gif) => gif
                .frame(&scaled(rgb, self.size, small))
                .map_err(|error| cannot_write_gif(&self.path, error))?,
        }
        self.frames += 1;
        Ok(())
    }

    /// Adds samples, channels interleaved.
    pub(super) fn samples(&mut self, samples: &[f32]) -> Result<()> {
        match &mut self.target {
            Target::Media(writer) => Ok(writer.samples(samples).told()?),
            Target::Gif(_) | Target::Webp(_) => Ok(()),
        }
    }

    /// Takes packets over up to sample `end`.
    pub(super) fn packets_until(&mut self, end: u64) -> Result<()> {
        match &mut self.target {
            Target::Media(writer) => Ok(writer.packets_until(end).told()?),
            Target::Gif(_) | Target::Webp(_) => Ok(()),
        }
    }

    /// Ends the file and gives its path, and the packets of silence in it. Packets of audio that were taken over are cut at sample
    /// `audio_end`.
    pub(super) fn finish(self, audio_end: u64, ctx: &Context<'_>) -> Result<(PathBuf, u64)> {
        let (path, cancelled) = (self.path, || ctx.host.cancelled());
        let silent = match self.target {
            Target::Media(writer) => {
                let Finished { silent_packets } = writer.finish(audio_end, &cancelled).told()?;
                silent_packets
            }
            Target::Webp(webp) => webp.finish(&cancelled).map(|()| 0).told()?,
            Target::Gif(gif) => gif.finish().map(|()| 0).map_err(|error| cannot_write_gif(&path, error))?,
        };
        Ok((path, silent))
    }
}

fn cannot_write_gif(path: &Path, error: gif::EncodingError) -> NodeError {
    NodeError::io(format!("{}: cannot be written", path.display())).caused_by(error)
}

/// The size of a preview of frames of this size.
fn preview((width, height): (u32, u32)) -> (u32, u32) {
    let longer = width.max(height);
    let limit = PREVIEW_SIDE as u32;
    if longer <= limit {
        return (width, height);
    }
    let side = |n: u32| (n * limit).div_ceil(longer).max(1);
    (side(width), side(height))
}

/// A packed RGB frame at another size.
fn scaled(rgb: &[u8], from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
    match RgbImage::from_raw(from.0, from.1, rgb.to_vec()) {
        Some(frame) if from != to => {
            imageops::resize(&frame, to.0, to.1, imageops::FilterType::CatmullRom).into_raw()
        }
        _ => rgb.to_vec(),
    }
}
