//! The roles that node types ask for, and the tensors that each takes and gives (the table of docs/packs.md).

/// A tensor of a role: name and sizes; floats, or integers where the sizes follow `i64 `. `n` is a batch of its own in every role; other
/// symbols mean the same size in the whole pack; `*` is any size.
pub(super) type TensorContract = (&'static str, &'static str);

/// What fills a role.
pub(super) struct RoleContract {
    pub(super) name: &'static str,
    pub(super) inputs: &'static [TensorContract],
    /// Whether further inputs of any name may be declared: identity or state tensors.
    pub(super) open_inputs: bool,
    pub(super) outputs: &'static [TensorContract],
    /// Outputs that a model may also have.
    pub(super) extras: &'static [TensorContract],
}

const fn role(
    name: &'static str,
    inputs: &'static [TensorContract],
    outputs: &'static [TensorContract],
) -> RoleContract {
    RoleContract { name, inputs, open_inputs: false, outputs, extras: &[] }
}

const fn open(
    name: &'static str,
    inputs: &'static [TensorContract],
    outputs: &'static [TensorContract],
) -> RoleContract {
    RoleContract { name, inputs, open_inputs: true, outputs, extras: &[] }
}

impl RoleContract {
    const fn extras(self, extras: &'static [TensorContract]) -> Self {
        Self { extras, ..self }
    }
}

pub(super) const ROLES: &[RoleContract] = &[
    role("mapping", &[("z", "n,Z"), ("psi", "1")], &[("w", "n,L,D")]),
    role("identity", &[("w", "1,L,D")], &[]),
    open("prepare", &[("w", "1,L,D")], &[]),
    role("camera", &[("pose", "n,6")], &[("origins", "n,N,3"), ("directions", "n,N,3")]),
    open("occupancy", &[], &[("occupancy", "1,1,*,*,*")]),
    open(
        "depths",
        &[("occupancy", "1,1,*,*,*"), ("origins", "1,N,3"), ("directions", "1,N,3")],
        &[("depths", "1,N,S")],
    ),
    open(
        "render",
        &[
            ("occupancy", "1,1,*,*,*"),
            ("origins", "1,N,3"),
            ("directions", "1,N,3"),
            ("depths", "1,N,S"),
            ("pixels", "i64 N"),
            ("motion", "1,3,*,*,*"),
            ("motion_box", "2,3"),
            ("detail", "1,3,*,*,*"),
            ("detail_box", "2,3"),
            ("offsets", "1,N,S,3"),
        ],
        &[("features", "1,C,N"), ("alpha", "1,1,N")],
    )
    .extras(&[("source", "1,3,N")]),
    open("upsample", &[("features", "1,C,R,R")], &[("image", "1,3,P,P")]),
    role(
        "lipaint",
        &[("w", "1,L,D"), ("expression", "n,E"), ("reference", "1,E")],
        &[("w_inpainted", "n,L,D")],
    ),
    open("lipaint_state", &[("w", "1,L,D")], &[]),
    role("deep3d", &[("image", "n,3,224,224")], &[("coefficients", "n,K")]),
    role(
        "morphable_model",
        &[("coefficients", "n,K")],
        &[("vertices", "n,V,3"), ("landmarks", "n,M,2"), ("contour", "n,J,2")],
    ),
    role(
        "audio2exp",
        &[("mel", "n,1,80,W"), ("reference", "n,1,E"), ("ratio", "n,1")],
        &[("expression", "n,1,E")],
    ),
    role("audio2exp_encoder", &[("mel", "n,1,80,W")], &[("embedding", "n,H")]),
    role(
        "audio2exp_head",
        &[("embedding", "n,H"), ("reference", "n,E"), ("ratio", "n,1")],
        &[("expression", "n,E")],
    ),
    role("parse", &[("image", "n,3,Q,Q")], &[("logits", "n,16,Q,Q")]),
    role("face_detector", &[("image", "1,128,128,3")], &[("boxes", "1,896,16"), ("scores", "1,896,1")]),
    role("face_mesh", &[("image", "1,192,192,3")], &[("landmarks", "1,1404"), ("score", "1,1")]),
    role(
        "expression_reader",
        &[
            ("face", "n,468,3"),
            ("neutral", "1,468,3"),
            ("eyes", "n,2,21,2"),
            ("neutral_eyes", "1,2,21,2"),
            ("irises", "n,2,2"),
            ("neutral_irises", "1,2,2"),
            ("rotation", "n,3"),
        ],
        &[("expression", "n,E"), ("pose", "n,3"), ("mean", "1,468,3")],
    ),
    role(
        "face_parts",
        &[("image", "1,192,192,3")],
        &[
            ("landmarks", "1,1404"),
            ("lips", "1,160"),
            ("right_eye", "1,142"),
            ("left_eye", "1,142"),
            ("right_iris", "1,10"),
            ("left_iris", "1,10"),
            ("score", "1,1"),
        ],
    ),
    role("iris", &[("image", "1,64,64,3")], &[("iris", "1,15"), ("lids", "1,213")]),
    role("person_mask", &[("image", "1,256,256,3")], &[("mask", "1,256,256,1")]),
];

/// The contract of the role called `name`.
pub(super) fn find(name: &str) -> Option<&'static RoleContract> {
    ROLES.iter().find(|role| role.name == name)
}
