//! The pictures of a video file, one at a time, upright and in RGB.

use ffmpeg_next::{
    Error as Code, Packet, Rational, codec, color, decoder,
    ffi::{SWS_CS_ITU601, SWS_CS_ITU709, sws_getCoefficients, sws_setColorspaceDetails},
    format::{Pixel, context::Input},
    frame,
    packet::side_data::Type as SideData,
    software::scaling,
};
use image::{RgbImage, imageops};

use talkgraph_media::{Error, Result, Shown};

use crate::{
    ffmpeg::{describe, failed, open, wants_more},
    files::Source,
    tracks,
};

/// Most pixels of a picture: above any camera.
const MAX_PIXELS: i64 = 150_000_000;

/// How a picture must be turned to be upright.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    None,
    Clockwise,
    Half,
    Counterclockwise,
}

/// A video being decoded.
pub struct Pictures {
    name: String,
    input: Input,
    index: usize,
    decoder: decoder::Video,
    base: Rational,
    turn: Turn,
    max_side: u32,
    scaler: Option<scaling::Context>,
    /// Columns and rows, with square pixels, of what is given: those of the first picture.
    size: Option<(u32, u32)>,
    /// The sizes that pictures had, in their order, each once.
    sizes: Vec<String>,
    step: f64,
    seconds: f64,
    has_audio: bool,
    ended: bool,
    /// Packets and pictures that could not be decoded.
    pub damaged: u64,
}

impl Pictures {
    /// Opens the best video track of `source`, called `name`. Pictures whose longer side is over `max_side` are scaled down; 0:
    /// never.
    pub fn open(source: Source, name: String, max_side: u32) -> Result<Self> {
        let found = describe(&source, &name)?;
        let input = open(source, &name, "a video or a folder of images")?;
        let Some(stream) = tracks::video(&input) else {
            return Err(Error::input(format!(
                "{name}: expected a video or a folder of images, found {found} without images"
            )));
        };
        let rate = f64::from(stream.avg_frame_rate());
        let decoder = codec::Context::from_parameters(stream.parameters())
            .and_then(|mut context| {
                // SAFETY: the context is valid and not shared.
                unsafe { (*context.as_mut_ptr()).max_pixels = MAX_PIXELS };
                context.decoder().video()
            })
            .map_err(|error| failed(format!("{name}: its images cannot be decoded"), error))?;
        let matrix = stream.side_data().find(|data| data.kind() == SideData::DisplayMatrix);
        Ok(Self {
            index: stream.index(),
            base: stream.time_base(),
            turn: matrix.map_or(Turn::None, |matrix| turn(matrix.data())),
            decoder,
            max_side,
            scaler: None,
            size: None,
            sizes: vec![],
            step: if rate.is_finite() && rate > 0.0 { 1.0 / rate } else { 0.04 },
            seconds: (stream.duration().max(0) as f64 * f64::from(stream.time_base())).max(0.0),
            has_audio: tracks::has_audio(&input),
            ended: false,
            damaged: 0,
            name,
            input,
        })
    }

    /// Seconds between pictures, on average.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Seconds that it plays, as the file says; 0: it does not.
    pub fn seconds(&self) -> f64 {
        if self.seconds.is_finite() { self.seconds } else { 0.0 }
    }

    /// Whether the file holds audio, too.
    pub fn has_audio(&self) -> bool {
        self.has_audio
    }

    /// The sizes that pictures had so far, each once: more than one where the video changes its size.
    pub fn sizes(&self) -> &[String] {
        &self.sizes
    }

