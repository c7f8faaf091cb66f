use std::{fs, path::PathBuf};

use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::TempDir;

use super::*;
use crate::{
    contract::ParamValue,
    testing::{TestHost, file, no_models, run_value},
};

fn decode(path: &std::path::Path, set: &[(&str, ParamValue)]) -> Result<RgbImage> {
    let out = run_value(&node(), set, &file(path), &TestHost::new(), &no_models())?;
    out.values["image"].image().cloned()
}

fn picture() -> RgbImage {
    RgbImage::from_fn(31, 17, |x, y| Rgb([(x * 8) as u8, (y * 15) as u8, ((x + y) * 5) as u8]))
}

fn written(folder: &TempDir, name: &str, picture: &DynamicImage) -> PathBuf {
    let path = folder.path().join(name);
    picture.save(&path).unwrap();
    path
}

#[test]
fn lossless_formats_give_the_very_pixels() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "a.bmp", "a.tiff", "a.webp"] {
        let path = written(&folder, name, &DynamicImage::ImageRgb8(picture()));
        assert_eq!(decode(&path, &[]).unwrap(), picture(), "{name}");
    }
}

#[test]
fn a_wrong_extension_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    DynamicImage::ImageRgb8(picture()).save_with_format(&path, ImageFormat::Bmp).unwrap();
    assert_eq!(decode(&path, &[]).unwrap(), picture());
}

#[test]
fn sixteen_bits_and_grey_become_eight_bit_rgb() {
    let folder = tempfile::tempdir().unwrap();
    let deep = DynamicImage::ImageRgb16(DynamicImage::ImageRgb8(picture()).into_rgb16());
    assert_eq!(decode(&written(&folder, "deep.png", &deep), &[]).unwrap(), picture());
    let grey = DynamicImage::ImageLuma8(image::GrayImage::from_pixel(3, 2, image::Luma([77])));
    assert_eq!(*decode(&written(&folder, "grey.png", &grey), &[]).unwrap().get_pixel(2, 1), Rgb([77; 3]));
}

#[test]
fn transparency_is_laid_over_the_chosen_tone() {
    let folder = tempfile::tempdir().unwrap();
    let mut picture = RgbaImage::from_pixel(3, 1, Rgba([200, 0, 0, 0]));
    picture.put_pixel(1, 0, Rgba([200, 0, 0, 255]));
    picture.put_pixel(2, 0, Rgba([255, 255, 255, 51]));
    let path = written(&folder, "alpha.png", &DynamicImage::ImageRgba8(picture));
    let grey = decode(&path, &[]).unwrap();
    assert_eq!((grey.get_pixel(0, 0).0, grey.get_pixel(1, 0).0), ([128; 3], [200, 0, 0]));
    let black = decode(&path, &[("under", ParamValue::Text("black".into()))]).unwrap();
    assert_eq!((black.get_pixel(0, 0).0, black.get_pixel(2, 0).0), ([0; 3], [51; 3]));
}

/// A JPEG with the given EXIF orientation.
fn jpeg(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0".to_vec();
    exif[19] = orientation;
    let mut bytes = vec![];
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif).unwrap();
    let picture = RgbImage::from_fn(64, 32, |x, _| Rgb([if x < 32 { 250 } else { 10 }; 3]));
    encoder.write_image(&picture, 64, 32, ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[test]
fn exif_orientation_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.jpg");
    for (orientation, size, bright) in
        [(1, (64, 32), (3, 3)), (3, (64, 32), (60, 3)), (6, (32, 64), (3, 3)), (8, (32, 64), (3, 60))]
    {
        fs::write(&path, jpeg(orientation)).unwrap();
        let picture = decode(&path, &[]).unwrap();
        assert_eq!(picture.dimensions(), size, "orientation {orientation}");
        assert!(picture.get_pixel(bright.0, bright.1).0[0] > 200, "orientation {orientation}");
    }
}

