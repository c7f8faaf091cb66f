//! Colours of a picture as its profile means them, in sRGB.

use image::{DynamicImage, RgbImage};
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, RenderingIntent, TransformOptions};

/// Steps of a channel by which a profile that means sRGB may differ from it.
const SAME: u8 = 1;

/// Codes of ITU-T H.273 for primaries.
const BT2020: u8 = 9;
const DCI_P3: u8 = 11;
const DISPLAY_P3: u8 = 12;

/// The profile of these bytes, where it is one of RGB or grey and means something else than sRGB; `None` for sRGB and for profiles that
/// say nothing about these pixels (CMYK was turned to RGB before) or cannot be read.
pub(crate) fn of_icc(icc: &[u8]) -> Option<ColorProfile> {
    let profile = ColorProfile::new_from_slice(icc).ok()?;
    is_other(&profile).ok()?.then_some(profile)
}

/// The profile of primaries by their code in ITU-T H.273; `None` where they are those of sRGB. The curve is taken as that of sRGB: light of
/// HDR pictures is not mapped.
pub(crate) fn of_primaries(primaries: u8) -> Option<ColorProfile> {
    match primaries {
        DISPLAY_P3 | DCI_P3 => Some(ColorProfile::new_display_p3()),
        BT2020 => {
            let curve = ColorProfile::new_srgb().red_trc;
            let mut profile = ColorProfile::new_bt2020();
            (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
            profile.cicp = None;
            Some(profile)
        }
        _ => None,
    }
}

/// The picture in sRGB. It keeps its depth and its transparency; grey becomes RGB. Where colours cannot be carried over, it stays as it is.
pub(crate) fn to_srgb(picture: DynamicImage, profile: &ColorProfile) -> DynamicImage {
    let grey = profile.color_space == DataColorSpace::Gray;
    if grey
        != matches!(
            picture.color(),
            image::ColorType::L8 | image::ColorType::La8 | image::ColorType::L16 | image::ColorType::La16
        )
    {
        return picture;
    }
    let done = match (&picture, grey) {
        (_, true) => from_grey(&picture, profile),
        (DynamicImage::ImageRgb16(_) | DynamicImage::ImageRgba16(_), false) => deep(&picture, profile),
        _ => shallow(&picture, profile),
    };
    done.unwrap_or(picture)
}

fn options() -> TransformOptions {
    TransformOptions {
        rendering_intent: RenderingIntent::RelativeColorimetric,
        ..TransformOptions::default()
    }
}

/// Whether colours that the profile means are others than sRGB's of the same numbers.
fn is_other(profile: &ColorProfile) -> Result<bool, CmsError> {
    let (layout, channels) = match profile.color_space {
        DataColorSpace::Rgb => (Layout::Rgb, 3),
        DataColorSpace::Gray => (Layout::Gray, 1),
        _ => return Ok(false),
    };
    let levels: Vec<u8> = (0..=255).step_by(51).collect();
    let samples: Vec<u8> = match channels {
        1 => levels.clone(),
        _ => levels
            .iter()
            .flat_map(|&r| {
                levels.iter().flat_map(|&g| [[r, g, 0], [r, g, 128], [r, g, 255]]).collect::<Vec<_>>()
            })
            .flatten()
            .collect(),
    };
    let mut meant = vec![0; samples.len() / channels * 3];
    let transform =
        profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, options())?;
    transform.transform(&samples, &mut meant)?;
    let pairs = meant
        .iter()
        .enumerate()
        .map(|(i, meant)| (meant, if channels == 1 { samples[i / 3] } else { samples[i] }));
    Ok(pairs.into_iter().any(|(meant, sample)| meant.abs_diff(sample) > SAME))
}

fn shallow(picture: &DynamicImage, profile: &ColorProfile) -> Option<DynamicImage> {
    let srgb = ColorProfile::new_srgb();
    if picture.color().has_alpha() {
        let transform = profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, options()).ok()?;
        let from = picture.to_rgba8();
        let mut to = from.clone();
        transform.transform(&from, &mut to).ok()?;
        return Some(to.into());
    }
    let transform = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options()).ok()?;
    let from = picture.to_rgb8();
    let mut to = RgbImage::new(from.width(), from.height());
    transform.transform(&from, &mut to).ok()?;
    Some(to.into())
}

fn deep(picture: &DynamicImage, profile: &ColorProfile) -> Option<DynamicImage> {
    let srgb = ColorProfile::new_srgb();
    if let DynamicImage::ImageRgba16(from) = picture {
        let transform = profile.create_transform_16bit(Layout::Rgba, &srgb, Layout::Rgba, options()).ok()?;
        let mut to = from.clone();
        transform.transform(from, &mut to).ok()?;
        return Some(to.into());
    }
    let transform = profile.create_transform_16bit(Layout::Rgb, &srgb, Layout::Rgb, options()).ok()?;
    let from = picture.to_rgb16();
    let mut to = from.clone();
    transform.transform(&from, &mut to).ok()?;
    Some(to.into())
}

/// Grey in 8 bits, by a table: its curve is all that a grey profile has.
fn from_grey(picture: &DynamicImage, profile: &ColorProfile) -> Option<DynamicImage> {
    let transform = profile
        .create_transform_8bit(Layout::Gray, &ColorProfile::new_srgb(), Layout::Rgb, options())
        .ok()?;
    let levels: Vec<u8> = (0..=255).collect();
    let mut meant = vec![0; levels.len() * 3];
    transform.transform(&levels, &mut meant).ok()?;
    let mut pixels = picture.to_luma_alpha8();
    pixels.pixels_mut().for_each(|pixel| pixel.0[0] = meant[usize::from(pixel.0[0]) * 3]);
    Some(DynamicImage::ImageLumaA8(pixels))
}
