//! Samples to AAC, Opus or FLAC.

use ffmpeg_next::{
    ChannelLayout, Dictionary, Error, Packet, Rational, codec, encoder,
    ffi::{AVPacketSideDataType, av_packet_get_side_data, av_packet_new_side_data},
    format::{
        context::Output,
        sample::{Sample, Type},
    },
    frame,
    packet::Mut as _,
};

use talkgraph_media::{AudioCodec, AudioSettings, Container};

use crate::{container::Muxed, encode::write, ffmpeg::wants_more};

/// Bytes of a packet's note on samples to skip: two counts and two reasons.
const SKIP_BYTES: usize = 10;

/// Frames after which an encoder of silence always says the same.
const SETTLED: usize = 4;

/// Takes samples as they come and gives packets to the muxer.
pub(crate) struct AudioEncoder {
    encoder: encoder::Audio,
    stream: usize,
    format: Sample,
    settings: AudioSettings,
    /// Whether the file tells a track's end by the length of its last packet.
    has_durations: bool,
    waiting: Vec<f32>,
    /// Added to the times of packets, in samples.
    delay: i64,
    sent: i64,
}

impl AudioEncoder {
    /// Opens the encoder and adds its stream to `output`.
    pub(crate) fn open(
        output: &mut Output,
        container: Container,
        settings: AudioSettings,
    ) -> Result<Self, Error> {
        let (codec, format) = codec_of(container, settings);
        let codec = codec.ok_or(Error::EncoderNotFound)?;
        let encoder = opened(codec, format, settings)?;
        let mut stream = output.add_stream(codec)?;
        stream.set_parameters(&encoder);
        stream.set_time_base(Rational::new(1, settings.rate as i32));
        let stream = stream.index();
        let has_durations = container.has_durations();
        // SAFETY: the encoder is open and not shared.
        let priming = i64::from(unsafe { (*encoder.as_ptr()).initial_padding });
        let delay = container.delay(container.audio(), priming);
        Ok(Self { encoder, stream, format, settings, has_durations, waiting: vec![], delay, sent: 0 })
    }

    pub(crate) fn push(&mut self, samples: &[f32], output: &mut Output) -> Result<(), Error> {
        self.waiting.extend_from_slice(samples);
        let size = self.encoder.frame_size() as usize * usize::from(self.settings.channels);
        let whole = self.waiting.len() / size * size;
        let rest = self.waiting.split_off(whole);
        for block in std::mem::replace(&mut self.waiting, rest).chunks_exact(size) {
            self.send(block, output)?;
        }
        Ok(())
    }

    /// Encodes what is left. The last packet lasts as long as its samples, so that the track does.
    pub(crate) fn finish(&mut self, output: &mut Output) -> Result<(), Error> {
        let rest = std::mem::take(&mut self.waiting);
        if !rest.is_empty() {
            self.send(&rest, output)?;
        }
        self.encoder.send_eof()?;
        self.drain(output)
    }

    fn send(&mut self, block: &[f32], output: &mut Output) -> Result<(), Error> {
        let channels = usize::from(self.settings.channels);
        let samples = block.len() / channels;
        let layout = layout(self.format, self.settings.channels);
        let mut frame = frame::Audio::new(self.format, samples, layout);
        frame.set_rate(self.settings.rate);
        fill(&mut frame, block, self.format, channels);
        frame.set_pts(Some(self.sent));
        self.sent += samples as i64;
        self.encoder.send_frame(&frame)?;
        self.drain(output)
    }

