use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, Pool, Time},
};

/// Samples a second of all audio that is analysed.
pub(super) const RATE: u32 = 16_000;

pub(super) fn contract() -> Contract {
    Contract::new("audio_decode", 2, Time::Value, Pool::Io, "decodes an audio file to 16 kHz mono, and keeps its track")
        .doc(
            "WAV (integers of 8 to 32 bits and floats) is read directly, everything else that FFmpeg knows through \
             FFmpeg: MP3, M4A, FLAC, Ogg, the audio of a video. For `audio` the channels are averaged, then resampled with \
             libswresample. `track` is what the file holds, for the video: packets of AAC (LC) and Opus are taken over as \
             they are (M4A, WebM), everything else is kept as FLAC at its own rate, 48 kHz at most, with all channels. Both \
             begin with the first sample that is played. A file that ends early is used as far as it goes; the note \
             `truncated` and a warning say so. Samples of a WAV that are no finite numbers are an error.",
        )
        .input("file", ArtifactType::File, Arity::Value, "the audio or video file")
        .output("audio", ArtifactType::Audio, "mono samples at 16 kHz, nominally in [-1,1]")
        .output("track", ArtifactType::Track, "the audio as given")
        .decodes(ArtifactType::Audio)
}
