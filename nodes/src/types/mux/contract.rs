use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
};

const PRESETS: [&str; 9] =
    ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];

pub(super) fn contract() -> Contract {
    Contract::new("mux", 1, Time::Reduce, Pool::Io, "encodes frames and sound as an MP4 file")
        .doc(
            "H.264 (x264, High profile, 4:2:0, BT.709 limited range and tagged so) and AAC at 48 kHz mono, index in \
             front. The video has exactly the frames that come in; the sound is cut or filled up with silence to their \
             duration, to the sample, and the AAC encoder's priming is declared, so that players start both \
             together. Frames of odd size are padded by one pixel. One encoder thread: the same input gives the same \
             bytes. The file says in its title and comment that it was generated, with the IPTC term for media made by \
             a trained model; nothing is drawn on the pictures or hidden in them.",
        )
        .input("frames", ArtifactType::Frames, Arity::Chunk, "the pictures, all of one size")
        .optional("audio", ArtifactType::Audio, Arity::Value, "the sound; without it the video is silent")
        .output("video", ArtifactType::Video, "the MP4 file")
        .param(
            "crf",
            ParamKind::Int { min: 0, max: 51 },
            ParamValue::Int(18),
            "x264's constant rate factor: 0 is lossless, 18 looks the same as the frames, 28 is small",
        )
        .param(
            "preset",
            ParamKind::Choice { options: PRESETS.iter().map(|&preset| preset.into()).collect() },
            ParamValue::Text("medium".into()),
            "x264's preset: slower ones give smaller files",
        )
        .param(
            "audio_kbps",
            ParamKind::Int { min: 24, max: 256 },
            ParamValue::Int(96),
            "bit rate of the sound, thousand bits a second",
        )
}