    fn drain(&mut self, output: &mut Output) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {
                    packet.set_pts(packet.pts().map(|pts| pts + self.delay));
                    packet.set_dts(packet.dts().map(|dts| dts + self.delay));
                    if !self.has_durations {
                        declare_padding(&mut packet, i64::from(self.encoder.frame_size()));
                    }
                    write(&mut packet, self.stream, Rational::new(1, self.settings.rate as i32), output)?;
                }
                Err(error) if wants_more(error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Puts interleaved samples into a frame.
fn fill(frame: &mut frame::Audio, block: &[f32], format: Sample, channels: usize) {
    let scaled = |sample: f32, bits: i32| {
        let full = f64::from(1 << (bits - 1));
        (f64::from(sample) * full).round().clamp(-full, full - 1.0) as i32
    };
    match format {
        Sample::F32(Type::Planar) => {
            for channel in 0..channels {
                let own = block.iter().skip(channel).step_by(channels);
                frame.plane_mut::<f32>(channel).iter_mut().zip(own).for_each(|(to, from)| *to = *from);
            }
        }
        Sample::I16(_) => {
            let (to, _) = frame.data_mut(0).as_chunks_mut::<2>();
            to.iter_mut().zip(block).for_each(|(to, from)| *to = (scaled(*from, 16) as i16).to_ne_bytes());
        }
        Sample::I32(_) => {
            let (to, _) = frame.data_mut(0).as_chunks_mut::<4>();
            to.iter_mut().zip(block).for_each(|(to, from)| *to = (scaled(*from, 24) << 8).to_ne_bytes());
        }
        _ => {
            let (to, _) = frame.data_mut(0).as_chunks_mut::<4>();
            to.iter_mut().zip(block).for_each(|(to, from)| *to = from.to_ne_bytes());
        }
    }
}

/// A packet of silence: what a decoder needs to go on where packets were taken over and end too early.
pub(crate) fn silence(container: Container, settings: AudioSettings) -> Result<Vec<u8>, Error> {
    let (codec, format) = codec_of(container, settings);
    let mut encoder = opened(codec.ok_or(Error::EncoderNotFound)?, format, settings)?;
    let size = encoder.frame_size() as usize;
    let layout = layout(format, settings.channels);
    let mut last = vec![];
    let mut take = |encoder: &mut encoder::Audio| {
        let mut packet = Packet::empty();
        while encoder.receive_packet(&mut packet).is_ok() {
            last = packet.data().unwrap_or_default().to_vec();
        }
    };
    // The first packets hold the encoder's start; later ones are all alike.
    for block in 0..SETTLED {
        let mut frame = frame::Audio::new(format, size, layout);
        frame.set_rate(settings.rate);
        fill(&mut frame, &vec![0.0; size * usize::from(settings.channels)], format, settings.channels.into());
        frame.set_pts(Some((block * size) as i64));
        encoder.send_frame(&frame)?;
        take(&mut encoder);
    }
    encoder.send_eof()?;
    take(&mut encoder);
    if last.is_empty() { Err(Error::InvalidData) } else { Ok(last) }
}

fn codec_of(container: Container, settings: AudioSettings) -> (Option<ffmpeg_next::Codec>, Sample) {
    match container.audio() {
        AudioCodec::Aac => (encoder::find(codec::Id::AAC), Sample::F32(Type::Planar)),
        AudioCodec::Opus => (encoder::find_by_name("libopus"), Sample::F32(Type::Packed)),
        AudioCodec::Flac if settings.bits <= 16 => {
            (encoder::find(codec::Id::FLAC), Sample::I16(Type::Packed))
        }
        // FFmpeg's FLAC takes the upper 24 bits.
        AudioCodec::Flac => (encoder::find(codec::Id::FLAC), Sample::I32(Type::Packed)),
    }
}

/// Where channels are heard when the file does not say: as FFmpeg assumes, and for Opus as its own order has it.
fn layout(format: Sample, channels: u16) -> ChannelLayout {
    match (format, channels) {
        (Sample::F32(Type::Packed), 3) => ChannelLayout::SURROUND,
        (Sample::F32(Type::Packed), 4) => ChannelLayout::QUAD,
        _ => ChannelLayout::default(i32::from(channels)),
    }
}

fn opened(
    codec: ffmpeg_next::Codec,
    format: Sample,
    settings: AudioSettings,
) -> Result<encoder::Audio, Error> {
    let mut encoder = codec::Context::new_with_codec(codec).encoder().audio()?;
    encoder.set_rate(settings.rate as i32);
    encoder.set_channel_layout(layout(format, settings.channels));
    encoder.set_format(format);
    if settings.bit_rate > 0 {
        encoder.set_bit_rate(settings.bit_rate as usize);
    }
    encoder.set_time_base(Rational::new(1, settings.rate as i32));
    encoder.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
    encoder.open_as_with(codec, Dictionary::new())
}

/// Notes on a packet that lasts less than it holds how many of its last samples are to be thrown away, unless the encoder
/// did.
pub(crate) fn declare_padding(packet: &mut Packet, size: i64) {
    let Ok(padding) = u32::try_from(size - packet.duration()) else { return };
    if padding == 0 || packet.duration() == 0 {
        return;
    }
    const KIND: AVPacketSideDataType = AVPacketSideDataType::AV_PKT_DATA_SKIP_SAMPLES;
    // SAFETY: the packet is valid; the new memory has `SKIP_BYTES` bytes and belongs to the packet.
    unsafe {
        let packet = packet.as_mut_ptr();
        if !av_packet_get_side_data(packet, KIND, std::ptr::null_mut()).is_null() {
            return;
        }
        let data = av_packet_new_side_data(packet, KIND, SKIP_BYTES);
        if !data.is_null() {
            let data = std::slice::from_raw_parts_mut(data, SKIP_BYTES);
            data.fill(0);
            data[4..8].copy_from_slice(&padding.to_le_bytes());
        }
    }
}
