use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage, imageops};
use talkgraph_cache::{has_ending, listed};
use talkgraph_media::{Session, Under};

use super::contract::PICTURES;
use crate::{
    body::Context,
    error::{NodeError, Result},
    media::Told,
    sniff,
};

/// What transparent pixels are laid over.
const UNDER: Under = [128; 3];

/// What surrounds a picture of another shape than the first. Grey, not the picture mirrored: a face must not come twice.
const BORDER: Rgb<u8> = Rgb(UNDER);

/// The pictures of a folder, or those that a pattern finds, in natural order; `None` where `path` is neither.
pub(super) fn pictures(path: &Path) -> Result<Option<Vec<PathBuf>>> {
    let name = sniff::name(path);
    let listed = listed(path).map_err(|error| {
        let hint = error.hint();
        let told = NodeError::io(format!("{name}: cannot be read")).caused_by(error);
        match hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    });
    let Some(mut files) = listed? else { return Ok(None) };
    let all = files.len();
    files.retain(|path| has_ending(path, &PICTURES));
    if files.is_empty() {
        return Err(NodeError::input(format!(
            "{name}: no images among {all} files, expected names ending in {}",
            PICTURES.join(", ")
        )));
    }
    Ok(Some(files))
}

/// The picture at `path`, scaled down where its longer side is over `max_side`; 0: never.
pub(super) fn picture(session: &Session, path: &Path, max_side: u32, ctx: &Context<'_>) -> Result<RgbImage> {
    let picture = session.picture(path, UNDER, &|| ctx.host.cancelled()).told()?.picture;
    let longer = picture.width().max(picture.height());
    if max_side == 0 || longer <= max_side {
        return Ok(picture);
    }
    let scale = f64::from(max_side) / f64::from(longer);
    let side = |n: u32| (f64::from(n) * scale).round().max(1.0) as u32;
    let (width, height) = (side(picture.width()), side(picture.height()));
    Ok(imageops::resize(&picture, width, height, imageops::FilterType::CatmullRom))
}

/// `picture` in a picture of `size`: scaled without distortion until it fits, in the middle, with borders where the shapes differ.
pub(super) fn fitted(picture: &RgbImage, size: (u32, u32)) -> RgbImage {
    let (own, wanted) = (picture.dimensions(), (f64::from(size.0), f64::from(size.1)));
    let scale = (wanted.0 / f64::from(own.0)).min(wanted.1 / f64::from(own.1));
    let side = |own: u32, most: u32| ((f64::from(own) * scale).round() as u32).clamp(1, most);
    let (width, height) = (side(own.0, size.0), side(own.1, size.1));
    let scaled = imageops::resize(picture, width, height, imageops::FilterType::CatmullRom);
    if (width, height) == size {
        return scaled;
    }
    let mut framed = RgbImage::from_pixel(size.0, size.1, BORDER);
    imageops::replace(
        &mut framed,
        &scaled,
        i64::from((size.0 - width) / 2),
        i64::from((size.1 - height) / 2),
    );
    framed
}
