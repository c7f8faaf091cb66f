use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
};

/// Samples a second of all audio that is analysed.
pub(super) const RATE: u32 = 16_000;

pub(super) fn contract() -> Contract {
    Contract::new("audio_decode", 3, Time::Value, Pool::Io, "decodes an audio file to 16 kHz mono, and keeps its track")
        .doc(
            "WAV (integers of 8 to 32 bits and floats) is read directly, everything else that FFmpeg knows through \
             FFmpeg: MP3, M4A, FLAC, Ogg, the audio of a video. For `audio` the channels become one, which is \
             resampled with libswresample: the centre where the file has one that is not silent, else every channel by its share \
             of the whole track's energy (in powers of two), turned round where it runs against the loudest; the note \
             `channel_weights` says how. A track that begins after the first picture, or lacks packets for 15 ms or more, has \
             silence there (`silence_filled_in`, in seconds). `track` is what the file holds, for the video: packets of AAC (LC) and Opus are taken over as \
             they are (M4A, WebM), everything else is kept as FLAC at its own rate, 48 kHz at most, with all channels. Both \
             begin with the same sample. A file that ends early is used as far as it goes; the note \
             `truncated` and a warning say so; lengths from 0x70000000 bytes on and zero only hold the place of one, and such a \
             file is read to its end. Samples of a WAV that are no finite numbers are an error.",
        )
        .input("file", ArtifactType::File, Arity::Value, "the audio or video file")
        .output("audio", ArtifactType::Audio, "mono samples at 16 kHz, nominally in [-1,1]")
        .output("track", ArtifactType::Track, "the audio as given")
        .param(
            "stream",
            ParamKind::Int { min: 0, max: 255 },
            ParamValue::Int(0),
            "which audio track of the file, counted from 1; 0: the one that the file marks, or else the best",
        )
        .decodes(ArtifactType::Audio)
}
