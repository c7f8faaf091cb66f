//! Compressed audio as it is: packets of equal length, counted in samples.
//!
//! Files tell times in units of their own, some by the millisecond. Packets of one length that follow each other need no
//! such times: the packet's number says when it plays, to the sample.

use ffmpeg_next::{
    Error as Code, Packet, Rational, Rescale, codec,
    codec::Profile,
    codec::packet::side_data::Type as SideData,
    format::context::{Input, Output},
};
use talkgraph_media::{AudioCodec, AudioSettings, Container, Layout, Result};

use crate::{
    audio::open_track,
    audio_encode::{declare_padding, silence},
    clock,
    container::Muxed,
    encode::write,
    ffmpeg::failed,
    files::Source,
};

/// Samples of an AAC-LC packet.
const AAC_PACKET: u32 = 1024;

/// Samples of the usual Opus packet, of 20 milliseconds.
const OPUS_PACKET: u32 = 960;

/// Bits a second of each channel of silence.
const SILENCE_BITS: u32 = 48_000;

/// The packets of a track, one at a time.
pub(crate) struct PacketReader {
    name: String,
    input: Input,
    index: usize,
}

impl PacketReader {
    /// Opens audio track `number`, counted from 1, of `source`, called `name`; 0: the best.
    pub(crate) fn open(source: Source, name: String, number: usize) -> Result<Self> {
        let (input, index) = open_track(source, &name, number)?;
        Ok(Self { name, input, index })
    }

    /// What the codec must know.
    pub(crate) fn parameters(&self) -> codec::Parameters {
        self.input.stream(self.index).map_or_else(codec::Parameters::new, |stream| stream.parameters())
    }

    /// The next packet; `None` after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>> {
        let mut packet = Packet::empty();
        loop {
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() != self.index => {}
                Ok(()) => return Ok(Some(packet)),
                Err(Code::Eof) => return Ok(None),
                Err(error) => return Err(failed(format!("{}: cannot be read", self.name), error)),
            }
        }
    }
}

/// How the packets of audio track `number` (counted from 1; 0: the best) of `source`, called `name`, lie in time; `None` where
/// they cannot be taken over as they are: another codec, packets of several lengths, gaps, a begin after the file's first picture.
/// `with_pictures`: or before it.
pub(crate) fn survey(
    source: Source,
    name: String,
    number: usize,
    with_pictures: bool,
) -> Result<Option<Layout>> {
    let mut reader = PacketReader::open(source, name, number)?;
    let Some(stream) = reader.input.stream(reader.index) else { return Ok(None) };
    let base = stream.time_base();
    let Some(mut layout) = known(&stream.parameters()) else { return Ok(None) };
    let unit = Rational::new(1, layout.rate as i32);
    // Times that are told by the millisecond are off by that much.
    let slack = 2.max(1.rescale(base, unit) + 1);
    let (mut count, mut discard, mut first) = (0i64, 0, 0);
    loop {
        let packet = match reader.next() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(_) => return Ok(None),
        };
        let Some(pts) = packet.pts() else { return Ok(None) };
        let pts = pts.rescale(base, unit);
        let (skip, end) = skipped(&packet);
        if count == 0 {
            first = pts;
            // As the reader of samples takes it.
            let early = if layout.codec == AudioCodec::Aac { u32::try_from(-pts).unwrap_or(0) } else { 0 };
            layout.skip = if skip > 0 { skip } else { layout.skip.max(early) };
            let begins = (pts + i64::from(layout.skip)) as f64 / f64::from(layout.rate);
            if !clock::suits(&reader.input, begins, with_pictures) {
                return Ok(None);
            }
        } else if discard > 0 || (pts - first - count * i64::from(layout.packet)).abs() > slack {
            return Ok(None);
        }
        // Some files leave lengths out.
        let length = Some(packet.duration().rescale(base, unit)).filter(|&length| length > 0);
        let short = length.map_or(0, |length| i64::from(layout.packet) - length);
        // Only the last packet may be cut.
        discard = if end > 0 {
            i64::from(end)
        } else if short > slack {
            short
        } else {
            0
        };
        count += 1;
    }
    let samples = count * i64::from(layout.packet) - i64::from(layout.skip) - discard;
    layout.samples = u64::try_from(samples).unwrap_or(0);
    Ok((layout.samples > 0).then_some(layout))
}

/// How many seconds the best audio track of `source`, called `name`, plays.
pub(crate) fn seconds(source: Source, name: &str) -> Result<f64> {
    let (input, index) = open_track(source, name, 0)?;
    let track = input.stream(index).filter(|stream| stream.duration() > 0);
    Ok(track.map_or(input.duration() as f64 / f64::from(ffmpeg_next::ffi::AV_TIME_BASE), |stream| {
        stream.duration() as f64 * f64::from(stream.time_base())
    }))
}

/// What is known of a track without its packets; `None` for a kind that is not taken over.
fn known(parameters: &codec::Parameters) -> Option<Layout> {
    let decoder = codec::Context::from_parameters(parameters.clone()).ok()?.decoder().audio().ok()?;
    let (rate, channels) = (decoder.rate(), decoder.channels());
    let low = decoder.profile() == Profile::AAC(codec::profile::AAC::Low);
    // SAFETY: the parameters are valid for as long as `parameters` lives, and their extra data as long as they say.
    let extra = unsafe {
        let raw = &*parameters.as_ptr();
        match usize::try_from(raw.extradata_size) {
            Ok(size) if !raw.extradata.is_null() => std::slice::from_raw_parts(raw.extradata, size),
            _ => &[],
        }
    };
    let (codec, packet, skip) = match parameters.id() {
        codec::Id::AAC if low && rate <= 48_000 && !extra.is_empty() => (AudioCodec::Aac, AAC_PACKET, 0),
        codec::Id::OPUS if rate == 48_000 => {
            // The header of Opus has it after its signature, its version and the channels.
            let priming = extra.get(10..12)?.try_into().map(u16::from_le_bytes).ok()?;
            (AudioCodec::Opus, OPUS_PACKET, priming.into())
        }
        _ => return None,
    };
    (rate > 0 && channels > 0).then_some(Layout { codec, rate, channels, packet, skip, samples: 0 })
}

