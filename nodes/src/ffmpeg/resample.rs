//! Mono sound from one sampling rate to another with libswresample.

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
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler between two rates in Hz.
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, Error> {
        let (mono, f32) = (ChannelLayout::MONO, FORMAT);
        let context =
            if from == to { None } else { Some(resampling::Context::get(f32, mono, from, f32, mono, to)?) };
        Ok(Self { context, from, to, taken: 0, given: 0 })
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
        let mut input = frame(block.len(), self.from);
        input.plane_mut::<f32>(0)[..block.len()].copy_from_slice(block);
        self.taken += block.len() as u64;
        let room = scaled(self.taken, self.from, self.to).saturating_sub(self.given);
        let mut output = frame(room as usize + 64, self.to);
        context.run(&input, &mut output)?;
        self.given += output.samples() as u64;
        out.extend_from_slice(&output.plane::<f32>(0)[..output.samples()]);
        Ok(())
    }

    /// Appends the rest, so that the whole lasts as long as the input did.
    pub(crate) fn finish(mut self, out: &mut Vec<f32>) -> Result<(), Error> {
        let Some(mut context) = self.context.take() else { return Ok(()) };
        let mut rest = vec![];
        loop {
            let mut output = frame(4096, self.to);
            context.flush(&mut output)?;
            if output.samples() == 0 {
                break;
            }
            rest.extend_from_slice(&output.plane::<f32>(0)[..output.samples()]);
        }
        rest.resize(scaled(self.taken, self.from, self.to).saturating_sub(self.given) as usize, 0.0);
        out.append(&mut rest);
        Ok(())
    }
}

/// How many samples at `to` last as long as `samples` at `from`, rounded up.
fn scaled(samples: u64, from: u32, to: u32) -> u64 {
    (samples * u64::from(to)).div_ceil(u64::from(from))
}

fn frame(samples: usize, rate: u32) -> frame::Audio {
    let mut frame = frame::Audio::new(FORMAT, samples, ChannelLayout::MONO);
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
            let mut resampler = Resampler::new(from, 16_000).unwrap();
            let mut out = vec![];
            for block in sine(from, 1.0).chunks(1153) {
                resampler.push(block, &mut out).unwrap();
            }
            resampler.finish(&mut out).unwrap();
            assert_eq!(out.len(), 16_000, "{from} Hz");
            let expected = sine(16_000, 1.0);
            let worst = (200..15_800).map(|i| (out[i] - expected[i]).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-3, "{from} Hz: off by {worst}");
        }
    }
}
