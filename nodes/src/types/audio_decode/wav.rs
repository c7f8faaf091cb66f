use std::{fs::File, io::BufReader, path::Path};

use hound::{SampleFormat, WavReader};
use talkgraph_media::Block;

use crate::media::Told;
use crate::{error::Result, sniff};

/// Frames a block.
const BLOCK: usize = 16_384;

/// A header that announces this many bytes was written before its program knew the length.
const PLACEHOLDER: u64 = 0x7000_0000;

/// How far reading a WAV file went.
pub(super) struct Extent {
    /// Frames a second.
    pub(super) rate: u32,
    /// Frames that the header announces; `None` where it only holds a length's place.
    pub(super) announced: Option<u64>,
    /// Frames that were read.
    pub(super) read: u64,
}

/// Reads the WAV file at `path` and hands each block to `sink`. `None` when the header is not one that hound reads: FFmpeg
/// may know better.
pub(super) fn decode(path: &Path, sink: &mut dyn FnMut(Block) -> Result<()>) -> Result<Option<Extent>> {
    let Ok(reader) = WavReader::open(path) else { return Ok(None) };
    let spec = reader.spec();
    if spec.sample_rate == 0 || spec.channels == 0 {
        return Ok(None);
    }
    let frame = u64::from(spec.channels) * u64::from(spec.bits_per_sample.div_ceil(8));
    let announced = Some(u64::from(reader.duration())).filter(|frames| frames * frame < PLACEHOLDER);
    let mut extent = Extent { rate: spec.sample_rate, announced, read: 0 };
    let whole = spec.sample_format == SampleFormat::Int && spec.bits_per_sample <= 16;
    let empty = Block {
        rate: spec.sample_rate,
        channels: spec.channels,
        layout: layout(path)?,
        bits: if whole { 16 } else { 24 },
        samples: vec![],
    };
    let mut put = |samples: Vec<f32>| {
        extent.read += (samples.len() / usize::from(spec.channels)) as u64;
        sink(Block { samples, ..empty })
    };
    match spec.sample_format {
        SampleFormat::Float => blocks(reader, |sample: f32| sample, &mut put)?,
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
            blocks(reader, |sample: i32| sample as f32 * scale, &mut put)?;
        }
    }
    Ok(Some(extent))
}

/// How many channels the header of `path` tells of; 0 where hound does not read it.
pub(super) fn channels(path: &Path) -> u16 {
    WavReader::open(path).map_or(0, |reader| reader.spec().channels)
}

/// The mask of loudspeakers in the header's extended form, which hound does not give; 0 where there is none.
fn layout(path: &Path) -> Result<u64> {
    let head = sniff::head(path).told()?;
    let chunk = head.windows(8).position(|bytes| bytes.starts_with(b"fmt ")).unwrap_or(head.len());
    let field = |at: usize, length: usize| head.get(chunk + 8 + at..chunk + 8 + at + length);
    let is_extended = field(0, 2) == Some(&[0xfe, 0xff]);
    let mask = field(20, 4).filter(|_| is_extended).and_then(|bytes| bytes.try_into().ok());
    Ok(mask.map_or(0, u32::from_le_bytes).into())
}

/// Hands blocks of whole frames to `put`, until the samples or the file end.
fn blocks<S: hound::Sample>(
    reader: WavReader<BufReader<File>>,
    to_float: impl Fn(S) -> f32,
    put: &mut dyn FnMut(Vec<f32>) -> Result<()>,
) -> Result<()> {
    let channels = usize::from(reader.spec().channels);
    let mut samples = reader.into_samples::<S>().map_while(hound::Result::ok);
    loop {
        let mut block: Vec<_> = samples.by_ref().take(BLOCK * channels).map(&to_float).collect();
        let ended = block.len() < BLOCK * channels;
        block.truncate(block.len() / channels * channels);
        put(block)?;
        if ended {
            return Ok(());
        }
    }
}
