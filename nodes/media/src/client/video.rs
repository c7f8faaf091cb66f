//! The pictures of a video, one at a time.

use std::path::Path;

use image::RgbImage;

use super::{Object, Session, channel::Place, files};
use crate::{
    error::Result,
    protocol::{Reply, Request},
    sniff,
};

/// A video being decoded, in a process of its own, a picture ahead of what was taken.
pub struct Pictures {
    object: Object,
    step: f64,
    seconds: f64,
    has_audio: bool,
    /// Whether the next picture was asked for.
    asked: bool,
    ended: bool,
    sizes: Vec<String>,
    /// Packets and pictures that could not be decoded; known at the end.
    pub damaged: u64,
}

/// A picture and when it is shown.
pub struct Shown {
    /// The picture.
    pub picture: RgbImage,
    /// Seconds from an origin of the file's own.
    pub seconds: f64,
    /// Seconds that it is shown, as its packet says; 0: not said.
    pub lasts: f64,
}

impl Pictures {
    /// Opens the best video track of `path`. Pictures whose longer side is over `max_side` are scaled down; 0: never.
    pub fn open(path: &Path, max_side: u32) -> Result<Self> {
        let name = sniff::name(path);
        let files = [files::input(path, "a video or a folder of images")?];
        let session = Session::start()?;
        let (object, reply) = Object::open(&session, Place::decoding(name.clone()), &files, |id| {
            Request::OpenVideo { id, name, max_side }
        })?;
        match reply {
            Reply::Video { step, seconds, has_audio }
                if step.is_finite() && step > 0.0 && seconds.is_finite() && seconds >= 0.0 =>
            {
                let (asked, ended) = (false, false);
                Ok(Self { object, step, seconds, has_audio, asked, ended, sizes: vec![], damaged: 0 })
            }
            _ => Err(object.nonsense()),
        }
    }

    /// Seconds between pictures, on average.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Seconds that the video plays, as the file says; `None` where it does not.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.seconds).filter(|&seconds| seconds > 0.0)
    }

    /// Whether the file holds audio, too.
    pub fn has_audio(&self) -> bool {
        self.has_audio
    }

    /// The sizes that pictures had, each once: more than one where the video changes its size. Known at the end.
    pub fn sizes(&self) -> &[String] {
        &self.sizes
    }

    /// The next picture, as large as the first; `None` after the last one.
    pub fn next_picture(&mut self) -> Result<Option<Shown>> {
        if self.ended {
            return Ok(None);
        }
        if !self.asked {
            self.ask()?;
        }
        self.asked = false;
        let Object { session, at, .. } = &self.object;
        let (reply, bulk) = session.inner().channel.receive(at, &|| false)?;
        match reply {
            Reply::VideoEnd { sizes, damaged } => {
                (self.sizes, self.damaged, self.ended) = (sizes, damaged, true);
                Ok(None)
            }
            Reply::Shown { width, height, seconds, lasts }
                if width > 0 && height > 0 && seconds.is_finite() && lasts.is_finite() =>
            {
                let Some(picture) = exact(width, height, bulk) else { return Err(self.object.nonsense()) };
                // The next one is decoded while this one is used.
                self.ask()?;
                Ok(Some(Shown { picture, seconds, lasts }))
            }
            _ => Err(self.object.nonsense()),
        }
    }

    fn ask(&mut self) -> Result<()> {
        self.object.tell(&Request::NextPicture(self.object.id), &[])?;
        self.asked = true;
        Ok(())
    }
}

/// The picture of so many pixels; `None` where the bulk is of another length.
pub(super) fn exact(width: u32, height: u32, bulk: Vec<u8>) -> Option<RgbImage> {
    let expected = u64::from(width) * u64::from(height) * 3;
    if bulk.len() as u64 == expected { RgbImage::from_raw(width, height, bulk) } else { None }
}
