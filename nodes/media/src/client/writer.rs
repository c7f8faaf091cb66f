//! Files being written.

use std::path::Path;

use super::{
    Object, Session,
    channel::{Cancel, Place},
    files,
};
use crate::{
    error::Result,
    kinds::{AudioSettings, AudioSource, Container, Settings, WebpSettings},
    protocol::{Reply, Request, Track},
    sniff,
};

/// What was done to a finished file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Packets of silence that were put behind those taken over.
    pub silent_packets: u64,
}

/// A video file being written. Frames and audio may come in any order; what waits for the other is kept by the muxer. What fails
/// is told by a later call.
pub struct Writer(Object);

impl Writer {
    /// Creates the file at `path`.
    pub fn create(
        session: &Session,
        path: &Path,
        container: Container,
        settings: &Settings,
        audio: Option<&AudioSource>,
    ) -> Result<Self> {
        let (name, settings) = (sniff::name(path), settings.clone());
        let mut files = vec![files::output(path)?];
        let audio = match audio {
            Some(AudioSource::Samples(settings)) => Some(Track::Samples(*settings)),
            Some(AudioSource::Packets(source, layout)) => {
                files.push(files::input(source, "audio")?);
                Some(Track::Packets { name: sniff::name(source), layout: *layout })
            }
            None => None,
        };
        let request = |id| Request::CreateVideo { id, name: name.clone(), container, settings, audio };
        created(Object::open(session, Place::encoding(name.clone()), &files, request)?).map(Self)
    }

    /// Adds one packed RGB frame of the settings' size.
    pub fn frame(&mut self, rgb: &[u8]) -> Result<()> {
        self.0.tell(&Request::Frame(self.0.id), rgb)
    }

    /// Adds samples, channels interleaved, as many as there are.
    pub fn samples(&mut self, samples: &[f32]) -> Result<()> {
        self.0.tell(&Request::Samples(self.0.id), bytemuck::cast_slice(samples))
    }

    /// Takes packets over up to sample `end`; silence where there are no more.
    pub fn packets_until(&mut self, end: u64) -> Result<()> {
        self.0.tell(&Request::PacketsUntil { id: self.0.id, end }, &[])
    }

    /// Ends the file; packets that were taken over are cut at sample `audio_end`.
    pub fn finish(self, audio_end: u64, cancel: Cancel<'_>) -> Result<Finished> {
        finish(&self.0, audio_end, cancel)
    }
}

/// A FLAC file being written.
pub struct Lossless(Object);

impl Lossless {
    /// Creates the file at `path`.
    pub fn create(session: &Session, path: &Path, settings: AudioSettings) -> Result<Self> {
        let (name, files) = (sniff::name(path), [files::output(path)?]);
        let request = |id| Request::CreateLossless { id, name: name.clone(), settings };
        created(Object::open(session, Place::encoding(name.clone()), &files, request)?).map(Self)
    }

    /// Adds samples, channels interleaved.
    pub fn push(&mut self, samples: &[f32]) -> Result<()> {
        self.0.tell(&Request::Samples(self.0.id), bytemuck::cast_slice(samples))
    }

    /// Ends the file.
    pub fn finish(self) -> Result<()> {
        finish(&self.0, 0, &|| false).map(drop)
    }
}

/// An animated WebP file being written.
pub struct Webp(Object);

impl Webp {
    /// Creates the file at `path`, which says `xmp` about itself.
    pub fn create(session: &Session, path: &Path, settings: WebpSettings, xmp: &str) -> Result<Self> {
        let (name, files) = (sniff::name(path), [files::output(path)?]);
        let request = |id| Request::CreateWebp { id, name: name.clone(), settings, xmp: xmp.to_owned() };
        created(Object::open(session, Place::encoding(name.clone()), &files, request)?).map(Self)
    }

    /// Adds one packed RGB frame.
    pub fn frame(&mut self, rgb: &[u8]) -> Result<()> {
        self.0.tell(&Request::Frame(self.0.id), rgb)
    }

    /// Ends the file.
    pub fn finish(self, cancel: Cancel<'_>) -> Result<()> {
        finish(&self.0, 0, cancel).map(drop)
    }
}

fn created((object, reply): (Object, Reply)) -> Result<Object> {
    match reply {
        Reply::Done => Ok(object),
        _ => Err(object.nonsense()),
    }
}

fn finish(object: &Object, audio_end: u64, cancel: Cancel<'_>) -> Result<Finished> {
    let request = Request::Finish { id: object.id, audio_end };
    match object.session.call_until(&request, &[], &[], &object.at, cancel)? {
        (Reply::Finished { silent_packets }, _) => Ok(Finished { silent_packets }),
        _ => Err(object.nonsense()),
    }
}
