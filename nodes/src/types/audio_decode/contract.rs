use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, Pool, Time},
};

/// Samples a second of all sound in a graph.
pub(super) const RATE: u32 = 16_000;

pub(super) fn contract() -> Contract {
    Contract::new("audio_decode", 1, Time::Value, Pool::Io, "decodes a sound file to 16 kHz mono")
        .doc(
            "WAV (integers of 8 to 32 bits and floats) is read directly, everything else that FFmpeg knows through \
             FFmpeg: MP3, M4A, FLAC, Ogg, the sound track of a video. The channels are averaged, then resampled \
             with libswresample. A file that ends early is used as far as it goes; the note `truncated` and a \
             warning say so.",
        )
        .input("file", ArtifactType::File, Arity::Value, "the sound or video file")
        .output("audio", ArtifactType::Audio, "mono samples at 16 kHz, nominally in [-1,1]")
        .decodes(ArtifactType::Audio)
}
