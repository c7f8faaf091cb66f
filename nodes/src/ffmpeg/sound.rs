//! The sound track of a media file as mono blocks.

use std::path::Path;

use ffmpeg_next::{
    Error, Packet, codec, decoder,
    format::sample::{Sample, Type},
    frame, media,
};

use super::{failed, open, wants_more};
use crate::{
    error::{NodeError, Result},
    sniff,
};

/// Decodes the best sound track of `path`, averages its channels and hands each block with its rate in Hz to `sink`.
/// Gives the number of packets that could not be decoded.
pub(crate) fn decode(path: &Path, sink: &mut dyn FnMut(u32, &[f32]) -> Result<()>) -> Result<u64> {
    let name = sniff::name(path);
    let mut input = open(path, "sound")?;
    let Some(stream) = input.streams().best(media::Type::Audio) else {
        let found = sniff::describe(&sniff::head(path)?);
        let track = if found.ends_with("video") { " without a sound track" } else { "" };
        return Err(NodeError::input(format!("{name}: expected sound, found {found}{track}")));
    };
    let index = stream.index();
    let mut decoder = codec::Context::from_parameters(stream.parameters())
        .and_then(|context| {
            let mut decoder = context.decoder();
            decoder.set_packet_time_base(stream.time_base());
            decoder.audio()
        })
        .map_err(|error| failed(format!("{name}: its sound cannot be decoded"), error))?;

    // Opus says itself how much of it is priming.
    let left = (decoder.id() != codec::Id::AAC).then_some(0);
    let mut start = Start { base: f64::from(stream.time_base()), left };
    let mut damaged = 0;
    let mut packet = Packet::empty();
    loop {
        match packet.read(&mut input) {
            Ok(()) if packet.stream() != index => continue,
            Ok(()) => match decoder.send_packet(&packet) {
                Ok(()) => drain(&mut decoder, &mut start, &mut damaged, sink)?,
                Err(_) => damaged += 1,
            },
            Err(Error::InvalidData) => damaged += 1,
            Err(Error::Eof) => break,
            Err(error) => return Err(failed(format!("{name}: cannot be read"), error)),
        }
    }
    if decoder.send_eof().is_ok() {
        drain(&mut decoder, &mut start, &mut damaged, sink)?;
    }
    Ok(damaged)
}

/// What is not played at the start: the encoder's priming, which some files (Matroska with AAC) only tell by times before
/// zero.
struct Start {
    /// Seconds of a unit of time.
    base: f64,
    /// Samples still to be dropped; `None` before the first frame.
    left: Option<usize>,
}

impl Start {
    /// Drops what is not played of the samples that begin at `time`.
    fn drop_from(&mut self, time: Option<i64>, rate: u32, block: &mut Vec<f32>) {
        let early = time.map_or(0.0, |time| -(time as f64) * self.base * f64::from(rate));
        let left = *self.left.get_or_insert(early.round().max(0.0) as usize);
        let dropped = left.min(block.len());
        block.drain(..dropped);
        self.left = Some(left - dropped);
    }
}

fn drain(
    decoder: &mut decoder::Audio,
    start: &mut Start,
    damaged: &mut u64,
    sink: &mut dyn FnMut(u32, &[f32]) -> Result<()>,
) -> Result<()> {
    let mut frame = frame::Audio::empty();
    let mut block = vec![];
    loop {
        match decoder.receive_frame(&mut frame) {
            Ok(()) if mono(&frame, &mut block) => {
                start.drop_from(frame.timestamp(), frame.rate(), &mut block);
                sink(frame.rate(), &block)?;
            }
            Ok(()) => *damaged += 1,
            Err(error) if wants_more(error) => return Ok(()),
            Err(_) => *damaged += 1,
        }
    }
}

/// Averages the channels of `frame` into `block`; false for a sample format or a shape that cannot be.
fn mono(frame: &frame::Audio, block: &mut Vec<f32>) -> bool {
    let (samples, channels) = (frame.samples(), usize::from(frame.channels()));
    block.clear();
    block.resize(samples, 0.0);
    if channels == 0 || frame.rate() == 0 {
        return false;
    }
    let planar = matches!(
        frame.format(),
        Sample::U8(Type::Planar)
            | Sample::I16(Type::Planar)
            | Sample::I32(Type::Planar)
            | Sample::I64(Type::Planar)
            | Sample::F32(Type::Planar)
            | Sample::F64(Type::Planar)
    );
    let share = 1.0 / channels as f32;
    for channel in 0..channels {
        let (plane, first, step) = if planar { (channel, 0, 1) } else { (0, channel, channels) };
        let bytes = frame.data(plane);
        let known = match frame.format() {
            Sample::U8(_) => {
                add(block, bytes, first, step, |[b]: [u8; 1]| (f32::from(b) - 128.0) / 128.0, share)
            }
            Sample::I16(_) => {
                add(block, bytes, first, step, |b| f32::from(i16::from_ne_bytes(b)) / 32_768.0, share)
            }
            Sample::I32(_) => {
                add(block, bytes, first, step, |b| i32::from_ne_bytes(b) as f32 / 2_147_483_648.0, share)
            }
            Sample::F32(_) => add(block, bytes, first, step, f32::from_ne_bytes, share),
            Sample::F64(_) => add(block, bytes, first, step, |b| f64::from_ne_bytes(b) as f32, share),
            Sample::I64(_) | Sample::None => false,
        };
        if !known {
            return false;
        }
    }
    true
}

/// Adds `share` of every `step`-th sample from `first` on; false when the plane is too short.
fn add<const N: usize>(
    block: &mut [f32],
    bytes: &[u8],
    first: usize,
    step: usize,
    read: impl Fn([u8; N]) -> f32,
    share: f32,
) -> bool {
    let (samples, _) = bytes.as_chunks::<N>();
    if block.len() * step > samples.len() + step - 1 - first {
        return false;
    }
    for (out, sample) in block.iter_mut().zip(samples.iter().skip(first).step_by(step)) {
        *out += share * read(*sample);
    }
    true
}
