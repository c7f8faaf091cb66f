use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::{NodeError, Result},
    models::Models,
    params::Params,
};

/// Largest side of a frame in pixels.
pub(super) const MOST: usize = 2048;

/// Side where there is no photo whose size could be taken.
const WITHOUT_PHOTO: usize = 1024;

const DOC: &str = "\
Gives frames the photo's own detail, at up to the photo's own size. Every ray of `nerf_render` says where in the photo its surface came from \
(`correspondence`); what the photo has there and the rendering at rest has not (pores, lashes, hair, and what inversion left undone) is added to the frame.

The picture is put together of two layers. The head: the frame, enlarged, and the photo's detail where the photo shows that surface, but not \
where `mask` says that the mouth's inside or moving lids are painted. Its edge is the photo's own, cut out by a guided filter (He et al. 2013) around \
the rendered one, and moves with the head; edges that turning uncovers are the rendering's. Behind it: the photo with the head taken out and filled in \
from around. At rest the frame is the photo.

Without `photo`, as for people who do not exist, frames are enlarged by Lanczos' kernel alone; connect `frames` and nothing else then.

Not published: the published system gives the generator's frames.";

/// Inputs that belong to a photo, in the order of the contract.
const OF_PHOTO: [&str; 6] = ["photo", "crop", "identity", "reference", "features", "correspondence"];

pub(super) fn general() -> Contract {
    let (value, chunk) = (Arity::Value, Arity::Chunk);
    base()
        .optional("photo", ArtifactType::Image, value, "the whole photo")
        .optional("crop", ArtifactType::Crop, value, "where in it the frames' square is")
        .optional("identity", ArtifactType::Identity, value, "the person")
        .optional("reference", ArtifactType::Coefficients, value, "coefficients that the person's w shows")
        .optional("features", ArtifactType::Features, chunk, "rendered features, for their alpha")
        .optional(
            "correspondence",
            ArtifactType::Correspondence,
            chunk,
            "where in the photo the rays' surfaces are",
        )
        .optional("inside", ArtifactType::Frames, chunk, "what is painted, finer, as `upsample` gives it")
        .optional(
            "mask",
            ArtifactType::Mask,
            chunk,
            "1 where something is painted that the photo does not show",
        )
}

fn base() -> Contract {
    Contract::new("detail", 2, Time::Map, Pool::Cpu, "gives frames the photo's own detail and size")
        .doc(DOC)
        .input("frames", ArtifactType::Frames, Arity::Chunk, "finished frames of the generator")
        .sequence("frames", ArtifactType::Frames, SequenceRate::Inherited, "frames of `size` x `size` pixels")
        .unstored()
        .param(
            "size",
            ParamKind::Choice { options: ["256", "512", "1024", "2048", "photo"].map(Into::into).into() },
            ParamValue::Text("photo".into()),
            "side of a frame in pixels; photo: as many as the crop has in the photo, from the generator's own up to 2048 (1024 without a photo)",
        )
}

/// The contract of a use with these ports connected.
pub(super) fn resolved(has: impl Fn(&str) -> bool) -> Result<Contract> {
    let missing: Vec<_> = OF_PHOTO.into_iter().filter(|port| !has(port)).collect();
    if missing.len() == OF_PHOTO.len() && !has("mask") && !has("inside") {
        return Ok(base());
    }
    if !missing.is_empty() {
        let missing = missing.iter().map(|port| format!("`{port}`")).collect::<Vec<_>>().join(", ");
        return Err(NodeError::input(format!("the photo's detail needs {missing} connected as well"))
            .hint("connect them, or `frames` alone to enlarge without a photo"));
    }
    let mut contract = general();
    for input in &mut contract.inputs {
        input.required |= OF_PHOTO.contains(&input.name.as_ref());
    }
    Ok(contract)
}

pub(super) fn roles(_: &Params, models: &Models) -> Result<Vec<String>> {
    let mut roles = vec!["prepare", "camera", "depths", "render", "upsample", "pack.coefficients"];
    roles.extend(models.pack()?.has("occupancy").then_some("occupancy"));
    Ok(roles.into_iter().map(String::from).collect())
}

/// Side of the frames that `size` asks for: `crop` pixels of the photo are there, and `own` of the generator's; `crop` is absent without a
/// photo.
pub(super) fn side(size: &str, crop: Option<f64>, own: usize) -> usize {
    match (size.parse(), crop) {
        (Ok(side), _) => side,
        // Encoders want even sides.
        (_, Some(crop)) => ((crop / 2.0).round() as usize * 2).clamp(own.min(MOST), MOST),
        (_, None) => WITHOUT_PHOTO.max(own),
    }
}
