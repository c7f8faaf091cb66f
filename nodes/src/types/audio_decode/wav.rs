use std::{fs::File, io::BufReader, path::Path};

use hound::{SampleFormat, WavReader};

use crate::error::Result;

/// Frames a block.
const BLOCK: usize = 16_384;

/// How far reading a WAV file went.
pub(super) struct Extent {
    /// Frames a second.
    pub(super) rate: u32,
    /// Frames that the header announces.
    pub(super) announced: u64,
    /// Frames that were read.
    pub(super) read: u64,
}

/// Reads the WAV file at `path`, averages its channels and hands each block with its rate to `sink`. `None` when the
/// header is not one that hound reads: FFmpeg may know better.
pub(super) fn decode(path: &Path, sink: &mut dyn FnMut(u32, &[f32]) -> Result<()>) -> Result<Option<Extent>> {
    let Ok(reader) = WavReader::open(path) else { return Ok(None) };
    let spec = reader.spec();
    if spec.sample_rate == 0 {
        return Ok(None);
    }
    let mut extent = Extent { rate: spec.sample_rate, announced: u64::from(reader.duration()), read: 0 };
    let mut put = |block: &[f32]| {
        extent.read += block.len() as u64;
        sink(spec.sample_rate, block)
    };
    match spec.sample_format {
        SampleFormat::Float => average(reader, |sample: f32| sample, &mut put)?,
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
            average(reader, |sample: i32| sample as f32 * scale, &mut put)?;
        }
    }
    Ok(Some(extent))
}

/// Averages the channels frame by frame, until the samples or the file end.
fn average<S: hound::Sample>(
    reader: WavReader<BufReader<File>>,
    to_float: impl Fn(S) -> f32,
    put: &mut dyn FnMut(&[f32]) -> Result<()>,
) -> Result<()> {
    let channels = usize::from(reader.spec().channels);
    let share = 1.0 / channels as f32;
    let mut samples = reader.into_samples::<S>().map_while(hound::Result::ok);
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        let mut sum = 0.0;
        let got = samples.by_ref().take(channels).map(|sample| sum += share * to_float(sample)).count();
        if got == channels {
            block.push(sum);
        }
        if block.len() == BLOCK || got < channels {
            put(&block)?;
            block.clear();
        }
        if got < channels {
            return Ok(());
        }
    }
}