fn error(name: &str, bytes: &[u8]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let error = decode(&path, &[]).unwrap_err();
    let message = error.to_string().replace(&folder.path().display().to_string(), "");
    (message, error.hint_text().unwrap_or_default().to_owned())
}

#[test]
fn other_files_are_named() {
    let expected = "expected an image (PNG, JPEG, WebP, HEIC, AVIF, JPEG XL, GIF, BMP or TIFF), found";
    let text = error("a.jpg", b"Dear diary,\n");
    assert_eq!(text.0, format!("/a.jpg: {expected} text: `Dear diary,`"));
    assert_eq!(text.1, "give an image file");
    assert_eq!(error("a.png", b"").0, format!("/a.png: {expected} an empty file"));
    let document = error("a.psd", b"8BPS\0\x01");
    assert_eq!(document.0, format!("/a.psd: {expected} a Photoshop document"));
}

#[test]
fn truncated_pictures_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let noise = RgbImage::from_fn(64, 64, |x, y| {
        Rgb([((x * 37) ^ (y * 91)) as u8, (x * y) as u8, (x + 7 * y) as u8])
    });
    for name in ["a.png", "a.bmp", "a.tiff", "a.webp", "a.jpg"] {
        let path = written(&folder, name, &DynamicImage::ImageRgb8(noise.clone()));
        let bytes = fs::read(path).unwrap();
        for part in [2, 3, 10] {
            let (message, _) = error(name, &bytes[..bytes.len() - bytes.len() / part]);
            assert!(message.contains("cut short"), "{name} without 1/{part}: {message}");
        }
    }
}

#[test]
fn decompression_bombs_are_refused_before_decoding() {
    // A PNG header that claims 40,000 x 40,000 pixels.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x9c\x40\0\0\x9c\x40\x08\x02\0\0\0".to_vec();
    png.extend(crc32(&png[12..]).to_be_bytes());
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    let (message, hint) = error("bomb.png", &png);
    assert_eq!(message, "/bomb.png: 40000x40000 pixels, expected at most 150 megapixels");
    assert_eq!(hint, "scale the image down");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn missing_files_and_folders_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let error = decode(&folder.path().join("none.png"), &[]).unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Io);
    assert!(decode(folder.path(), &[]).unwrap_err().to_string().contains("found a folder"));
}

#[test]
fn a_jpeg_that_lacks_only_its_end_marker_is_taken_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    for picture in [picture(), RgbImage::from_pixel(40, 40, Rgb([90; 3]))] {
        DynamicImage::ImageRgb8(picture).save(&path).unwrap();
        let (bytes, whole) = (fs::read(&path).unwrap(), decode(&path, &[]).unwrap());
        let host = TestHost::new();
        fs::write(&path, &bytes[..bytes.len() - 2]).unwrap();
        let out = run_value(&node(), &[], &file(&path), &host, &no_models()).unwrap();
        assert_eq!(*out.values["image"].image().unwrap(), whole);
        assert_eq!(host.noted("end_marker"), Some("missing".into()));
        for lost in [5, 8, 20] {
            fs::write(&path, &bytes[..bytes.len() - lost]).unwrap();
            let message = decode(&path, &[]).unwrap_err().to_string();
            assert!(message.ends_with("cut short: its end is missing"), "{lost} bytes lost: {message}");
        }
    }
}

#[test]
fn of_several_pictures_in_a_file_the_first_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "a.jpg", &DynamicImage::ImageRgb8(picture()));
    let (first, whole) = (fs::read(&path).unwrap(), decode(&path, &[]).unwrap());
    let other = written(&folder, "b.jpg", &DynamicImage::ImageRgb8(RgbImage::new(8, 8)));
    let video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08mdat";
    for (name, rest) in [("a.mpo", fs::read(other).unwrap()), ("motion.jpg", video.to_vec())] {
        let path = folder.path().join(name);
        fs::write(&path, [&first[..], &rest].concat()).unwrap();
        assert_eq!(decode(&path, &[]).unwrap(), whole, "{name}");
    }
}
