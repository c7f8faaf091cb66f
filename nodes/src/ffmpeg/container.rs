//! The file formats that videos and audio tracks are written in, and the codecs that each holds.

use ffmpeg_next::Dictionary;

/// Most samples a second of any audio track.
const MOST: u32 = 48_000;

/// Rates that AAC has a number for, up to [`MOST`].
const AAC_RATES: [u32; 10] = [7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, MOST];

/// A file format with its codecs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
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

/// How frames are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VideoCodec {
    H264,
    Vp9,
}

/// How audio is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudioCodec {
    /// MPEG-4 AAC-LC.
    Aac,
    /// Opus, always at 48 kHz.
    Opus,
    /// FLAC: without loss.
    Flac,
}

impl AudioCodec {
    /// The codec's name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aac => "AAC",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
        }
    }

    /// The rate, in Hz, that audio of `rate` is encoded at.
    pub(crate) fn rate(self, rate: u32) -> u32 {
        match self {
            Self::Aac if AAC_RATES.contains(&rate) => rate,
            Self::Flac => rate.min(MOST),
            Self::Aac | Self::Opus => MOST,
        }
    }
}

impl Container {
    /// FFmpeg's name of the muxer.
    pub(super) fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 | Self::FragmentedMp4 => "mp4",
            Self::Mov => "mov",
            Self::Matroska => "matroska",
            Self::WebM => "webm",
            Self::M4a => "ipod",
            Self::Flac => "flac",
        }
    }

    pub(super) fn video(self) -> VideoCodec {
        if self == Self::WebM { VideoCodec::Vp9 } else { VideoCodec::H264 }
    }

    /// The codec that audio is encoded with.
    pub(crate) fn audio(self) -> AudioCodec {
        match self {
            Self::WebM => AudioCodec::Opus,
            Self::Flac => AudioCodec::Flac,
            Self::Mp4 | Self::FragmentedMp4 | Self::Mov | Self::Matroska | Self::M4a => AudioCodec::Aac,
        }
    }

    /// Whether packets of `codec` can be taken over.
    pub(crate) fn takes(self, codec: AudioCodec) -> bool {
        self.audio() == codec || (self == Self::Matroska && codec == AudioCodec::Opus)
    }

    /// Whether the end of a track is told by the length of its last packet; Matroska says instead how much of the packet
    /// is to be thrown away.
    pub(super) fn has_durations(self) -> bool {
        !matches!(self, Self::Matroska | Self::WebM)
    }

    /// Samples by which audio is told to play later than it does: Matroska's readers take Opus's priming, which the file
    /// declares, off every time. (It declares none of AAC: FFmpeg moves frames and audio by it together.)
    pub(super) fn delay(self, codec: AudioCodec, priming: i64) -> i64 {
        if codec == AudioCodec::Opus && !self.has_durations() { priming } else { 0 }
    }

    /// The muxer's options: the same input gives the same bytes.
    pub(super) fn options(self) -> Dictionary<'static> {
        let mut options = Dictionary::new();
        options.set("fflags", "+bitexact");
        match self {
            Self::Mp4 | Self::Mov | Self::M4a => options.set("movflags", "+faststart"),
            Self::FragmentedMp4 => {
                // Without `delay_moov` the first samples' priming could not be declared.
                options.set("movflags", "+frag_keyframe+delay_moov+default_base_moof");
                options.set("frag_duration", "1000000");
            }
            Self::Matroska | Self::WebM => {
                // The cues lie in front too, so that players seek before all is there.
                options.set("cues_to_front", "1");
            }
            Self::Flac => {}
        }
        options
    }
}
