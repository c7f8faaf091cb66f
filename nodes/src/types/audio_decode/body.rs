use std::path::Path;

use serde_json::json;

use super::{contract::RATE, wav};
use crate::{
    artifact::{Audio, Value},
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    ffmpeg::{failed, resample::Resampler, sound},
    sniff,
};

pub(super) struct Decode;

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let path = &inputs.file("file")?.path;
        let name = sniff::name(path);
        let mut collector = Collector::default();
        let mut sink = |rate: u32, block: &[f32]| {
            ctx.check_cancelled()?;
            collector.push(rate, block).map_err(|error| failed(format!("{name}: cannot be resampled"), error))
        };
        let extent = if is_wav(path)? { wav::decode(path, &mut sink)? } else { None };
        match extent {
            Some(extent) if extent.read > 0 => {
                if extent.read < extent.announced {
                    let [found, announced] =
                        [extent.read, extent.announced].map(|n| n as f64 / f64::from(extent.rate));
                    ctx.host.note("truncated", json!({ "seconds": found, "announced_seconds": announced }));
                    ctx.host.warn(&format!(
                        "{name}: ends after {found:.2} s of the announced {announced:.2} s; that much is used"
                    ));
                }
            }
            _ => {
                let damaged = sound::decode(path, &mut sink)?;
                if damaged > 0 {
                    ctx.host.note("damaged_packets", json!(damaged));
                    ctx.host
                        .warn(&format!("{name}: {damaged} packets of sound are damaged and were left out"));
                }
            }
        }
        let (samples, bad) =
            collector.finish().map_err(|error| failed(format!("{name}: cannot be resampled"), error))?;
        if samples.is_empty() {
            return Err(NodeError::input(format!("{name}: the sound has no samples"))
                .hint("give a file with at least one video frame (0.04 s) of sound"));
        }
        if bad > 0 {
            ctx.host.warn(&format!("{name}: {bad} samples were not finite numbers and were set to zero"));
        }
        ctx.host.note("seconds", json!(samples.len() as f64 / f64::from(RATE)));
        out.value("audio", Value::Audio(Audio { rate: RATE, samples }))
    }
}

fn is_wav(path: &Path) -> Result<bool> {
    Ok(path.is_file() && sniff::describe(&sniff::head(path)?) == "WAV sound")
}

/// Brings blocks of any rate to [`RATE`].
#[derive(Default)]
struct Collector {
    resampler: Option<(u32, Resampler)>,
    samples: Vec<f32>,
    bad: u64,
}

impl Collector {
    fn push(&mut self, rate: u32, block: &[f32]) -> Result<(), ffmpeg_next::Error> {
        let mut resampler = match self.resampler.take() {
            Some((old, resampler)) if old == rate => resampler,
            old => {
                if let Some((_, old)) = old {
                    old.finish(&mut self.samples)?;
                }
                Resampler::new(rate, RATE)?
            }
        };
        if block.iter().all(|sample| sample.is_finite()) {
            resampler.push(block, &mut self.samples)?;
        } else {
            let finite = |&sample: &f32| if sample.is_finite() { sample } else { 0.0 };
            self.bad += block.iter().filter(|sample| !sample.is_finite()).count() as u64;
            resampler.push(&block.iter().map(finite).collect::<Vec<_>>(), &mut self.samples)?;
        }
        self.resampler = Some((rate, resampler));
        Ok(())
    }

    /// The samples and how many of the input were not finite.
    fn finish(mut self) -> Result<(Vec<f32>, u64), ffmpeg_next::Error> {
        if let Some((_, resampler)) = self.resampler.take() {
            resampler.finish(&mut self.samples)?;
        }
        Ok((self.samples, self.bad))
    }
}
