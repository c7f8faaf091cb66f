use std::collections::VecDeque;

use super::spectrum::{BANDS, COLUMNS_PER_SECOND, RATE, Spectrum};
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    contract::Rate,
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
};

/// The published window's width and how far it starts before its frame, in columns and video frames at 25 a second.
const PUBLISHED_COLUMNS: i64 = 16;
const LEAD_NUM: i64 = 2;
const LEAD_DEN: i64 = 25;

pub(super) struct Windows {
    pub(super) rate: Rate,
    pub(super) columns: usize,
    /// In dB of full scale.
    pub(super) gate: f64,
}

impl Windows {
    /// First column of frame `i`, before clamping: 80 · (i / fps − 2 / 25), towards zero; other widths are centred on
    /// the published one.
    fn start(&self, i: usize) -> i64 {
        let (num, den) = (i64::from(self.rate.num), i64::from(self.rate.den));
        let seconds = i as i64 * den * LEAD_DEN - LEAD_NUM * num;
        COLUMNS_PER_SECOND * seconds / (LEAD_DEN * num) - (self.columns as i64 - PUBLISHED_COLUMNS) / 2
    }
}

impl ValueBody for Windows {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let audio = inputs.audio("audio")?;
        if audio.rate != RATE {
            return Err(NodeError::input(format!("port `audio`: {} Hz, expected {RATE} Hz", audio.rate)));
        }
        let (num, den) = (u64::from(self.rate.num), u64::from(self.rate.den));
        let frames = self.rate.frames_in(audio.samples.len() as u64, RATE);
        let used = frames * u64::from(RATE) * den / num;
        if frames == 0 {
            return Err(NodeError::input(format!(
                "the speech lasts {:.4} s, expected at least one video frame: {:.4} s at {} frames a second",
                audio.samples.len() as f64 / f64::from(RATE),
                den as f64 / num as f64,
                num as f64 / den as f64
            ))
            .hint("give longer speech"));
        }
        let spectrum = Spectrum::new(&audio.samples[..used as usize], self.gate);
        let last = spectrum.columns() - 1;
        let mut recent = Recent::default();
        let frames = frames as usize;
        for first in (0..frames).step_by(self.rate.chunk_frames()) {
            ctx.check_cancelled()?;
            let end = frames.min(first + self.rate.chunk_frames());
            let mut mel = vec![0.0; (end - first) * BANDS * self.columns];
            for (i, window) in (first..end).zip(mel.chunks_exact_mut(BANDS * self.columns)) {
                let start = self.start(i);
                for column in 0..self.columns {
                    let k = (start + column as i64).clamp(0, last as i64) as usize;
                    let bands = recent.get(k, &spectrum);
                    for (band, &x) in bands.iter().enumerate() {
                        window[band * self.columns + column] = x;
                    }
                }
                recent.forget_before(start);
            }
            let mel = Tensor::f32([end - first, BANDS, self.columns], mel)?;
            out.chunk("mel", Value::Tensors(Tensors::new().with("mel", mel)))?;
            ctx.host.progress(end as u64, Some(frames as u64));
        }
        Ok(())
    }
}

/// The columns that the frames around the current one share, so that each is computed once.
#[derive(Default)]
struct Recent {
    first: usize,
    columns: VecDeque<[f32; BANDS]>,
}

impl Recent {
    fn get(&mut self, k: usize, spectrum: &Spectrum<'_>) -> [f32; BANDS] {
        if self.columns.is_empty() {
            self.first = k;
        }
        while self.first + self.columns.len() <= k {
            self.columns.push_back(spectrum.column(self.first + self.columns.len()));
        }
        self.columns[k - self.first]
    }

    /// Forgets the columns before `start`, but always keeps the last one, which may repeat at the end.
    fn forget_before(&mut self, start: i64) {
        while self.columns.len() > 1 && (self.first as i64) < start {
            self.columns.pop_front();
            self.first += 1;
        }
    }
}
