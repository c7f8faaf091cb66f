use std::path::PathBuf;

use talkgraph_media::{AudioCodec, AudioSettings, Block, Lossless, Resampler, Session};

use crate::media::Told;
use crate::{error::Result, sniff};

/// Most channels of a track.
const CHANNELS: u16 = 8;

/// Keeps blocks as a FLAC file, at their own rate up to 48 kHz.
pub(in crate::types) struct TrackWriter {
    session: Session,
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
    pub(in crate::types) fn new(session: Session, path: PathBuf) -> Self {
        Self { session, path, file: None }
    }

    /// Adds a block. The first one decides rate and channels; a block of other channels becomes their mean.
    pub(in crate::types) fn push(&mut self, block: &Block) -> Result<()> {
        let name = sniff::name(&self.path);
        let resampler = |from, to, channels| {
            Resampler::new(&self.session, &name, from, to, channels).map(|new| (from, new))
        };
        let mut open = match self.file.take() {
            Some(open) => open,
            None => {
                let rate = AudioCodec::Flac.rate(block.rate);
                let channels = if block.channels > CHANNELS { 1 } else { block.channels };
                let settings = AudioSettings { rate, channels, bit_rate: 0, bits: block.bits };
                let resampler = resampler(block.rate, rate, channels).told()?;
                Open {
                    file: Lossless::create(&self.session, &self.path, settings).told()?,
                    rate,
                    channels,
                    resampler,
                }
            }
        };
        let mut ready = vec![];
        if open.resampler.0 != block.rate {
            let next = resampler(block.rate, open.rate, open.channels).told()?;
            std::mem::replace(&mut open.resampler, next).1.finish(&mut ready).told()?;
        }
        if open.channels == block.channels {
            open.resampler.1.push(&block.samples, &mut ready).told()?;
        } else {
            let mean = block.mono();
            let all: Vec<_> =
                mean.iter().flat_map(|&sample| std::iter::repeat_n(sample, open.channels.into())).collect();
            open.resampler.1.push(&all, &mut ready).told()?;
        }
        open.file.push(&ready).told()?;
        self.file = Some(open);
        Ok(())
    }

    /// Ends the file and gives its path.
    pub(in crate::types) fn finish(self) -> Result<PathBuf> {
        if let Some(mut open) = self.file {
            let mut rest = vec![];
            open.resampler.1.finish(&mut rest).told()?;
            open.file.push(&rest).told()?;
            open.file.finish().told()?;
        }
        Ok(self.path)
    }
}
