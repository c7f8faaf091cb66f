//! How FFmpeg writes the file formats.

use ffmpeg_next::Dictionary;
use talkgraph_media::{AudioCodec, Container};

/// How frames are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VideoCodec {
    H264,
    Vp9,
}

/// What FFmpeg must know of a [`Container`].
pub(crate) trait Muxed {
    /// FFmpeg's name of the muxer.
    fn muxer(self) -> &'static str;
    /// How frames are coded.
    fn video(self) -> VideoCodec;
    /// Whether the end of a track is told by the length of its last packet; Matroska says instead how much of the packet
    /// is to be thrown away.
    fn has_durations(self) -> bool;
    /// Samples by which audio is told to play later than it does: Matroska's readers take Opus's priming, which the file
    /// declares, off every time. (It declares none of AAC: FFmpeg moves frames and audio by it together.)
    fn delay(self, codec: AudioCodec, priming: i64) -> i64;
    /// The muxer's options: the same input gives the same bytes.
    fn options(self) -> Dictionary<'static>;
}

impl Muxed for Container {
    fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 | Self::FragmentedMp4 => "mp4",
            Self::Mov => "mov",
            Self::Matroska => "matroska",
            Self::WebM => "webm",
            Self::M4a => "ipod",
            Self::Flac => "flac",
        }
    }

    fn video(self) -> VideoCodec {
        if self == Self::WebM { VideoCodec::Vp9 } else { VideoCodec::H264 }
    }

    fn has_durations(self) -> bool {
        !matches!(self, Self::Matroska | Self::WebM)
    }

    fn delay(self, codec: AudioCodec, priming: i64) -> i64 {
        if codec == AudioCodec::Opus && !self.has_durations() { priming } else { 0 }
    }

    fn options(self) -> Dictionary<'static> {
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
