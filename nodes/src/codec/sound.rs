//! Sound as 32-bit float mono WAV.

use std::io::Cursor;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::{
    artifact::Audio,
    error::{NodeError, Result},
};

pub(crate) fn encode(audio: &Audio) -> Result<Vec<u8>> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: audio.rate,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let mut bytes = Vec::with_capacity(audio.samples.len() * 4 + 128);
    write(&mut bytes, spec, &audio.samples)
        .map_err(|error| NodeError::input("audio: cannot be written as WAV").caused_by(error))?;
    Ok(bytes)
}

fn write(bytes: &mut Vec<u8>, spec: WavSpec, samples: &[f32]) -> hound::Result<()> {
    let mut writer = WavWriter::new(Cursor::new(bytes), spec)?;
    samples.iter().try_for_each(|&sample| writer.write_sample(sample))?;
    writer.finalize()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Audio> {
    let not_wav = |error| NodeError::input("not a float WAV").caused_by(error);
    let reader = WavReader::new(Cursor::new(bytes)).map_err(not_wav)?;
    let spec = reader.spec();
    if (spec.channels, spec.sample_format) != (1, SampleFormat::Float) {
        return Err(NodeError::input(format!(
            "expected a WAV of one channel of floats, found {} of {:?}",
            spec.channels, spec.sample_format
        )));
    }
    let samples = reader.into_samples::<f32>().collect::<hound::Result<_>>().map_err(not_wav)?;
    Ok(Audio { rate: spec.sample_rate, samples })
}
