//! The file formats that videos are written in, and the codecs that each holds.

use ffmpeg_next::Dictionary;

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
    /// VP9 and Opus.
    WebM,
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
}

impl Container {
    /// FFmpeg's name of the muxer.
    pub(super) fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 | Self::FragmentedMp4 => "mp4",
            Self::Mov => "mov",
            Self::Matroska => "matroska",
            Self::WebM => "webm",
        }
    }

    pub(super) fn video(self) -> VideoCodec {
        if self == Self::WebM { VideoCodec::Vp9 } else { VideoCodec::H264 }
    }

    pub(crate) fn audio(self) -> AudioCodec {
        if self == Self::WebM { AudioCodec::Opus } else { AudioCodec::Aac }
    }

    /// Whether the end of a track is told by the length of its last packet; Matroska says instead how much of the packet
    /// is to be thrown away.
    pub(super) fn has_durations(self) -> bool {
        !matches!(self, Self::Matroska | Self::WebM)
    }

    /// The muxer's options: the same input gives the same bytes.
    pub(super) fn options(self) -> Dictionary<'static> {
        let mut options = Dictionary::new();
        options.set("fflags", "+bitexact");
        match self {
            Self::Mp4 | Self::Mov => options.set("movflags", "+faststart"),
            Self::FragmentedMp4 => {
                // Without `delay_moov` the first samples' priming could not be declared.
                options.set("movflags", "+frag_keyframe+delay_moov+default_base_moof");
                options.set("frag_duration", "1000000");
            }
            Self::Matroska | Self::WebM => {
                // The cues lie in front too, so that players seek before all is there.
                options.set("cues_to_front", "1");
                // The muxer declares the audio's priming and moves it by that much itself; all tracks would move.
                options.set("avoid_negative_ts", "disabled");
            }
        }
        options
    }
}
