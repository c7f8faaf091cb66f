//! Audio tracks as blocks of samples.

use std::{collections::VecDeque, os::fd::AsFd, path::Path};

use super::{
    Object, Session,
    channel::{Cancel, Place},
    files,
};
use crate::{
    error::Result,
    kinds::{Block, Container, Layout},
    protocol::{BlockHead, Reply, Request},
    sniff,
};

/// What a file is asked to be.
const WANTED: &str = "audio";

/// An audio track being decoded.
pub struct AudioReader {
    object: Object,
    rate: u32,
    channels: u16,
    tracks: (Vec<String>, usize),
    ready: VecDeque<Block>,
    /// Seconds of silence that were filled in.
    pub filled: f64,
    /// Packets that could not be decoded.
    pub damaged: u64,
    /// Whether the samples are stored as they are: trouble in them is the file's, not the codec's.
    pub is_pcm: bool,
}

impl AudioReader {
    /// Opens audio track `number`, counted from 1, of `path`; 0: the best.
    pub fn open(session: &Session, path: &Path, number: usize) -> Result<Self> {
        Self::open_from(session, path, number, false)
    }

    /// The same, beginning with the file's first picture: what is heard before that is left out, and what is missing is silence.
    pub fn open_with_pictures(session: &Session, path: &Path, number: usize) -> Result<Self> {
        Self::open_from(session, path, number, true)
    }

    fn open_from(session: &Session, path: &Path, number: usize, with_pictures: bool) -> Result<Self> {
        let (name, number) = (sniff::name(path), wire(number));
        let files = [files::input(path, WANTED)?];
        let (object, reply) = Object::open(session, Place::decoding(name.clone()), &files, |id| {
            Request::OpenAudio { id, name, number, with_pictures }
        })?;
        match reply {
            Reply::Audio { rate, channels, is_pcm, tracks, taken } if rate > 0 && channels > 0 => Ok(Self {
                object,
                rate,
                channels,
                tracks: (tracks, taken as usize),
                ready: VecDeque::new(),
                filled: 0.0,
                damaged: 0,
                is_pcm,
            }),
            _ => Err(object.nonsense()),
        }
    }

    /// The file's audio tracks in words, and the number of this one, counted from 1.
    pub fn tracks(&self) -> (&[String], usize) {
        (&self.tracks.0, self.tracks.1)
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Channels.
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// The next block; `None` after the last one. What the file leaves out in time is silence.
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        if self.ready.is_empty() {
            self.ready = self.more()?;
        }
        Ok(self.ready.pop_front())
    }

    fn more(&mut self) -> Result<VecDeque<Block>> {
        let (reply, bulk) = self.object.call(&Request::NextBlocks(self.object.id), &[])?;
        let Reply::Blocks { blocks: heads, filled, damaged } = reply else {
            return Err(self.object.nonsense());
        };
        (self.filled, self.damaged) = (filled, damaged);
        let mut rest = &bulk[..];
        let mut blocks = VecDeque::new();
        for head in heads {
            let Some((block, after)) = block(head, rest) else { return Err(self.object.nonsense()) };
            blocks.push_back(block);
            rest = after;
        }
        if rest.is_empty() { Ok(blocks) } else { Err(self.object.nonsense()) }
    }
}

/// The block of `head`, whose samples are first in `bulk`, and the bulk after it.
fn block(head: BlockHead, bulk: &[u8]) -> Option<(Block, &[u8])> {
    let BlockHead { rate, channels, layout, bits, samples } = head;
    let (own, rest) = bulk.split_at_checked(samples as usize * size_of::<f32>())?;
    let whole = rate > 0 && channels > 0 && samples.is_multiple_of(channels.into());
    whole.then(|| (Block { rate, channels, layout, bits, samples: floats(own) }, rest))
}

/// Samples out of bulk.
pub(super) fn floats(bulk: &[u8]) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(bulk)
}

fn wire(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Session {
    /// How the packets of audio track `number` of `path` (counted from 1; 0: the best) lie in time; `None` where they cannot be
    /// taken over as they are: another codec, packets of several lengths, gaps, a begin after the file's first picture.
    pub fn survey(&self, path: &Path, number: usize, cancel: Cancel<'_>) -> Result<Option<Layout>> {
        self.survey_from(path, number, false, cancel)
    }

    /// The same for packets that begin with the file's first picture; `None` also where they begin before that.
    pub fn survey_with_pictures(
        &self,
        path: &Path,
        number: usize,
        cancel: Cancel<'_>,
    ) -> Result<Option<Layout>> {
        self.survey_from(path, number, true, cancel)
    }

    fn survey_from(
        &self,
        path: &Path,
        number: usize,
        with_pictures: bool,
        cancel: Cancel<'_>,
    ) -> Result<Option<Layout>> {
        let (name, number) = (sniff::name(path), wire(number));
        let (at, file) = (Place::decoding(name.clone()), files::input(path, WANTED)?);
        let request = Request::Survey { name, number, with_pictures };
        match self.call_until(&request, &[], &[file.as_fd()], &at, cancel)? {
            (Reply::Layout(None), _) => Ok(None),
            (Reply::Layout(Some(layout)), _)
                if layout.rate > 0 && layout.channels > 0 && layout.packet > 0 =>
            {
                Ok(Some(layout))
            }
            _ => Err(self.nonsense(&at)),
        }
    }

    /// How many seconds the best audio track of `path` plays.
    pub fn seconds(&self, path: &Path) -> Result<f64> {
        let name = sniff::name(path);
        let (at, file) = (Place::decoding(name.clone()), files::input(path, WANTED)?);
        match self.call(&Request::Seconds { name }, &[], &[file.as_fd()], &at)? {
            (Reply::Seconds(seconds), _) if seconds.is_finite() => Ok(seconds),
            _ => Err(self.nonsense(&at)),
        }
    }

    /// Copies the packets of audio track `number` of `from`, which lie as `layout` says, to a new file at `to`: as many samples as
    /// `layout` says, with silence after the last packet where those are fewer.
    pub fn copy_track(
        &self,
        from: &Path,
        number: usize,
        layout: Layout,
        (to, container): (&Path, Container),
        cancel: Cancel<'_>,
    ) -> Result<()> {
        let (name, number) = (sniff::name(from), wire(number));
        let at = Place::decoding(name.clone());
        let (source, target) = (files::input(from, WANTED)?, files::output(to)?);
        let request = Request::CopyTrack { name, number, layout, container, to: sniff::name(to) };
        match self.call_until(&request, &[], &[source.as_fd(), target.as_fd()], &at, cancel)? {
            (Reply::Done, _) => Ok(()),
            _ => Err(self.nonsense(&at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_do_not_fit_their_samples_are_nonsense() {
        let head = BlockHead { rate: 8, channels: 2, layout: 3, bits: 16, samples: 2 };
        let bulk = [0.5f32, -0.5, 1.0].map(f32::to_ne_bytes).concat();
        let (first, rest) = block(head, &bulk).unwrap();
        assert_eq!((first.samples, rest.len()), (vec![0.5, -0.5], 4));
        for wrong in [
            BlockHead { samples: 4, ..head },
            BlockHead { samples: 1, ..head },
            BlockHead { channels: 0, ..head },
            BlockHead { rate: 0, ..head },
            BlockHead { samples: u32::MAX, ..head },
        ] {
            assert!(block(wrong, &bulk).is_none(), "{wrong:?}");
        }
    }
}
