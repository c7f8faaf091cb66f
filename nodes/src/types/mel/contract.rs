use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Time},
};

pub(super) fn contract(rate: Rate) -> Contract {
    Contract::new("mel", 1, Time::Value, Pool::Cpu, "mel windows of speech, one a video frame")
        .doc(
            "As SadTalker's audio2exp expects it (Zhang et al., CVPR 2023): the sound is cut to whole video frames; \
             pre-emphasis 0.97; STFT of 800 samples (Hann) every 200, centred, zero-padded; magnitudes through 80 \
             Slaney mel bands from 55 to 7600 Hz; 20·log10(max(1e-5, x)) − 20; scaled to [-4,4] by clip(8·(x+100)/100 − \
             4). Frame i takes `columns` columns around its time, 80 a second; beyond the ends the outermost column repeats.",
        )
        .input("audio", ArtifactType::Audio, Arity::Value, "speech at 16 kHz")
        .sequence("mel", ArtifactType::Mel, SequenceRate::Fixed(rate), "`mel` [n,80,columns] in [-4,4]")
        .param(
            "fps",
            ParamKind::Int { min: 1, max: 120 },
            ParamValue::Int(25),
            "video frames a second",
        )
        .param(
            "columns",
            ParamKind::Int { min: 1, max: 160 },
            ParamValue::Int(16),
            "mel columns a frame (12.5 ms each): what the pack's audio2exp takes",
        )
}
