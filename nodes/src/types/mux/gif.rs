//! GIF: one palette for all frames, and only what changes from frame to frame.

use std::{fs::File, io::BufWriter, path::Path};

use color_quant::NeuQuant;
use gif::{AnyExtension, DisposalMethod, Encoder, EncodingError, Extension, Frame, Repeat};

use crate::contract::Rate;

/// Colours of the palette; one index more says that a pixel stays as it was.
const COLOURS: usize = 255;
const UNCHANGED: u8 = 255;

/// Every how many pixels the palette looks at one.
const SAMPLING: i32 = 10;

/// Bits of a channel in the table of nearest colours.
const BITS: u32 = 5;

/// Ordered dithering: it stays where it is from frame to frame, so that what rests needs no bytes.
const BAYER: [[i32; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

/// Largest shift of a channel by dithering, about the distance between colours of a palette.
const DITHER: i32 = 12;

/// An animation being written.
pub(super) struct Gif {
    encoder: Encoder<BufWriter<File>>,
    size: (u16, u16),
    rate: Rate,
    /// Palette index by the first [`BITS`] of each channel.
    nearest: Vec<u8>,
    shown: Vec<u8>,
    frames: i64,
}

impl Gif {
    /// Creates the file at `path`, for packed RGB frames. The palette is that of `sample`, packed RGB pixels.
    pub(super) fn create(
        path: &Path,
        size: (u16, u16),
        rate: Rate,
        sample: &[u8],
        comment: &str,
    ) -> Result<Self, EncodingError> {
        let pixels: Vec<u8> =
            sample.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        let colours = NeuQuant::new(SAMPLING, COLOURS, &pixels);
        let mut palette = colours.color_map_rgb();
        palette.extend([0; 3]);
        let mut encoder = Encoder::new(BufWriter::new(File::create(path)?), size.0, size.1, &palette)?;
        encoder.set_repeat(Repeat::Infinite)?;
        encoder.write_raw_extension(AnyExtension(Extension::Comment as u8), &[comment.as_bytes()])?;
        let levels = 0..1u32 << (3 * BITS);
        let nearest = levels.map(|level| {
            let channel = |shift: u32| (((level >> shift) & ((1 << BITS) - 1)) << (8 - BITS)) as u8 | 4;
            colours.index_of(&[channel(2 * BITS), channel(BITS), channel(0), 255]) as u8
        });
        Ok(Self { encoder, size, rate, nearest: nearest.collect(), shown: vec![], frames: 0 })
    }

    /// Adds one packed RGB frame.
    pub(super) fn frame(&mut self, rgb: &[u8]) -> Result<(), EncodingError> {
        let width = usize::from(self.size.0);
        let pixels = rgb.as_chunks::<3>().0;
        let indices: Vec<u8> =
            pixels.iter().enumerate().map(|(i, &pixel)| self.index(pixel, i % width, i / width)).collect();
        let first = self.shown.is_empty();
        let buffer = match first {
            true => indices.clone(),
            false => indices
                .iter()
                .zip(&self.shown)
                .map(|(new, old)| if new == old { UNCHANGED } else { *new })
                .collect(),
        };
        let frame = Frame {
            delay: (self.time(self.frames + 1) - self.time(self.frames)) as u16,
            dispose: DisposalMethod::Keep,
            transparent: (!first).then_some(UNCHANGED),
            width: self.size.0,
            height: self.size.1,
            buffer: buffer.into(),
            ..Frame::default()
        };
        self.shown = indices;
        self.frames += 1;
        self.encoder.write_frame(&frame)
    }

    /// Ends the file.
    pub(super) fn finish(self) -> Result<(), EncodingError> {
        let file = self.encoder.into_inner()?;
        file.into_inner().map(drop).map_err(|error| EncodingError::Io(error.into_error()))
    }

    fn index(&self, pixel: [u8; 3], x: usize, y: usize) -> u8 {
        let shift = (BAYER[y % 4][x % 4] * 2 - 15) * DITHER / 30;
        let [r, g, b] =
            pixel.map(|channel| (i32::from(channel) + shift).clamp(0, 255) as usize >> (8 - BITS));
        self.nearest[(r << (2 * BITS)) | (g << BITS) | b]
    }

    /// When frame `k` is shown, in hundredths of a second.
    fn time(&self, k: i64) -> i64 {
        let (num, den) = (i64::from(self.rate.num), i64::from(self.rate.den));
        (k * 100 * den + num / 2) / num
    }
}
