//! The audio track of a media file as blocks of samples.

use ffmpeg_next::{
    Error as Code, Packet, codec, decoder,
    format::{
        context::Input,
        sample::{Sample, Type},
    },
    frame,
};

use talkgraph_media::{Block, Error, Result};

use crate::{
    clock::Clock,
    ffmpeg::{describe, failed, open, wants_more},
    files::Source,
    tracks,
};

/// Opens the media file `source`, called `name`, and finds its audio track `number`, counted from 1; 0: the best.
pub(crate) fn open_track(source: Source, name: &str, number: usize) -> Result<(Input, usize)> {
    let found = describe(&source, name)?;
    let input = open(source, name, "audio")?;
    let index = tracks::choose(&input, (name, &found), number)?;
    Ok((input, index))
}

/// An audio track being decoded.
pub(crate) struct AudioReader {
    name: String,
    input: Input,
    index: usize,
    decoder: decoder::Audio,
    ended: bool,
    clock: Clock,
    /// Samples of each channel that silence still lasts, and the block after it.
    held: Option<(u64, Block)>,
    /// Seconds of silence that were filled in.
    pub(crate) filled: f64,
    /// Packets that could not be decoded.
    pub(crate) damaged: u64,
    /// Whether the samples are stored as they are: trouble in them is the file's, not the codec's.
    pub(crate) is_pcm: bool,
    bits: u32,
}

impl AudioReader {
    /// Opens audio track `number`, counted from 1, of `source`, called `name`; 0: the best. `with_pictures`: from the file's first
    /// picture on.
    pub(crate) fn open(source: Source, name: String, number: usize, with_pictures: bool) -> Result<Self> {
        let (input, index) = open_track(source, &name, number)?;
        let Some(stream) = input.stream(index) else {
            return Err(Error::input(format!("{name}: its audio track is lost")));
        };
        let decoder = codec::Context::from_parameters(stream.parameters())
            .and_then(|context| {
                let mut decoder = context.decoder();
                decoder.set_packet_time_base(stream.time_base());
                decoder.audio()
            })
            .map_err(|error| failed(format!("{name}: its audio cannot be decoded"), error))?;
        // Opus says itself how much of it is priming.
        let primed = decoder.id() == codec::Id::AAC;
        let clock = Clock::new(&input, stream.time_base(), primed, with_pictures);
        let is_pcm = decoder.codec().is_some_and(|codec| codec.name().starts_with("pcm_"));
        let lossless = is_pcm || matches!(decoder.id(), codec::Id::FLAC | codec::Id::ALAC);
        let bits =
            if lossless && !matches!(decoder.format(), Sample::U8(_) | Sample::I16(_)) { 24 } else { 16 };
        Ok(Self {
            name,
            input,
            index,
            decoder,
            ended: false,
            clock,
            held: None,
            filled: 0.0,
            damaged: 0,
            is_pcm,
            bits,
        })
    }

    /// The file's audio tracks in words, and the number of this one, counted from 1.
    pub(crate) fn tracks(&self) -> (Vec<String>, usize) {
        (tracks::words(&self.input), tracks::number(&self.input, self.index))
    }

    /// Samples a second.
    pub(crate) fn rate(&self) -> u32 {
        self.decoder.rate()
    }

    /// Channels.
    pub(crate) fn channels(&self) -> u16 {
        self.decoder.channels()
    }

