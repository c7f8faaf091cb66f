use std::path::PathBuf;

use crate::{
    error::Result,
    ffmpeg::{
        audio::Block, container::AudioCodec, encode::AudioSettings, failed, resample::Resampler,
        track::Lossless,
    },
};

/// Most channels of a track.
const CHANNELS: u16 = 8;

/// Keeps blocks as a FLAC file, at their own rate up to 48 kHz.
pub(super) struct TrackWriter {
    path: PathBuf,
    file: Option<Open>,
}

struct Open {
    file: Lossless,
    rate: u32,
    channels: u16,
    resampler: (u32, Resampler),
}

impl TrackWriter {
    /// The file is created with the first block.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Adds a block. The first one decides rate and channels; a block of other channels becomes their mean.
    pub(super) fn push(&mut self, block: &Block) -> Result<()> {
        let cannot = |error| failed(format!("{}: cannot be written", self.path.display()), error);
        let mut open = match self.file.take() {
            Some(open) => open,
            None => {
                let rate = AudioCodec::Flac.rate(block.rate);
                let channels = if block.channels > CHANNELS { 1 } else { block.channels };
                let settings = AudioSettings { rate, channels, bit_rate: 0, bits: block.bits };
                let resampler = (block.rate, Resampler::new(block.rate, rate, channels).map_err(cannot)?);
                Open {
                    file: Lossless::create(&self.path, settings).map_err(cannot)?,
                    rate,
                    channels,
                    resampler,
                }
            }
        };
        let mut ready = vec![];
        if open.resampler.0 != block.rate {
            let next = (block.rate, Resampler::new(block.rate, open.rate, open.channels).map_err(cannot)?);
            std::mem::replace(&mut open.resampler, next).1.finish(&mut ready).map_err(cannot)?;
        }
        if open.channels == block.channels {
            open.resampler.1.push(&block.samples, &mut ready).map_err(cannot)?;
        } else {
            let mean = block.mono();
            let all: Vec<_> =
                mean.iter().flat_map(|&sample| std::iter::repeat_n(sample, open.channels.into())).collect();
            open.resampler.1.push(&all, &mut ready).map_err(cannot)?;
        }
        open.file.push(&ready).map_err(cannot)?;
        self.file = Some(open);
        Ok(())
    }

    /// Ends the file and gives its path.
    pub(super) fn finish(self) -> Result<PathBuf> {
        let path = self.path;
        let cannot = |error| failed(format!("{}: cannot be written", path.display()), error);
        if let Some(mut open) = self.file {
            let mut rest = vec![];
            open.resampler.1.finish(&mut rest).map_err(cannot)?;
            open.file.push(&rest).map_err(cannot)?;
            open.file.finish().map_err(cannot)?;
        }
        Ok(path)
    }
}
