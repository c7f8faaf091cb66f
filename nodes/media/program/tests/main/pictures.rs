//! Photos as people have them.

use std::{fs, path::Path};

use image::{DynamicImage, RgbImage, codecs::png::PngEncoder};
use moxcms::{ColorProfile, Layout, TransformOptions};
use talkgraph_media::{Result, Session};

use super::{heif, made};

const UNDER: [u8; 3] = [128; 3];

fn decode(path: &Path) -> Result<RgbImage> {
    Session::start()?.picture(path, UNDER, &|| false).map(|decoded| decoded.picture)
}

/// Largest and mean distance of channels.
fn off(found: &RgbImage, expected: &RgbImage) -> (u8, f64) {
    assert_eq!(found.dimensions(), expected.dimensions());
    let distances: Vec<_> = found.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b)).collect();
    let sum: u64 = distances.iter().map(|&distance| u64::from(distance)).sum();
    (distances.iter().copied().max().unwrap_or(0), sum as f64 / distances.len() as f64)
}

/// The same colours in numbers of Display P3.
fn as_p3(picture: &RgbImage) -> RgbImage {
    let transform = ColorProfile::new_srgb()
        .create_transform_8bit(
            Layout::Rgb,
            &ColorProfile::new_display_p3(),
            Layout::Rgb,
            TransformOptions::default(),
        )
        .unwrap();
    let mut p3 = picture.clone();
    transform.transform(picture, &mut p3).unwrap();
    p3
}

fn p3() -> Vec<u8> {
    ColorProfile::new_display_p3().encode().unwrap()
}

#[test]
fn photos_in_display_p3_keep_their_colours() {
    let folder = tempfile::tempdir().unwrap();
    let picture = made::picture(64, 48);
    let stored = as_p3(&picture);
    assert!(off(&stored, &picture).0 > 8, "the profile makes a difference");
    for (name, most) in [("a.png", 4), ("a.webp", 4), ("a.tiff", 4), ("a.jpg", 8)] {
        let path = folder.path().join(name);
        made::written(&path, &stored, Some(p3()));
        let (worst, mean) = off(&decode(&path).unwrap(), &picture);
        assert!(worst <= most && mean < 1.0, "{name}: off by {worst}, in the mean {mean}");
    }
    for (name, codec) in [("a.heic", heif::HEVC), ("a.avif", heif::AV1)] {
        let path = folder.path().join(name);
        if heif::written(&path, &stored, codec, Some(&p3())) {
            let (worst, mean) = off(&decode(&path).unwrap(), &picture);
            assert!(worst <= 14 && mean < 2.0, "{name}: off by {worst}, in the mean {mean}");
        }
    }
}

#[test]
fn sixteen_bits_in_display_p3_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, picture) = (folder.path().join("a.png"), made::picture(40, 30));
    let deep = DynamicImage::ImageRgb8(as_p3(&picture)).into_rgb16();
    let mut bytes = vec![];
    let mut encoder = PngEncoder::new(&mut bytes);
    image::ImageEncoder::set_icc_profile(&mut encoder, p3()).unwrap();
    deep.write_with_encoder(encoder).unwrap();
    fs::write(&path, bytes).unwrap();
    let (worst, _) = off(&decode(&path).unwrap(), &picture);
    assert!(worst <= 2, "off by {worst}");
}

#[test]
fn a_profile_that_means_srgb_or_cannot_be_read_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, picture) = (folder.path().join("a.png"), made::picture(40, 30));
    for icc in [ColorProfile::new_srgb().encode().unwrap(), b"no profile".repeat(20)] {
        made::written(&path, &picture, Some(icc));
        assert_eq!(decode(&path).unwrap(), picture);
    }
}

#[test]
fn grey_with_a_curve_of_its_own_is_brought_to_srgb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let grey = image::GrayImage::from_fn(16, 16, |x, y| image::Luma([(x * 16 + y) as u8]));
    let mut bytes = vec![];
    let mut encoder = PngEncoder::new(&mut bytes);
    image::ImageEncoder::set_icc_profile(
        &mut encoder,
        ColorProfile::new_gray_with_gamma(1.0).encode().unwrap(),
    )
    .unwrap();
    grey.write_with_encoder(encoder).unwrap();
    fs::write(&path, bytes).unwrap();
    let found = decode(&path).unwrap();
    // Half of the light is a much higher number in sRGB.
    let [r, g, b] = found.get_pixel(8, 0).0;
    assert!(r == g && g == b && r.abs_diff(188) <= 2, "{r} {g} {b}");
}

#[test]
fn heic_avif_jpeg_xl_and_the_first_frame_of_a_gif_are_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let picture = made::picture(64, 48);
    for (name, codec) in [("a.heic", heif::HEVC), ("a.avif", heif::AV1)] {
        let path = folder.path().join(name);
        if heif::written(&path, &picture, codec, None) {
            let (worst, mean) = off(&decode(&path).unwrap(), &picture);
            assert!(worst <= 14 && mean < 2.0, "{name}: off by {worst}, in the mean {mean}");
        }
    }
    let png = folder.path().join("a.png");
    made::written(&png, &picture, None);
    let png = png.to_str().unwrap();
    if let Some(path) =
        made::ffmpeg(&["-i", png, "-c:v", "libjxl", "-distance", "0.1"], &folder.path().join("a.jxl"))
    {
        let (worst, mean) = off(&decode(&path).unwrap(), &picture);
        assert!(worst <= 14 && mean < 2.0, "JPEG XL: off by {worst}, in the mean {mean}");
    }
    let gif = folder.path().join("a.gif");
    let frame = |level: u8| {
        image::Frame::new(image::RgbaImage::from_pixel(20, 10, image::Rgba([level, 20, 20, 255])))
    };
    let mut encoder = image::codecs::gif::GifEncoder::new(fs::File::create(&gif).unwrap());
    encoder.encode_frames([frame(200), frame(100)]).unwrap();
    drop(encoder);
    let found = decode(&gif).unwrap();
    assert_eq!((found.dimensions(), found.get_pixel(3, 3).0), ((20, 10), [200, 20, 20]));
}
