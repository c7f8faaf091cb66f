//! Audio from one sampling rate to another with libswresample.

use ffmpeg_next::{
    ChannelLayout, Error,
    format::sample::{Sample, Type},
    frame,
    software::resampling,
};

const FORMAT: Sample = Sample::F32(Type::Packed);

/// Resamples blocks as they come; the output is aligned with the input.
pub(crate) struct Resampler {
    /// `None` where the rates are equal.
    context: Option<resampling::Context>,
    from: u32,
    to: u32,
    channels: u16,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler between two rates in Hz, of interleaved channels.
    pub(crate) fn new(from: u32, to: u32, channels: u16) -> Result<Self, Error> {
        let (all, f32) = (ChannelLayout::default(i32::from(channels)), FORMAT);
        let context =
            if from == to { None } else { Some(resampling::Context::get(f32, all, from, f32, all, to)?) };
        Ok(Self { context, from, to, channels, taken: 0, given: 0 })
    }

    /// Takes a block and appends what is ready to `out`.
    pub(crate) fn push(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<(), Error> {
        let Some(context) = &mut self.context else {
            out.extend_from_slice(block);
            return Ok(());
        };
        if block.is_empty() {
            return Ok(());
        }
        let samples = block.len() / usize::from(self.channels);
        let mut input = frame(samples, self.from, self.channels);
        input.data_mut(0)[..block.len() * 4].copy_from_slice(bytemuck::cast_slice(block));
        self.taken += samples as u64;
        let room = scaled(self.taken, self.from, self.to).saturating_sub(self.given);
        let mut output = frame(room as usize + 64, self.to, self.channels);
        context.run(&input, &mut output)?;
        self.given += output.samples() as u64;
        append(&output, out);
        Ok(())
    }

    /// Appends the rest, so that the whole lasts as long as the input did.
    pub(crate) fn finish(mut self, out: &mut Vec<f32>) -> Result<(), Error> {
        let Some(mut context) = self.context.take() else { return Ok(()) };
        let mut rest = vec![];
        loop {
            let mut output = frame(4096, self.to, self.channels);
            context.flush(&mut output)?;
            if output.samples() == 0 {
                break;
            }
            append(&output, &mut rest);
        }
        let missing = scaled(self.taken, self.from, self.to).saturating_sub(self.given) as usize;
        rest.resize(missing * usize::from(self.channels), 0.0);
        out.append(&mut rest);
        Ok(())
    }
}

/// How many samples at `to` last as long as `samples` at `from`, rounded up.
fn scaled(samples: u64, from: u32, to: u32) -> u64 {
    (samples * u64::from(to)).div_ceil(u64::from(from))
}

fn append(frame: &frame::Audio, out: &mut Vec<f32>) {
    let bytes = &frame.data(0)[..frame.samples() * usize::from(frame.channels()) * 4];
    out.extend(bytes.as_chunks::<4>().0.iter().map(|sample| f32::from_ne_bytes(*sample)));
}

fn frame(samples: usize, rate: u32, channels: u16) -> frame::Audio {
    let mut frame = frame::Audio::new(FORMAT, samples, ChannelLayout::default(i32::from(channels)));
    frame.set_rate(rate);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, seconds: f64) -> Vec<f32> {
        let step = std::f64::consts::TAU * 440.0 / f64::from(rate);
        (0..(f64::from(rate) * seconds) as usize).map(|i| (i as f64 * step).sin() as f32).collect()
    }

    #[test]
    fn a_sine_stays_a_sine_in_phase_at_every_rate() {
        for from in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
            for channels in [1, 2, 6] {
                let mut resampler = Resampler::new(from, 16_000, channels).unwrap();
                let mut out = vec![];
                let every = usize::from(channels);
                for block in sine(from, 1.0).chunks(1153) {
                    let block: Vec<_> =
                        block.iter().flat_map(|&x| (0..every).map(move |c| x / (c + 1) as f32)).collect();
                    resampler.push(&block, &mut out).unwrap();
                }
                resampler.finish(&mut out).unwrap();
                assert_eq!(out.len(), 16_000 * every, "{from} Hz, {channels} channels");
                let expected = sine(16_000, 1.0);
                let off = |i: usize| (out[i] - expected[i / every] / (i % every + 1) as f32).abs();
                let worst = (200 * every..15_800 * every).map(off).fold(0.0, f32::max);
                assert!(worst < 2e-3, "{from} Hz, {channels} channels: off by {worst}");
            }
        }
    }
}
