//! One picture of any format that people have, upright, in sRGB, without transparency.

use std::io::{Cursor, Read};

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage, metadata::Orientation,
};
use jxl_oxide::{JxlThreadPool, integration::JxlDecoder};
use moxcms::ColorProfile;
use talkgraph_media::{Error, Picture, Result, Under, sniff};

use crate::{
    files::Source,
    heif::{self, Colours},
    link, profile,
};

/// Largest picture that is decoded, in pixels: above any camera, below what a decompression bomb needs.
const MAX_PIXELS: u64 = 150_000_000;

/// Seconds that a picture may take, and one more for so many megapixels.
const SECONDS: u64 = 8;
const MEGAPIXELS_A_SECOND: u64 = 4;

/// What is taken, in words.
const WANTED: &str = "an image (PNG, JPEG, WebP, HEIC, AVIF, JPEG XL, GIF, BMP or TIFF)";

/// What a file's bytes are, as far as it matters who decodes them.
enum Kind {
    Plain(ImageFormat),
    Heif,
    JpegXl,
}

/// Pixels, and how they are to be taken.
struct Raw {
    picture: DynamicImage,
    /// `None`: sRGB.
    profile: Option<ColorProfile>,
    orientation: Orientation,
}

/// Decodes the picture `source`, called `name`; transparency is laid over `under`.
pub(crate) fn decode(mut source: Source, name: &str, under: Under) -> Result<Picture> {
    let mut bytes = vec![];
    let read = source.read_to_end(&mut bytes);
    read.map_err(|error| Error::io(format!("{name}: cannot be read")).caused_by(error))?;
    let Some(kind) = kind(&bytes) else {
        let found = sniff::describe(&bytes[..bytes.len().min(512)]);
        return Err(Error::input(format!("{name}: expected {WANTED}, found {found}"))
            .hint(if found.contains("image") { "convert it to PNG or JPEG" } else { "give an image file" }));
    };
    let lacks_end = matches!(kind, Kind::Plain(ImageFormat::Jpeg)) && !jpeg_ends(&bytes);
    if lacks_end && !has_all_pixels(&bytes) {
        return Err(Error::input(format!("{name}: a JPEG image that is cut short: its end is missing"))
            .hint("copy the image again, or take another one"));
    }
    let file = File { name, bytes: &bytes };
    let Raw { picture, profile, orientation } = match kind {
        Kind::Plain(format) => {
            let mut reader = ImageReader::with_format(Cursor::new(&bytes[..]), format);
            reader.limits(limits());
            let mut decoder = reader.into_decoder().map_err(|error| file.broken(error))?;
            file.check(decoder.dimensions())?;
            let orientation = decoder.orientation().map_err(|error| file.broken(error))?;
            file.pixels(decoder, orientation)?
        }
        Kind::JpegXl => {
            let decoder = JxlDecoder::with_thread_pool(Cursor::new(&bytes[..]), JxlThreadPool::none());
            let mut decoder = decoder.map_err(|error| file.broken(error))?;
            file.check(decoder.dimensions())?;
            decoder.set_limits(limits()).map_err(|error| file.broken(error))?;
            // The decoder has turned it already.
            file.pixels(decoder, Orientation::NoTransforms)?
        }
        Kind::Heif => {
            let broken = |words: String| file.broken(std::io::Error::other(words));
            let opened = heif::Picture::open(&bytes).map_err(broken)?;
            file.check(opened.size())?;
            let profile = match opened.colours() {
                Colours::Icc(icc) => profile::of_icc(&icc),
                Colours::Primaries(primaries) => profile::of_primaries(primaries),
                Colours::Unknown => None,
            };
            let picture = opened.decode().map_err(broken)?;
            // The library has turned it already.
            Raw { picture, profile, orientation: Orientation::NoTransforms }
        }
    };
    let mut picture = match profile {
        Some(profile) => profile::to_srgb(picture, &profile),
        None => picture,
    };
    picture.apply_orientation(orientation);
    Ok(Picture { picture: flatten(picture, Rgb(under)), lacks_end })
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    const CONTAINER: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";
    if bytes.starts_with(b"\xff\x0a") || bytes.starts_with(CONTAINER) {
        return Some(Kind::JpegXl);
    }
    if bytes.get(4..8) == Some(b"ftyp") && is_heif(bytes) {
        return Some(Kind::Heif);
    }
    image::guess_format(bytes).ok().filter(ImageFormat::reading_enabled).map(Kind::Plain)
}

/// Whether a file of ISO's base media format says that it holds pictures: among its brands is one of HEIF's.
fn is_heif(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize);
    let brands = bytes.get(8..length.clamp(8, 256).min(bytes.len())).unwrap_or_default();
    let known: [&[u8]; 10] =
        [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"avif", b"avis"];
    // The second place is the version of the first.
    let mut places = brands.chunks_exact(4).enumerate().filter(|&(place, _)| place != 1);
    places.any(|(_, brand)| known.contains(&brand))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_PIXELS * 8);
    limits
}

/// The file, for messages.
struct File<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

impl File<'_> {
    fn broken(&self, error: impl std::error::Error) -> Error {
        let found = sniff::describe(self.bytes);
        Error::input(format!("{}: {found} that is damaged or cut short", self.name))
            .hint("save the image again, or take another one")
            .caused_by(error)
    }

    /// Refuses pictures that are too large, and asks for time for the others.
    fn check(&self, (width, height): (u32, u32)) -> Result<()> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > MAX_PIXELS {
            return Err(Error::input(format!(
                "{}: {width}x{height} pixels, expected at most {} megapixels",
                self.name,
                MAX_PIXELS / 1_000_000
            ))
            .hint("scale the image down"));
        }
        link::takes((SECONDS + pixels / 1_000_000 / MEGAPIXELS_A_SECOND) as u32);
        Ok(())
    }

    fn pixels(&self, mut decoder: impl ImageDecoder, orientation: Orientation) -> Result<Raw> {
        let icc =
            decoder.icc_profile().map_err(|error| self.broken(error))?.or_else(|| tiff_profile(self.bytes));
        let picture = DynamicImage::from_decoder(decoder).map_err(|error| self.broken(error))?;
        Ok(Raw { picture, profile: icc.and_then(|icc| profile::of_icc(&icc)), orientation })
    }
}

/// The ICC profile of a TIFF file's first picture, whatever its field is declared as: `image` takes it for bytes only.
fn tiff_profile(bytes: &[u8]) -> Option<Vec<u8>> {
    const PROFILE: u32 = 34_675;
    const ENTRY: usize = 12;
    let little = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let number = |at: usize, length: usize| {
        let field = bytes.get(at..at.checked_add(length)?)?;
        let sum = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        Some(if little { field.iter().rev().fold(0, sum) } else { field.iter().fold(0, sum) })
    };
    let directory = number(4, 4)? as usize;
    let entries = number(directory, 2)? as usize;
    let mut places = (0..entries).map(|entry| directory + 2 + entry * ENTRY);
    let entry = places.find(|&at| number(at, 2) == Some(PROFILE))?;
    let (length, at) = (number(entry + 4, 4)? as usize, number(entry + 8, 4)? as usize);
    bytes.get(at..at.checked_add(length)?).map(<[u8]>::to_vec)
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
