use std::{
    fs,
    path::{Path, PathBuf},
};

use image::{Rgb, RgbImage, imageops};

use crate::{
    error::{NodeError, Result},
    sniff,
    types::image_decode,
};

/// Extensions of the pictures that are taken from a folder.
const EXTENSIONS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff"];

/// What transparent pixels are laid over.
const UNDER: Rgb<u8> = Rgb([128; 3]);

/// The pictures of `folder` in natural order, and how many other files lie there.
pub(super) fn pictures(folder: &Path) -> Result<(Vec<PathBuf>, usize)> {
    let name = sniff::name(folder);
    let entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .map_err(|error| sniff::unreadable(folder, error))?;
    let files = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file());
    let shown =
        files.filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    let (mut pictures, others): (Vec<_>, Vec<_>) = shown.partition(|path| is_picture(path));
    if pictures.is_empty() {
        return Err(NodeError::input(format!(
            "{name}: no pictures among {} files, expected names ending in {}",
            others.len(),
            EXTENSIONS.join(", ")
        )));
    }
    alphanumeric_sort::sort_path_slice(&mut pictures);
    Ok((pictures, others.len()))
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// The picture at `path`, scaled down where its longer side is over `max_side`; 0: never.
pub(super) fn picture(path: &Path, max_side: u32) -> Result<RgbImage> {
    let picture = image_decode::decode(path, UNDER)?;
    let longer = picture.width().max(picture.height());
    if max_side == 0 || longer <= max_side {
        return Ok(picture);
    }
    let scale = f64::from(max_side) / f64::from(longer);
    let side = |n: u32| (f64::from(n) * scale).round().max(1.0) as u32;
    let (width, height) = (side(picture.width()), side(picture.height()));
    Ok(imageops::resize(&picture, width, height, imageops::FilterType::CatmullRom))
}
