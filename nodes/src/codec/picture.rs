//! Pictures as 8-bit RGB PNG.

use std::io::Cursor;

use image::{
    ExtendedColorType, ImageEncoder, ImageFormat, RgbImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

use crate::error::{NodeError, Result};

/// Fixed settings: they are part of the blob's bytes.
pub(crate) fn encode(image: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(image.as_raw().len() / 2);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .map_err(|error| {
            NodeError::input(format!(
                "image of {}x{} pixels: cannot be written as PNG",
                image.width(),
                image.height()
            ))
            .caused_by(error)
        })?;
    Ok(bytes)
}

pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage> {
    image::load(Cursor::new(bytes), ImageFormat::Png)
        .map(image::DynamicImage::into_rgb8)
        .map_err(|error| NodeError::input("not a PNG image").caused_by(error))
}
