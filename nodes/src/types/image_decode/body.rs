use std::{fs, io::Cursor, path::Path};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use super::contract::MAX_PIXELS;
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    sniff,
};

pub(super) struct Decode {
    pub(super) under: Rgb<u8>,
}

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let decoded = decode(&inputs.file("file")?.path, self.under)?;
        if decoded.lacks_end {
            ctx.host.note("end_marker", "missing".into());
        }
        out.value("image", Value::Image(decoded.picture))
    }
}

/// A picture, and what was found wrong with its file.
pub(crate) struct Decoded {
    /// Upright, without transparency.
    pub(crate) picture: RgbImage,
    /// Whether it is a JPEG that has all its pixels, yet no end marker.
    pub(crate) lacks_end: bool,
}

/// Decodes the picture at `path`, upright and without transparency. Also used for folders of frames.
pub(crate) fn decode(path: &Path, under: Rgb<u8>) -> Result<Decoded> {
    let name = sniff::name(path);
    if path.is_dir() {
        return Err(NodeError::input(format!("{name}: expected a picture file, found a folder")));
    }
    let bytes = fs::read(path).map_err(|error| sniff::unreadable(path, error))?;
    let broken = |error: image::ImageError| {
        NodeError::input(format!("{name}: {} that is damaged or cut short", sniff::describe(&bytes)))
            .hint("save the picture again, or take another one")
            .caused_by(error)
    };

    let mut reader = ImageReader::new(Cursor::new(&bytes[..]))
        .with_guessed_format()
        .map_err(|error| sniff::unreadable(path, error))?;
    let Some(format) = reader.format().filter(ImageFormat::reading_enabled) else {
        let found = sniff::describe(&bytes[..bytes.len().min(512)]);
        return Err(NodeError::input(format!(
            "{name}: expected a picture (PNG, JPEG, WebP, BMP or TIFF), found {found}"
        ))
        .hint(if found.contains("picture") {
            "convert it to PNG or JPEG"
        } else {
            "give a picture file"
        }));
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_PIXELS * 8);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(NodeError::input(format!(
            "{name}: {width}x{height} pixels, expected at most {} megapixels",
            MAX_PIXELS / 1_000_000
        ))
        .hint("scale the picture down"));
    }
    let lacks_end = format == ImageFormat::Jpeg && !jpeg_ends(&bytes);
    if lacks_end && !has_all_pixels(&bytes) {
        return Err(NodeError::input(format!(
            "{name}: a JPEG picture that is cut short: its end is missing"
        ))
        .hint("copy the picture again, or take another one"));
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(Decoded { picture: flatten(picture, under), lacks_end })
}

/// Lays transparency over `under`, on the encoded values as picture editors do.
fn flatten(picture: DynamicImage, under: Rgb<u8>) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        let a = u32::from(a);
        let over =
            |top: u8, under: u8| ((u32::from(top) * a + u32::from(under) * (255 - a) + 127) / 255) as u8;
        Rgb([over(r, under.0[0]), over(g, under.0[1]), over(b, under.0[2])])
    })
}

/// Whether an end marker follows the first scan: the decoder itself fills what is missing with grey.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == 0xff {
            at += 1;
            continue;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xda {
            break;
        }
    }
    bytes.get(at..).is_some_and(|scans| scans.windows(2).any(|pair| pair == [0xff, 0xd9]))
}

/// Whether a JPEG without an end marker has all its pixels. A decoder that lacks some takes what follows for them: so nothing
/// that is put there may change the picture.
fn has_all_pixels(bytes: &[u8]) -> bool {
    let followed_by = |padding: u8| {
        let ended = [bytes, &[padding; 64], &[0xff, 0xd9]].concat();
        image::load_from_memory_with_format(&ended, ImageFormat::Jpeg)
    };
    // The codes begin with other bits each.
    matches!([0x00, 0x55, 0xaa].map(followed_by), [Ok(a), Ok(b), Ok(c)] if a == b && b == c)
}
