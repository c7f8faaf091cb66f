use std::path::{Path, PathBuf};

use image::{RgbImage, imageops};
use talkgraph_cache::{folder_files, has_ending};
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

/// The pictures of `folder` in natural order.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let name = sniff::name(folder);
    let mut files = folder_files(folder)
        .map_err(|error| NodeError::io(format!("{name}: cannot be read")).caused_by(error))?;
    let all = files.len();
    files.retain(|path| has_ending(path, &PICTURES));
    if files.is_empty() {
        return Err(NodeError::input(format!(
            "{name}: no images among {all} files, expected names ending in {}",
            PICTURES.join(", ")
        )));
    }
    Ok(files)
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
