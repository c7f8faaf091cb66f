//! Single pictures.

use std::{os::fd::AsFd, path::Path};

use image::RgbImage;

use super::{
    Session,
    channel::{Cancel, Place},
    files,
    video::exact,
};
use crate::{
    error::Result,
    kinds::Under,
    protocol::{Reply, Request},
    sniff,
};

/// A picture, and what was found wrong with its file.
#[derive(Debug)]
pub struct Picture {
    /// Upright, sRGB, without transparency.
    pub picture: RgbImage,
    /// Whether it is a JPEG that has all its pixels, yet no end marker.
    pub lacks_end: bool,
}

impl Session {
    /// Decodes the picture at `path`, upright and without transparency.
    pub fn picture(&self, path: &Path, under: Under, cancel: Cancel<'_>) -> Result<Picture> {
        let name = sniff::name(path);
        let (at, file) = (Place::decoding(name.clone()), files::input(path, "an image file")?);
        let request = Request::Picture { name, under };
        let (reply, bulk) = self.call_until(&request, &[], &[file.as_fd()], &at, cancel)?;
        let picture = match reply {
            Reply::Picture { width, height, lacks_end } if width > 0 && height > 0 => {
                exact(width, height, bulk).map(|picture| Picture { picture, lacks_end })
            }
            _ => None,
        };
        picture.ok_or_else(|| self.nonsense(&at))
    }
}
