//! Frames to H.264 or VP9: 4:2:0, BT.709 limited range and tagged so, on one thread: more would give other bytes.

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, codec, color, encoder,
    format::{Pixel, context::Output},
    frame,
};

use talkgraph_media::{Container, Settings};

use crate::{
    colour,
    container::{Muxed, VideoCodec},
    encode::{VIDEO, write},
    ffmpeg::wants_more,
};

/// x264's macroblock tree works on eight macroblocks at a time and reads past the end of rows of other widths: what it
/// decides then depends on what lay in memory, and the same frames give other bytes.
const MBTREE_WIDTH: u32 = 128;

/// Largest rate factors of x264 and of VP9: ours is x264's, and is stretched for the other.
const X264_CRF: i64 = 51;
const VP9_CRF: i64 = 63;

/// Takes packed RGB frames and gives packets to the muxer.
pub(crate) struct VideoEncoder {
    encoder: encoder::Video,
    size: (usize, usize),
    step: Rational,
    sent: i64,
}

impl VideoEncoder {
    /// Opens the encoder and adds its stream to `output`.
    pub(crate) fn open(
        output: &mut Output,
        container: Container,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let (width, height) = (settings.width.next_multiple_of(2), settings.height.next_multiple_of(2));
        let rate = Rational::new(settings.rate.num, settings.rate.den);
        let step = rate.invert();
        let (name, options) = match container.video() {
            VideoCodec::H264 => ("libx264", h264(settings, width)),
            VideoCodec::Vp9 => ("libvpx-vp9", vp9(settings)),
        };
        let codec = encoder::find_by_name(name).ok_or(Error::EncoderNotFound)?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(step);
        video.set_frame_rate(Some(rate));
        video.set_colorspace(color::Space::BT709);
        video.set_color_range(color::Range::MPEG);
        video.set_color_primaries(color::Primaries::BT709);
        video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        video.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT | codec::Flags::CLOSED_GOP);
        let encoder = video.open_as_with(codec, options)?;
        let mut stream = output.add_stream(codec)?;
        stream.set_parameters(&encoder);
        stream.set_time_base(step);
        stream.set_avg_frame_rate(rate);
        Ok(Self { encoder, size: (settings.width as usize, settings.height as usize), step, sent: 0 })
    }

    pub(crate) fn push(&mut self, rgb: &[u8], output: &mut Output) -> Result<(), Error> {
        let mut frame = frame::Video::new(Pixel::YUV420P, self.encoder.width(), self.encoder.height());
        let strides = [0, 1, 2].map(|plane| frame.stride(plane));
        colour::luma(rgb, self.size, frame.data_mut(0), strides[0]);
        colour::chroma(colour::CB, rgb, self.size, frame.data_mut(1), strides[1]);
        colour::chroma(colour::CR, rgb, self.size, frame.data_mut(2), strides[2]);
        frame.set_pts(Some(self.sent));
        self.sent += 1;
        self.encoder.send_frame(&frame)?;
        self.drain(output)
    }

    pub(crate) fn finish(&mut self, output: &mut Output) -> Result<(), Error> {
        self.encoder.send_eof()?;
        self.drain(output)
    }

    fn drain(&mut self, output: &mut Output) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {
                    packet.set_duration(1);
                    write(&mut packet, VIDEO, self.step, output)?;
                }
                Err(error) if wants_more(error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

fn h264(settings: &Settings, width: u32) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("crf", &settings.crf.to_string());
    options.set("preset", &settings.preset);
    options.set("profile", "high");
    options.set("threads", "1");
    if !width.is_multiple_of(MBTREE_WIDTH) {
        options.set("x264-params", "mbtree=0");
    }
    options
}

fn vp9(settings: &Settings) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    if settings.crf == 0 {
        options.set("lossless", "1");
    } else {
        options.set("crf", &((settings.crf * VP9_CRF + X264_CRF / 2) / X264_CRF).to_string());
    }
    // Without a bit rate the rate factor alone decides.
    options.set("b", "0");
    let speed = match settings.preset.as_str() {
        "ultrafast" | "superfast" | "veryfast" => "5",
        "faster" | "fast" => "4",
        "medium" => "3",
        "slow" => "2",
        "slower" => "1",
        _ => "0",
    };
    options.set("deadline", "good");
    options.set("cpu-used", speed);
    options.set("threads", "1");
    options
}
