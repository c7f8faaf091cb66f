use super::file::{FORMATS, STREAM};
use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
};

/// Endings of file names, each with its container.
const ENDINGS: [(&str, &str); 6] =
    [("mp4", "mp4"), ("mov", "mov"), ("mkv", "mkv"), ("webm", "webm"), ("gif", "gif"), ("webp", "webp")];

const PRESETS: [&str; 9] =
    ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];

pub(super) fn contract() -> Contract {
    Contract::new("mux", 2, Time::Reduce, Pool::Io, "encodes frames and audio as a video file")
        .doc(
            "`mp4`, `mov` and `mkv` hold H.264 (x264, High profile) and AAC, `webm` VP9 and Opus, all 4:2:0, BT.709 limited \
             range and tagged so; `fmp4` is MP4 in fragments of a second, which plays while it comes; \
             `gif` and `webp` are silent previews that loop, of 512 pixels at most. `-o video=NAME` chooses by the \
             name's ending, and `fmp4` for standard output, where the graph does not. The video has exactly the frames \
             that come in; the audio is cut or filled up with silence to their duration, to the sample, and the \
             encoder's priming is declared, so that players start both together. Packets of a `track` are taken over as \
             they are where the container takes them (AAC in MP4, QuickTime and Matroska, Opus in WebM and Matroska); \
             else it is encoded once, at its own rate and with its own channels. `audio` is encoded at 48 kHz mono. The \
             note `audio` says which was done; it is `none` for a silent video, as one with an empty `track` is. Frames of odd size are padded by one \
             pixel. One encoder thread: the same input gives the same bytes. The file says in its title and comment \
             (GIF: a comment; WebP: XMP) that it was generated, with the IPTC term for media made by a trained model; \
             nothing is drawn on the frames or hidden in them.",
        )
        .input("frames", ArtifactType::Frames, Arity::Chunk, "the frames, all of one size")
        .optional("track", ArtifactType::Track, Arity::Value, "the audio as given (of `speech` or of a driving video); or connect `audio`")
        .optional("audio", ArtifactType::Audio, Arity::Value, "mono samples; without either the video is silent")
        .output("video", ArtifactType::Video, "the video file")
        .named("container", &ENDINGS, Some(STREAM))
        .param(
            "container",
            ParamKind::Choice { options: FORMATS.iter().map(|&(name, _)| name.into()).collect() },
            ParamValue::Text("mp4".into()),
            "file format",
        )
        .param(
            "crf",
            ParamKind::Int { min: 0, max: 51 },
            ParamValue::Int(18),
            "x264's constant rate factor, stretched to the scale of other codecs: 0 is lossless, 18 looks the same as the frames, 28 is small",
        )
        .param(
            "preset",
            ParamKind::Choice { options: PRESETS.iter().map(|&preset| preset.into()).collect() },
            ParamValue::Text("veryfast".into()),
            "x264's preset, for VP9 the speed that corresponds: slower ones give smaller files (medium: a quarter smaller, three times as long)",
        )
        .param(
            "audio_kbps",
            ParamKind::Int { min: 0, max: 510 },
            ParamValue::Int(0),
            "bit rate of audio that is encoded, thousand bits a second; 0: 96 for each channel",
        )
}
