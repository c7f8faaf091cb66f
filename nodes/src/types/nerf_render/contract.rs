use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::Result,
    geometry::displacement::Reach,
    models::Models,
    params::Params,
    volume,
};

pub(super) fn contract() -> Contract {
    Contract::new("nerf_render", 5, Time::Map, Pool::Model, "renders the volume, the face moved by bending rays")
        .doc(
            "Ray deformation after NeRFFaceSpeech (Kim et al. 2024): where to sample each ray is found once for a person and camera; \
             for a frame, every sample point goes back to where its matter was in the reference pose, by the motion \
             (reference − current) of the morphable model's anchors around it, and the volume is asked there. \
             The published system moves a point by the one anchor of the *reference* face that is nearest; here \
             the anchors are those nearest in the *frame*, blended by inverse distance (Shepard), so that parted lips do not show twice and the \
             field is smooth. Farther than `core` from every anchor the motion falls off as a Gaussian. The field is tabulated on lattices; a \
             node's neighbours are picked among the anchors that are nearest to it in poses that span the face's motion.\n\n\
             Lengths are in units of the volume, those of the role `morphable_model`. The camera stands still (at `camera`, \
             else at the pose in `reference`) unless `pose` is connected. While it stands still, only rays that pass what a face moves are \
             rendered again.\n\n\
             `correspondence` says for every ray where the photo shows the same place of the head: `flow` [n,2,R,R], to the right and \
             down from the ray's own pixel, in pixels of the rays' picture (R a side of the crop); and `visible` [n,1,R,R], 1 where the photo shows that \
             place and 0 where something lies before it there or the photo shows no head. The place is `source` of the role `render`, seen from the pose in \
             `reference`; it is hidden from 0.02 units of the volume behind what the resting head shows there on, and wholly at 0.05. Both are 0 \
             where alpha, which is in `features`, is below 0.01. With `outline` there is `edge` u8 [n,1,4R,4R] besides: alpha in four times the pitch, 255 where all is head. Rays between rays find where its \
             edges run, so that they are neither stairs nor blurred. Of a pack whose role `render` gives no `source` there are no tensors.\n\n\
             A pack whose role `render` takes `offsets` is deformed as published: every sample goes with the one vertex of the resting face that is nearest to \
             it without the first coordinate, and is moved by (reference − current) of that vertex in the last two; `neighbours`, `core`, `radius`, \
             `step` and `outline` mean nothing then. Which vertex that is, is found once where `sampling` is `rest` or the camera stands still. With `parsing`, \
             the labels of the resting head seen from before, every fourth pixel of the torso (`parsing.torso` in pack.yaml) counts as a vertex that \
             never moves; with lattices the labels change nothing.",
        )
        .input("identity", ArtifactType::Identity, Arity::Value, "the person")
        .input("reference", ArtifactType::Coefficients, Arity::Value, "coefficients of the pose that the volume shows at rest")
        .input("expression", ArtifactType::Expression, Arity::Chunk, "the expression of every frame")
        .optional("pose", ArtifactType::Pose, Arity::Chunk, "the head's pose in every frame")
        .optional("camera", ArtifactType::Pose, Arity::Value, "the head's pose in all frames, where `pose` is not connected")
        .optional("parsing", ArtifactType::Parsing, Arity::Value, "labels of the resting head seen from before, for the torso to stay (where `render` takes `offsets`)")
        .sequence(
            "features",
            ArtifactType::Features,
            SequenceRate::Inherited,
            "features before the up-sampler, and alpha",
        )
        .unstored()
        .sequence(
            "correspondence",
            ArtifactType::Correspondence,
            SequenceRate::Inherited,
            "where in the photo lies what every ray shows",
        )
        .unstored()
        .param(
            "neighbours",
            ParamKind::Int { min: 1, max: 64 },
            ParamValue::Int(6),
            "anchors that are blended at a point (published: 1)",
        )
        .param(
            "core",
            ParamKind::Float { min: 0.0, max: 10.0 },
            ParamValue::Float(0.08),
            "distance up to which points move with the anchors in full, in units of the volume",
        )
        .param(
            "radius",
            ParamKind::Float { min: 0.001, max: 10.0 },
            ParamValue::Float(0.3),
            "radius of the Gaussian by which the motion falls off beyond `core`, in units of the volume",
        )
        .param(
            "step",
            ParamKind::Float { min: 0.002, max: 1.0 },
            ParamValue::Float(0.03),
            "spacing at which the motion is tabulated where it bends, in units of the volume; four times that elsewhere",
        )
        .param(
            "outline",
            ParamKind::Bool,
            ParamValue::Bool(true),
            "also find the head's outline finer than rays (`edge` of `correspondence`), for frames that are larger than the generator's",
        )
        .param(
            "sampling",
            ParamKind::Choice { options: vec!["camera".into(), "rest".into()] },
            ParamValue::Text("camera".into()),
            "where along its rays a camera samples: where its own view asks for it, or as the view of the resting head from before (published: rest)",
        )
        .param(
            "extent",
            ParamKind::Float { min: 0.0001, max: 10.0 },
            ParamValue::Float(0.1),
            "half the side of the picture of `parsing`, in units of the volume",
        )
}

pub(super) fn roles(_: &Params, models: &Models) -> Result<Vec<String>> {
    let pack = models.pack()?;
    let mut roles = vec!["prepare", "camera", "depths", "render", "morphable_model", "pack.coefficients"];
    roles.extend(pack.has("occupancy").then_some("occupancy"));
    // Vertices are taken as they move; a field spans what they may do.
    let settings = if volume::by_sample(models)? { "pack.parsing" } else { "pack.expression_range" };
    roles.extend(pack.stated(&[settings]));
    Ok(roles.into_iter().map(String::from).collect())
}

pub(super) fn reach(params: &Params) -> Result<Reach> {
    Ok(Reach {
        neighbours: params.count("neighbours")?,
        core: params.float("core")? as f32,
        radius: params.float("radius")? as f32,
    })
}
