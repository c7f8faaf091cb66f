//! Animated WebP by libwebp, and what the file says about itself as XMP.

use std::io::{self, Write};

use ffmpeg_next::{Dictionary, Error, Packet, Rational, codec, encoder, format::Pixel, frame};

use talkgraph_media::{FrameRate, WebpSettings};

use crate::{
    ffmpeg::{init, wants_more},
    files::Sink,
};

/// Time base of WebP's frames.
const MILLISECONDS: Rational = Rational(1, 1000);

/// Bit of `VP8X` that says that there is XMP.
const HAS_XMP: u8 = 1 << 2;

/// An animation being made. Everything is kept, compressed, until the end.
pub(crate) struct Webp {
    encoder: encoder::Video,
    rate: FrameRate,
    frames: i64,
    sink: Sink,
    xmp: String,
}

impl Webp {
    /// An animation that says `xmp` about itself.
    pub(crate) fn create(sink: Sink, settings: WebpSettings, xmp: String) -> Result<Self, Error> {
        let WebpSettings { width, height, rate, quality } = settings;
        init().map_err(|_| Error::Unknown)?;
        let codec = encoder::find_by_name("libwebp_anim").ok_or(Error::EncoderNotFound)?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(Pixel::BGRA);
        video.set_time_base(MILLISECONDS);
        let mut options = Dictionary::new();
        options.set("quality", &quality.to_string());
        Ok(Self { encoder: video.open_as_with(codec, options)?, rate, frames: 0, sink, xmp })
    }

    /// Adds one packed RGB frame.
    pub(crate) fn frame(&mut self, rgb: &[u8]) -> Result<(), Error> {
        let (width, height) = (self.encoder.width(), self.encoder.height());
        let mut frame = frame::Video::new(Pixel::BGRA, width, height);
        let stride = frame.stride(0);
        let row = width as usize * 3;
        for (from, to) in rgb.chunks_exact(row).zip(frame.data_mut(0).chunks_mut(stride)) {
            for ([r, g, b], to) in from.as_chunks::<3>().0.iter().zip(to.as_chunks_mut::<4>().0) {
                *to = [*b, *g, *r, 255];
            }
        }
        frame.set_pts(Some(self.time(self.frames)));
        self.frames += 1;
        self.encoder.send_frame(&frame)
    }

    /// Writes the file.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.encoder.send_eof()?;
        let mut packet = Packet::empty();
        match self.encoder.receive_packet(&mut packet) {
            Ok(()) => {}
            Err(error) if wants_more(error) => return Err(Error::InvalidData),
            Err(error) => return Err(error),
        }
        let last = self.time(self.frames) - self.time(self.frames - 1);
        let file = finished(packet.data().unwrap_or_default(), last, &self.xmp).ok_or(Error::InvalidData)?;
        self.sink
            .write_all(&file)
            .map_err(|error: io::Error| Error::Other { errno: error.raw_os_error().unwrap_or(0) })
    }

    /// When frame `k` is shown, in milliseconds.
    fn time(&self, k: i64) -> i64 {
        let FrameRate { num, den } = self.rate;
        (k * 1000 * i64::from(den) + i64::from(num) / 2) / i64::from(num)
    }
}

/// The file of libwebp's `bytes`, with the last frame's time in milliseconds and with XMP. A file of one frame, which
/// libwebp leaves without the header of extended files, stays as it is.
fn finished(bytes: &[u8], last: i64, xmp: &str) -> Option<Vec<u8>> {
    let mut file = bytes.to_vec();
    if file.get(8..16)? != b"WEBPVP8X" {
        return Some(file);
    }
    let mut at = 12;
    let mut frame = None;
    while let Some(header) = file.get(at..at + 8) {
        if &header[..4] == b"ANMF" {
            frame = Some(at + 8);
        }
        at += 8 + u32::from_le_bytes(header[4..].try_into().ok()?).next_multiple_of(2) as usize;
    }
    if let Some(frame) = frame {
        file.get_mut(frame + 12..frame + 15)?.copy_from_slice(&u32::try_from(last).ok()?.to_le_bytes()[..3]);
    }
    *file.get_mut(20)? |= HAS_XMP;
    file.extend(b"XMP ");
    file.extend(u32::try_from(xmp.len()).ok()?.to_le_bytes());
    file.extend(xmp.bytes());
    if xmp.len() % 2 == 1 {
        file.push(0);
    }
    let size = u32::try_from(file.len() - 8).ok()?.to_le_bytes();
    file[4..8].copy_from_slice(&size);
    Some(file)
}
