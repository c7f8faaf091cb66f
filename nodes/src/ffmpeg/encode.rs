//! An MP4 writer: H.264 and AAC, the same bytes for the same input.

use std::path::Path;

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, codec, color, encoder, format,
    format::{Pixel, context::Output},
    frame,
};

use super::{colour, init, sound_encode::SoundEncoder, wants_more};

/// x264's macroblock tree works on eight macroblocks at a time and reads past the end of rows of other widths: what it
/// decides then depends on what lay in memory, and the same frames give other bytes.
const MBTREE_WIDTH: u32 = 128;

/// Index of the video stream.
const VIDEO: usize = 0;
/// Index of the sound stream.
pub(super) const SOUND: usize = 1;

/// What a file is made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Frames a second.
    pub(crate) rate: Rational,
    /// Size of the pictures; odd sizes are padded to even ones.
    pub(crate) width: u32,
    /// See `width`.
    pub(crate) height: u32,
    /// x264's constant rate factor.
    pub(crate) crf: i64,
    /// x264's preset.
    pub(crate) preset: String,
    /// Bit rate of the sound in bits a second; `None`: no sound track.
    pub(crate) sound: Option<usize>,
    /// Title and comment of the file.
    pub(crate) tags: Vec<(&'static str, String)>,
}

/// A file being written. Pictures and sound may come in any order; what waits for the other is kept by the muxer.
pub(crate) struct Mp4 {
    output: Output,
    video: encoder::Video,
    sound: Option<SoundEncoder>,
    size: (usize, usize),
    step: Rational,
    frames: i64,
}

impl Mp4 {
    /// Creates the file at `path`.
    pub(crate) fn create(path: &Path, settings: &Settings) -> Result<Self, Error> {
        init().map_err(|_| Error::Unknown)?;
        let (width, height) = (settings.width.next_multiple_of(2), settings.height.next_multiple_of(2));
        let mut output = format::output_as(path, "mp4")?;
        let step = settings.rate.invert();

        let h264 = encoder::find_by_name("libx264").ok_or(Error::EncoderNotFound)?;
        let mut video = codec::Context::new_with_codec(h264).encoder().video()?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(step);
        video.set_frame_rate(Some(settings.rate));
        video.set_colorspace(color::Space::BT709);
        video.set_color_range(color::Range::MPEG);
        video.set_color_primaries(color::Primaries::BT709);
        video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        video.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT | codec::Flags::CLOSED_GOP);
        let mut options = Dictionary::new();
        options.set("crf", &settings.crf.to_string());
        options.set("preset", &settings.preset);
        options.set("profile", "high");
        // More threads would give other bytes.
        options.set("threads", "1");
        if width % MBTREE_WIDTH != 0 {
            options.set("x264-params", "mbtree=0");
        }
        let video = video.open_as_with(h264, options)?;
        let mut stream = output.add_stream(h264)?;
        stream.set_parameters(&video);
        stream.set_time_base(step);
        stream.set_avg_frame_rate(settings.rate);

        let sound = match settings.sound {
            Some(bit_rate) => Some(SoundEncoder::open(&mut output, bit_rate)?),
            None => None,
        };

        let mut tags = Dictionary::new();
        settings.tags.iter().for_each(|(name, value)| tags.set(name, value));
        output.set_metadata(tags);
        let mut options = Dictionary::new();
        options.set("movflags", "+faststart");
        options.set("fflags", "+bitexact");
        drop(output.write_header_with(options)?);
        Ok(Self {
            output,
            video,
            sound,
            size: (settings.width as usize, settings.height as usize),
            step,
            frames: 0,
        })
    }

    /// Adds one packed RGB picture of the settings' size.
    pub(crate) fn picture(&mut self, rgb: &[u8]) -> Result<(), Error> {
        let mut picture = frame::Video::new(Pixel::YUV420P, self.video.width(), self.video.height());
        let strides = [0, 1, 2].map(|plane| picture.stride(plane));
        colour::luma(rgb, self.size, picture.data_mut(0), strides[0]);
        colour::chroma(colour::CB, rgb, self.size, picture.data_mut(1), strides[1]);
        colour::chroma(colour::CR, rgb, self.size, picture.data_mut(2), strides[2]);
        picture.set_pts(Some(self.frames));
        self.frames += 1;
        self.video.send_frame(&picture)?;
        self.drain()
    }

    /// Adds mono samples at [`SoundEncoder::RATE`], as many as there are.
    pub(crate) fn sound(&mut self, samples: &[f32]) -> Result<(), Error> {
        match &mut self.sound {
            Some(sound) => sound.push(samples, &mut self.output),
            None => Ok(()),
        }
    }

    /// Ends the file; the index is moved to its front.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.video.send_eof()?;
        self.drain()?;
        if let Some(sound) = &mut self.sound {
            sound.finish(&mut self.output)?;
        }
        self.output.write_trailer()
    }

    fn drain(&mut self) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.video.receive_packet(&mut packet) {
                Ok(()) => {
                    packet.set_duration(1);
                    write(&mut packet, VIDEO, self.step, &mut self.output)?;
                }
                Err(error) if wants_more(error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Hands a packet with times in units of `base` to the muxer.
pub(super) fn write(
    packet: &mut Packet,
    stream: usize,
    base: Rational,
    output: &mut Output,
) -> Result<(), Error> {
    let Some(to) = output.stream(stream).map(|stream| stream.time_base()) else {
        return Err(Error::StreamNotFound);
    };
    packet.set_stream(stream);
    packet.rescale_ts(base, to);
    packet.write_interleaved(output)
}