/// How many samples at the start and at the end of a packet are not played.
fn skipped(packet: &Packet) -> (u32, u32) {
    let Some(data) = packet.side_data().find(|data| data.kind() == SideData::SkipSamples) else {
        return (0, 0);
    };
    let count = |at: usize| {
        data.data().get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
    };
    (count(0), count(4))
}

/// Packets of one file on their way to another.
pub struct Feed {
    reader: PacketReader,
    layout: Layout,
    container: Container,
    /// A packet of silence, once there are no more.
    filler: Option<Vec<u8>>,
    silent: u64,
}

impl Feed {
    /// Packets of `reader`, which lie as `layout` says, for a file of format `container`.
    pub(crate) fn new(reader: PacketReader, layout: Layout, container: Container) -> Self {
        Self { reader, layout, container, filler: None, silent: 0 }
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    pub(crate) fn parameters(&self) -> codec::Parameters {
        self.reader.parameters()
    }

    /// Packets of silence so far.
    pub(crate) fn silent(&self) -> u64 {
        self.silent
    }

    /// Gives `track` of the file `name` what begins before sample `end`.
    pub(crate) fn until(
        &mut self,
        end: u64,
        track: &mut PacketTrack,
        output: &mut Output,
        name: &str,
    ) -> Result<()> {
        let cannot = |error| failed(format!("{name}: cannot be written"), error);
        while track.next_start() < end as i64 {
            match self.filler.is_none().then(|| self.reader.next()).transpose()?.flatten() {
                Some(packet) => track.push(packet.data().unwrap_or_default(), output).map_err(cannot)?,
                None => {
                    let silence = match self.filler.take() {
                        Some(silence) => silence,
                        None => self.silence()?,
                    };
                    track.push(&silence, output).map_err(cannot)?;
                    self.silent += 1;
                    self.filler = Some(silence);
                }
            }
        }
        Ok(())
    }

    fn silence(&self) -> Result<Vec<u8>> {
        let Layout { codec, rate, channels, .. } = self.layout;
        let container = if codec == AudioCodec::Opus { Container::WebM } else { self.container };
        let settings =
            AudioSettings { rate, channels, bit_rate: SILENCE_BITS * u32::from(channels), bits: 0 };
        silence(container, settings)
            .map_err(|error| failed(format!("{}: no silence after its end", self.reader.name), error))
    }
}

/// A track of a file being written that takes packets over.
pub(crate) struct PacketTrack {
    stream: usize,
    layout: Layout,
    has_durations: bool,
    /// Added to the times of packets, in samples.
    delay: i64,
    /// The last packet, kept back: its length is known at the end only.
    held: Option<Packet>,
    count: i64,
}

impl PacketTrack {
    /// Adds the stream to `output`.
    pub(crate) fn open(
        output: &mut Output,
        container: Container,
        layout: Layout,
        mut parameters: codec::Parameters,
    ) -> Result<Self, Code> {
        // SAFETY: the parameters are valid and not shared. Tags of codecs are the containers' own.
        unsafe {
            let raw = &mut *parameters.as_mut_ptr();
            raw.codec_tag = 0;
            raw.initial_padding = layout.skip as i32;
            raw.frame_size = layout.packet as i32;
        }
        let mut stream = output.add_stream(None::<ffmpeg_next::Codec>)?;
        stream.set_parameters(parameters);
        stream.set_time_base(Rational::new(1, layout.rate as i32));
        let stream = stream.index();
        let delay = container.delay(layout.codec, layout.skip.into());
        Ok(Self { stream, layout, has_durations: container.has_durations(), delay, held: None, count: 0 })
    }

    /// The sample that the next packet begins with; negative in the priming.
    pub(crate) fn next_start(&self) -> i64 {
        self.count * i64::from(self.layout.packet) - i64::from(self.layout.skip)
    }

    /// Adds one packet.
    pub(crate) fn push(&mut self, data: &[u8], output: &mut Output) -> Result<(), Code> {
        let start = self.next_start();
        let mut packet = Packet::copy(data);
        packet.set_pts(Some(start + self.delay));
        packet.set_dts(Some(start + self.delay));
        packet.set_duration(i64::from(self.layout.packet));
        packet.set_flags(codec::packet::Flags::KEY);
        self.count += 1;
        match self.held.replace(packet) {
            Some(mut before) => self.write(&mut before, output),
            None => Ok(()),
        }
    }

    /// Ends the track at sample `end`, within the last packet.
    pub(crate) fn finish(&mut self, end: u64, output: &mut Output) -> Result<(), Code> {
        let Some(mut last) = self.held.take() else { return Ok(()) };
        let left = end as i64 + self.delay - last.pts().unwrap_or_default();
        last.set_duration(left.clamp(1, i64::from(self.layout.packet)));
        if !self.has_durations {
            declare_padding(&mut last, i64::from(self.layout.packet));
        }
        self.write(&mut last, output)
    }

    fn write(&self, packet: &mut Packet, output: &mut Output) -> Result<(), Code> {
        write(packet, self.stream, Rational::new(1, self.layout.rate as i32), output)
    }
}
