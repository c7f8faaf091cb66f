use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::Result,
    models::Models,
    params::Params,
};

pub(super) fn contract() -> Contract {
    Contract::new("upsample", 2, Time::Map, Pool::Model, "makes finished frames of rendered features")
        .doc(
            "Blends the features of the deformed volume and those of the painted mouth, (1 − mask)·features + mask·inpainted, \
             and runs the generator's 2-D up-sampler; pixels are 127.5·x + 128, cut to whole numbers in 0–255, as published. `mask` is **1 inside the mouth**.\n\n\
             The published system (NeRFFaceSpeech, Kim et al. 2024) enlarges both feature maps to the mask's 512x512 \
             bicubically, blends there and shrinks the result again. Here the mask is shrunk to the features, without \
             aliasing, and the blending done there, at a fraction of the work; `shrink: bicubic` is the same as published up to the ripple of the two resamplings. \
             The last channels, as many as `unblended` in pack.yaml says, stay those of `features`. \
             Connect `inpainted` and `mask` both or neither; without them `features` alone are up-sampled.\n\n\
             Where `inpainted` has features at twice the pitch (`fine`) and the pack's role `upsample` takes any size, a window around all that the chunk's masks show \
             is made of them too, `features` enlarged and blended with them in the same way: `inside` holds that window at twice the pitch of the frames, `frames` u8 [n,h,w,3] and \
             its first row and column in `corner`, both in pixels of a picture of 2P x 2P. Elsewhere it has no tensors.",
        )
        .input("identity", ArtifactType::Identity, Arity::Value, "the person")
        .input("features", ArtifactType::Features, Arity::Chunk, "features of the deformed volume")
        .optional("inpainted", ArtifactType::Features, Arity::Chunk, "features that show the inside of the mouth")
        .optional("mask", ArtifactType::Mask, Arity::Chunk, "1 where `inpainted` is shown, 0 where `features` are")
        .sequence("frames", ArtifactType::Frames, SequenceRate::Inherited, "finished frames")
        .sequence("inside", ArtifactType::Frames, SequenceRate::Inherited, "what the mask shows, at twice the pitch of the frames")
        .unstored()
        .param(
            "shrink",
            ParamKind::Choice { options: vec!["smooth".into(), "bicubic".into()] },
            ParamValue::Text("smooth".into()),
            "how the mask becomes as coarse as the features: without aliasing, or read at their middles, which is what the published blend at 512 pixels comes to",
        )
}

pub(super) fn roles(_: &Params, models: &Models) -> Result<Vec<String>> {
    let mut roles = vec!["prepare", "upsample"];
    roles.extend(models.pack()?.stated(&["pack.unblended"]));
    Ok(roles.into_iter().map(String::from).collect())
}