    /// The next picture, as large as the first; `None` after the last one.
    pub fn next_picture(&mut self) -> Result<Option<Shown>> {
        let mut frame = frame::Video::empty();
        loop {
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => match self.convert(&frame) {
                    Ok(shown) => return Ok(Some(shown)),
                    Err(_) => self.damaged += 1,
                },
                Err(Code::Eof) => return Ok(None),
                Err(error) if !wants_more(error) => self.damaged += 1,
                Err(_) if self.ended => return Ok(None),
                Err(_) => self.feed()?,
            }
        }
    }

    /// Hands the next packet to the decoder.
    fn feed(&mut self) -> Result<()> {
        let mut packet = Packet::empty();
        loop {
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() != self.index => continue,
                Ok(()) => {
                    self.damaged += u64::from(self.decoder.send_packet(&packet).is_err());
                    return Ok(());
                }
                Err(Code::InvalidData) => self.damaged += 1,
                Err(Code::Eof) => {
                    self.ended = true;
                    self.damaged += u64::from(self.decoder.send_eof().is_err());
                    return Ok(());
                }
                Err(error) => return Err(failed(format!("{}: cannot be read", self.name), error)),
            }
        }
    }

    fn convert(&mut self, frame: &frame::Video) -> Result<Shown, Code> {
        let seconds = frame.timestamp().unwrap_or(0) as f64 * f64::from(self.base);
        let own = shown_size(frame, self.max_side);
        let (width, height) = *self.size.get_or_insert(own);
        let words = format!("{}x{}", own.0, own.1);
        if !self.sizes.contains(&words) {
            self.sizes.push(words);
        }
        let definition = |format, width, height| scaling::context::Definition { format, width, height };
        let from = definition(frame.format(), frame.width(), frame.height());
        let to = definition(Pixel::RGB24, width, height);
        let scaler = match self.scaler.take() {
            Some(scaler) if *scaler.input() == from && *scaler.output() == to => scaler,
            _ => scaler(frame, width, height)?,
        };
        let scaler = self.scaler.insert(scaler);
        let mut rgb = frame::Video::empty();
        scaler.run(frame, &mut rgb)?;
        let row = width as usize * 3;
        let mut pixels = Vec::with_capacity(row * height as usize);
        rgb.data(0).chunks(rgb.stride(0)).take(height as usize).for_each(|data| pixels.extend(&data[..row]));
        let picture = RgbImage::from_raw(width, height, pixels).ok_or(Code::InvalidData)?;
        let lasts = frame.packet().duration.max(0) as f64 * f64::from(self.base);
        Ok(Shown { picture: upright(picture, self.turn), seconds, lasts })
    }
}

/// The size of a picture with square pixels and its longer side at most `max_side`.
fn shown_size(frame: &frame::Video, max_side: u32) -> (u32, u32) {
    let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
    let aspect = f64::from(frame.aspect_ratio());
    let width = if aspect.is_finite() && aspect > 0.0 { width * aspect } else { width };
    let longer = width.max(height);
    let scale = if max_side > 0 && longer > f64::from(max_side) { f64::from(max_side) / longer } else { 1.0 };
    let side = |x: f64| (x * scale).round().clamp(1.0, 16_384.0) as u32;
    (side(width), side(height))
}

/// A conversion to RGB with the matrix and range that the frame is tagged with. Untagged video is BT.709 from 720 rows
/// on and BT.601 below, as players take it.
fn scaler(frame: &frame::Video, width: u32, height: u32) -> Result<scaling::Context, Code> {
    let mut scaler = scaling::Context::get(
        frame.format(),
        frame.width(),
        frame.height(),
        Pixel::RGB24,
        width,
        height,
        scaling::Flags::BICUBIC | scaling::Flags::ACCURATE_RND | scaling::Flags::FULL_CHR_H_INT,
    )?;
    let matrix = match frame.color_space() {
        color::Space::BT709 => SWS_CS_ITU709,
        color::Space::Unspecified if frame.height() >= 720 => SWS_CS_ITU709,
        _ => SWS_CS_ITU601,
    };
    let full = frame.color_range() == color::Range::JPEG
        || matches!(frame.format(), Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P);
    const ONE: i32 = 1 << 16;
    // SAFETY: the context is valid for as long as `scaler` lives, and the coefficient tables are static.
    unsafe {
        let table = sws_getCoefficients(matrix);
        sws_setColorspaceDetails(scaler.as_mut_ptr(), table, i32::from(full), table, 1, 0, ONE, ONE);
    }
    Ok(scaler)
}

/// The turn that a display matrix (nine 32-bit fixed-point numbers) asks for.
fn turn(matrix: &[u8]) -> Turn {
    let (numbers, _) = matrix.as_chunks::<4>();
    let at = |i: usize| numbers.get(i).map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    match (at(0), at(1)) {
        (a, 0) if a < 0 => Turn::Half,
        (0, b) if b > 0 => Turn::Clockwise,
        (0, b) if b < 0 => Turn::Counterclockwise,
        _ => Turn::None,
    }
}

fn upright(picture: RgbImage, turn: Turn) -> RgbImage {
    match turn {
        Turn::None => picture,
        Turn::Clockwise => imageops::rotate90(&picture),
        Turn::Half => imageops::rotate180(&picture),
        Turn::Counterclockwise => imageops::rotate270(&picture),
    }
}
