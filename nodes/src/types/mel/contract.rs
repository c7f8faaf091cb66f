use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Time},
};

/// The gate that lets everything pass, in dB of full scale.
pub(super) const NO_GATE: f64 = -120.0;

pub(super) fn contract(rate: Rate) -> Contract {
    Contract::new("mel", 2, Time::Value, Pool::Cpu, "mel windows of speech, one a video frame")
        .doc(
            "As SadTalker's audio2exp expects it (Zhang et al., CVPR 2023): the audio is cut to whole video frames; \
             pre-emphasis 0.97; STFT of 800 samples (Hann) every 200, centred, zero-padded; magnitudes through 80 \
             Slaney mel bands from 55 to 7600 Hz; 20·log10(max(1e-5, x)) − 20; scaled to [-4,4] by clip(8·(x+100)/100 − \
             4). Frame i takes `columns` columns around its time, 80 a second; beyond the ends the outermost column repeats. Not as \
             published: columns whose samples are quieter than `gate` are silence, so that the room alone moves no lips.",
        )
        .input("audio", ArtifactType::Audio, Arity::Value, "speech at 16 kHz")
        .sequence("mel", ArtifactType::Mel, SequenceRate::Fixed(rate), "`mel` [n,80,columns] in [-4,4]")
        .param(
            "fps",
            ParamKind::Rate,
            ParamValue::Int(25),
            "video frames a second",
        )
        .param(
            "columns",
            ParamKind::Int { min: 1, max: 160 },
            ParamValue::Int(16),
            "mel columns a frame (12.5 ms each): what the pack's audio2exp takes",
        )
        .param(
            "gate",
            ParamKind::Float { min: NO_GATE, max: 0.0 },
            ParamValue::Float(-55.0),
            "root mean square in dB of full scale below which a column fades to silence, over 3 dB; -120: none does",
        )
}
