//! What both sides of the boundary speak of: file formats, codecs, how audio lies in time, settings of files to be written.

use serde::{Deserialize, Serialize};

/// Most samples a second of any audio track.
const MOST: u32 = 48_000;

/// Rates that AAC has a number for, up to [`MOST`].
const AAC_RATES: [u32; 10] = [7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, MOST];

/// A file format with its codecs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Container {
    /// H.264 and AAC, index in front.
    Mp4,
    /// The same in fragments of a second, to be played while it comes.
    FragmentedMp4,
    /// H.264 and AAC.
    Mov,
    /// H.264 and AAC.
    Matroska,
    /// VP9 and Opus; also Opus alone.
    WebM,
    /// AAC alone.
    M4a,
    /// FLAC alone.
    Flac,
}

impl Container {
    /// The codec that audio is encoded with.
    pub fn audio(self) -> AudioCodec {
        match self {
            Self::WebM => AudioCodec::Opus,
            Self::Flac => AudioCodec::Flac,
            Self::Mp4 | Self::FragmentedMp4 | Self::Mov | Self::Matroska | Self::M4a => AudioCodec::Aac,
        }
    }

    /// Whether packets of `codec` can be taken over.
    pub fn takes(self, codec: AudioCodec) -> bool {
        self.audio() == codec || (self == Self::Matroska && codec == AudioCodec::Opus)
    }
}

/// How audio is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AudioCodec {
    /// MPEG-4 AAC-LC.
    Aac,
    /// Opus, always at 48 kHz.
    Opus,
    /// FLAC: without loss.
    Flac,
}

impl AudioCodec {
    /// The codec's name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aac => "AAC",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
        }
    }

    /// The rate, in Hz, that audio of `rate` is encoded at.
    pub fn rate(self, rate: u32) -> u32 {
        match self {
            Self::Aac if AAC_RATES.contains(&rate) => rate,
            Self::Flac => rate.min(MOST),
            Self::Aac | Self::Opus => MOST,
        }
    }
}

/// How the packets of an audio track lie in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The packets' codec.
    pub codec: AudioCodec,
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Samples of a packet.
    pub packet: u32,
    /// Samples at the start that are not played: the encoder's priming.
    pub skip: u32,
    /// Samples that are played.
    pub samples: u64,
}

/// Some samples of every channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Where the channels' loudspeakers stand, as bits of FFmpeg's (and WAV's) masks; 0: not said.
    pub layout: u64,
    /// Bits of a sample that mean something: 16 or 24.
    pub bits: u32,
    /// Samples, channels interleaved, nominally in [-1,1].
    pub samples: Vec<f32>,
}

impl Block {
    /// The channels' mean.
    pub fn mono(&self) -> Vec<f32> {
        let share = 1.0 / f32::from(self.channels);
        let frames = self.samples.chunks_exact(usize::from(self.channels).max(1));
        frames.map(|frame| frame.iter().fold(0.0, |sum, sample| sum + share * sample)).collect()
    }
}

/// Frames a second, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameRate {
    /// Numerator, at least 1.
    pub num: i32,
    /// Denominator, at least 1.
    pub den: i32,
}

/// What a video file is made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Frames a second.
    pub rate: FrameRate,
    /// Columns of the frames; odd sizes are padded to even ones.
    pub width: u32,
    /// Rows of the frames.
    pub height: u32,
    /// x264's constant rate factor, also for other codecs.
    pub crf: i64,
    /// x264's preset, also for other codecs.
    pub preset: String,
    /// Title, comment and the like of the file, by name.
    pub tags: Vec<(String, String)>,
}

/// Where the audio track of a video file comes from.
#[derive(Clone, Debug)]
pub enum AudioSource {
    /// Samples to encode.
    Samples(AudioSettings),
    /// Packets of a file's best audio track, which lie as the layout says, to take over.
    Packets(std::path::PathBuf, Layout),
}

/// What an audio track is encoded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioSettings {
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Bits a second; 0 for codecs without loss.
    pub bit_rate: u32,
    /// Bits of a sample, for codecs without loss.
    pub bits: u32,
}

/// What an animated WebP is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebpSettings {
    /// Columns of the frames.
    pub width: u32,
    /// Rows of the frames.
    pub height: u32,
    /// Frames a second.
    pub rate: FrameRate,
    /// 0 to 100.
    pub quality: i64,
}

/// The grey level that transparent pixels are laid over, in all three channels.
pub type Under = [u8; 3];