    /// The next block; `None` after the last one. What the file leaves out in time is silence.
    pub(crate) fn next(&mut self) -> Result<Option<Block>> {
        if let Some((missing, block)) = self.held.take() {
            if missing == 0 {
                return Ok(Some(block));
            }
            let now = missing.min(block.rate.into());
            let silence = vec![0.0; now as usize * usize::from(block.channels)];
            let silence = Block { samples: silence, ..block };
            self.held = Some((missing - now, block));
            return Ok(Some(silence));
        }
        let mut frame = frame::Audio::empty();
        loop {
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => match block(&frame, self.bits) {
                    Some(mut block) => {
                        let missing = self.clock.place(frame.timestamp(), &mut block);
                        if missing > 0 {
                            self.filled += missing as f64 / f64::from(block.rate);
                            self.held = Some((missing, block));
                            return self.next();
                        }
                        if !block.samples.is_empty() {
                            return Ok(Some(block));
                        }
                    }
                    None => self.damaged += 1,
                },
                Err(Code::Eof) => return Ok(None),
                Err(error) if !wants_more(error) => self.damaged += 1,
                Err(_) if self.ended => return Ok(None),
                Err(_) => self.feed()?,
            }
        }
    }

    /// Hands the next packet to the decoder.
    fn feed(&mut self) -> Result<()> {
        let mut packet = Packet::empty();
        loop {
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() != self.index => continue,
                Ok(()) => match self.decoder.send_packet(&packet) {
                    Ok(()) => return Ok(()),
                    Err(_) => self.damaged += 1,
                },
                Err(Code::InvalidData) => self.damaged += 1,
                Err(Code::Eof) => {
                    self.ended = true;
                    self.damaged += u64::from(self.decoder.send_eof().is_err());
                    return Ok(());
                }
                Err(error) => return Err(failed(format!("{}: cannot be read", self.name), error)),
            }
        }
    }
}

/// The samples of `frame`; `None` for a sample format or a shape that cannot be.
fn block(frame: &frame::Audio, bits: u32) -> Option<Block> {
    let channels = usize::from(frame.channels());
    if channels == 0 || frame.rate() == 0 {
        return None;
    }
    let mut samples = vec![0.0; frame.samples() * channels];
    let planar = matches!(
        frame.format(),
        Sample::U8(Type::Planar)
            | Sample::I16(Type::Planar)
            | Sample::I32(Type::Planar)
            | Sample::I64(Type::Planar)
            | Sample::F32(Type::Planar)
            | Sample::F64(Type::Planar)
    );
    for channel in 0..channels {
        let (plane, first, step) = if planar { (channel, 0, 1) } else { (0, channel, channels) };
        let bytes = frame.data(plane);
        let own = samples.iter_mut().skip(channel).step_by(channels);
        let done = match frame.format() {
            Sample::U8(_) => fill(own, bytes, first, step, |[b]: [u8; 1]| (f32::from(b) - 128.0) / 128.0),
            Sample::I16(_) => fill(own, bytes, first, step, |b| f32::from(i16::from_ne_bytes(b)) / 32_768.0),
            Sample::I32(_) => {
                fill(own, bytes, first, step, |b| i32::from_ne_bytes(b) as f32 / 2_147_483_648.0)
            }
            Sample::F32(_) => fill(own, bytes, first, step, f32::from_ne_bytes),
            Sample::F64(_) => fill(own, bytes, first, step, |b| f64::from_ne_bytes(b) as f32),
            Sample::I64(_) | Sample::None => false,
        };
        if !done {
            return None;
        }
    }
    let layout =
        Some(frame.channel_layout()).filter(|layout| layout.channels() == i32::from(frame.channels()));
    let layout = layout.map_or(0, |layout| layout.bits());
    Some(Block { rate: frame.rate(), channels: frame.channels(), layout, bits, samples })
}

/// Fills `out` with every `step`-th sample from `first` on; false when the plane is too short.
fn fill<'a, const N: usize>(
    out: impl Iterator<Item = &'a mut f32>,
    bytes: &[u8],
    first: usize,
    step: usize,
    read: impl Fn([u8; N]) -> f32,
) -> bool {
    let (samples, _) = bytes.as_chunks::<N>();
    let mut own = samples.iter().skip(first).step_by(step);
    for out in out {
        let Some(sample) = own.next() else { return false };
        *out = read(*sample);
    }
    true
}
