//! Files that the tests make.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use image::{
    ExtendedColorType, ImageEncoder, Rgb, RgbImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, tiff::TiffEncoder, webp::WebPEncoder},
};

/// A picture of soft colours, so that codecs with loss keep them.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([
            (x * 200 / width + 30) as u8,
            (y * 200 / height + 20) as u8,
            ((x + y) * 90 / (width + height) + 80) as u8,
        ])
    })
}

/// `picture` in the format of the name's ending, with an ICC profile where one is given.
pub fn written(path: &Path, picture: &RgbImage, icc: Option<Vec<u8>>) {
    let mut bytes = std::io::Cursor::new(vec![]);
    fn write(mut encoder: impl ImageEncoder, picture: &RgbImage, icc: Option<Vec<u8>>) {
        if let Some(icc) = icc {
            encoder.set_icc_profile(icc).expect("a format with profiles");
        }
        let (width, height) = picture.dimensions();
        encoder.write_image(picture, width, height, ExtendedColorType::Rgb8).expect("an image");
    }
    match path.extension().and_then(|name| name.to_str()) {
        Some("png") => write(PngEncoder::new(&mut bytes), picture, icc),
        Some("jpg") => write(JpegEncoder::new_with_quality(&mut bytes, 98), picture, icc),
        Some("webp") => write(WebPEncoder::new_lossless(&mut bytes), picture, icc),
        Some("tiff") => write(TiffEncoder::new(&mut bytes), picture, icc),
        _ => return picture.save(path).expect("an image"),
    }
    fs::write(path, bytes.into_inner()).expect("a file");
}

/// Runs the ffmpeg program; `None`, with the reason printed, where it is not installed or cannot.
pub fn ffmpeg(arguments: &[&str], to: &Path) -> Option<PathBuf> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).arg(to).output();
    match output {
        Ok(output) if output.status.success() => Some(to.to_owned()),
        Ok(output) => {
            eprintln!(
                "skipped: ffmpeg does not make {}: {}",
                to.display(),
                String::from_utf8_lossy(&output.stderr)
            );
            None
        }
        Err(error) => {
            eprintln!("skipped: the ffmpeg program is not installed ({error})");
            None
        }
    }
}
