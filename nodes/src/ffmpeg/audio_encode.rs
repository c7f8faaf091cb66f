//! Samples to AAC or Opus.

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

use super::{
    container::{AudioCodec, Container},
    encode::{AUDIO, AudioSettings, write},
    wants_more,
};

/// Bytes of a packet's note on samples to skip: two counts and two reasons.
const SKIP_BYTES: usize = 10;

/// Takes samples as they come and gives packets to the muxer.
pub(crate) struct AudioEncoder {
    encoder: encoder::Audio,
    format: Sample,
    settings: AudioSettings,
    /// Whether the file tells a track's end by the length of its last packet.
    has_durations: bool,
    waiting: Vec<f32>,
    sent: i64,
}

impl AudioEncoder {
    /// Opens the encoder and adds its stream to `output`.
    pub(super) fn open(
        output: &mut Output,
        container: Container,
        settings: AudioSettings,
    ) -> Result<Self, Error> {
        let (codec, format) = match container.audio() {
            AudioCodec::Aac => (encoder::find(codec::Id::AAC), Sample::F32(Type::Planar)),
            AudioCodec::Opus => (encoder::find_by_name("libopus"), Sample::F32(Type::Packed)),
        };
        let codec = codec.ok_or(Error::EncoderNotFound)?;
        let base = Rational::new(1, settings.rate as i32);
        let mut encoder = codec::Context::new_with_codec(codec).encoder().audio()?;
        encoder.set_rate(settings.rate as i32);
        encoder.set_channel_layout(ChannelLayout::default(i32::from(settings.channels)));
        encoder.set_format(format);
        encoder.set_bit_rate(settings.bit_rate);
        encoder.set_time_base(base);
        encoder.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
        let encoder = encoder.open_as_with(codec, Dictionary::new())?;
        let mut stream = output.add_stream(codec)?;
        stream.set_parameters(&encoder);
        stream.set_time_base(base);
        let has_durations = container.has_durations();
        Ok(Self { encoder, format, settings, has_durations, waiting: vec![], sent: 0 })
    }

    pub(super) fn push(&mut self, samples: &[f32], output: &mut Output) -> Result<(), Error> {
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
    pub(super) fn finish(&mut self, output: &mut Output) -> Result<(), Error> {
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
        let layout = ChannelLayout::default(i32::from(self.settings.channels));
        let mut frame = frame::Audio::new(self.format, samples, layout);
        frame.set_rate(self.settings.rate);
        if self.format.is_planar() {
            for channel in 0..channels {
                let own = block.iter().skip(channel).step_by(channels);
                frame.plane_mut::<f32>(channel).iter_mut().zip(own).for_each(|(to, from)| *to = *from);
            }
        } else {
            let bytes: &[u8] = bytemuck::cast_slice(block);
            frame.data_mut(0)[..bytes.len()].copy_from_slice(bytes);
        }
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
                    if !self.has_durations {
                        declare_padding(&mut packet, i64::from(self.encoder.frame_size()));
                    }
                    write(&mut packet, AUDIO, Rational::new(1, self.settings.rate as i32), output)?;
                }
                Err(error) if wants_more(error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Notes on a packet that lasts less than it holds how many of its last samples are to be thrown away, unless the encoder
/// did.
fn declare_padding(packet: &mut Packet, size: i64) {
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
