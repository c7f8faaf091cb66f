//! AAC for an MP4 file.

use ffmpeg_next::{
    ChannelLayout, Dictionary, Error, Packet, Rational, codec, encoder,
    format::{
        context::Output,
        sample::{Sample, Type},
    },
    frame,
};

use super::{
    encode::{SOUND, write},
    wants_more,
};

const FORMAT: Sample = Sample::F32(Type::Planar);

/// Takes samples as they come and gives packets to the muxer.
pub(crate) struct SoundEncoder {
    encoder: encoder::Audio,
    waiting: Vec<f32>,
    sent: i64,
}

impl SoundEncoder {
    /// Samples a second: the rate that every player and platform takes.
    pub(crate) const RATE: u32 = 48_000;

    /// Opens the encoder and adds its stream to `output`.
    pub(super) fn open(output: &mut Output, bit_rate: usize) -> Result<Self, Error> {
        let aac = encoder::find(codec::Id::AAC).ok_or(Error::EncoderNotFound)?;
        let mut encoder = codec::Context::new_with_codec(aac).encoder().audio()?;
        encoder.set_rate(Self::RATE as i32);
        encoder.set_channel_layout(ChannelLayout::MONO);
        encoder.set_format(FORMAT);
        encoder.set_bit_rate(bit_rate);
        encoder.set_time_base(base());
        encoder.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
        let encoder = encoder.open_as_with(aac, Dictionary::new())?;
        let mut stream = output.add_stream(aac)?;
        stream.set_parameters(&encoder);
        stream.set_time_base(base());
        Ok(Self { encoder, waiting: vec![], sent: 0 })
    }

    pub(super) fn push(&mut self, samples: &[f32], output: &mut Output) -> Result<(), Error> {
        self.waiting.extend_from_slice(samples);
        let size = self.encoder.frame_size() as usize;
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
        let mut frame = frame::Audio::new(FORMAT, block.len(), ChannelLayout::MONO);
        frame.set_rate(Self::RATE);
        frame.plane_mut::<f32>(0).copy_from_slice(block);
        frame.set_pts(Some(self.sent));
        self.sent += block.len() as i64;
        self.encoder.send_frame(&frame)?;
        self.drain(output)
    }

    fn drain(&mut self, output: &mut Output) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => write(&mut packet, SOUND, base(), output)?,
                Err(error) if wants_more(error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

fn base() -> Rational {
    Rational::new(1, SoundEncoder::RATE as i32)
}
