use crate::{
    arkit::Angles,
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Text, Time},
};

const DOC: &str = "\
Reads a recording of Live Link Face (CSV: timecode, 52 units, angles) or the results of MediaPipe's face landmarker (JSON: `faceBlendshapes`, and \
`facialTransformationMatrixes` where there are some; one object, a list, or JSON Lines; names as in JavaScript or Python). The units are those of ARKit; left and right are the \
person's own. A pack whose expression has their names gets them as they are. For a pack of other names they are mixed; what no unit says anything of is 0 (note `unmapped`):

| coefficient | units |
|---|---|
| `jaw` | `jawOpen` |
| `wide` | mean `mouthStretch` + ½ mean `mouthDimple` (a smile widens by itself) |
| `pucker` | `mouthPucker` + ½ `mouthFunnel` |
| `press` | `mouthClose` + mean `mouthPress` + ½ mean `mouthRoll` |
| `smile` | mean `mouthSmile` − 0.4 mean `mouthFrown` |
| `upper_raise`, `lower_drop` | mean `mouthUpperUp`, mean `mouthLowerDown` |
| `blink_left`, `blink_right` | `eyeBlink` + 0.2 `eyeSquint` − 0.4 `eyeWide` of that eye |
| `brow` | ½ `browInnerUp` + ½ mean `browOuterUp` − 0.4 mean `browDown` |
| `gaze_x` (to the image's right) | mean of `eyeLookOutLeft`, `eyeLookInRight` − mean of `eyeLookInLeft`, `eyeLookOutRight` |
| `gaze_y` (up) | mean `eyeLookUp` − mean `eyeLookDown` |

Mixed coefficients stay within the pack's bounds.

The recording begins with its first frame and is brought to `fps` by `resample`. Rows without a face (`BlendShapeCount` 0, no face in the JSON) are bridged, with a warning; gaps over `longest_gap` are an \
error. A second of timecode has as many frames as the file shows (note `source_fps`); 29.97 is told from 30 by `source_fps` alone. Frames of JSON have \
`timestampMs` (or `timestamp_ms`, `timestamp`, in milliseconds, or `time`, in seconds), or come at `source_fps`, else at `fps`.

Head angles follow the matrices, or HeadYaw, HeadPitch and HeadRoll with the signs of Unreal's published conversion from ARKit: yaw to the person's right, pitch down, roll \
to their left. Should a recorder count otherwise, `yaw: -1` (or pitch, roll) turns it round. `motion` is for `retarget`, which puts it onto a person whatever their face at rest; `expression` and \
`pose` are the bare numbers, `pose` without translation.

Notes: `frames`, `source_fps`, `dropped`, `repeated`, `miscounted` (counts that do not match the columns), `several_faces`, `missing` and `unknown` units, `unmapped`.";

fn choice(options: &[&'static str]) -> ParamKind {
    ParamKind::Choice { options: options.iter().map(|&option| Text::from(option)).collect() }
}

pub(super) fn contract(rate: Rate) -> Contract {
    let text = |word: &str| ParamValue::Text(word.to_owned());
    let gain = |least: f64| ParamKind::Float { min: least, max: 4.0 };
    let turn = "gain of this angle of the head; below 0 it turns the other way";
    Contract::new("arkit_decode", 1, Time::Value, Pool::Io, "reads face units of Live Link Face or MediaPipe")
        .doc(DOC)
        .input("file", ArtifactType::File, Arity::Value, "the CSV or JSON file")
        .sequence("motion", ArtifactType::Motion, SequenceRate::Fixed(rate), "what the face does, for `retarget`")
        .sequence("expression", ArtifactType::Expression, SequenceRate::Fixed(rate), "`expression` [n,E]")
        .sequence("pose", ArtifactType::Pose, SequenceRate::Fixed(rate), "`pose` [n,6]: the head's rotation, no translation")
        .param("fps", ParamKind::Rate, ParamValue::Int(25), "frames a second that come out")
        .param(
            "resample",
            choice(&["linear", "nearest"]),
            text("linear"),
            "frames between those of the recording: interpolated, or the nearest in time",
        )
        .param(
            "source_fps",
            ParamKind::Float { min: 0.0, max: 120.0 },
            ParamValue::Float(0.0),
            "frames a second that the recording's timecodes count, or that frames without times have, as 29.97 or 60; 0: as found",
        )
        .param("gain", gain(0.0), ParamValue::Float(1.0), "gain of the expression")
        .param("head", gain(0.0), ParamValue::Float(1.0), "gain of the head's rotation")
        .param("yaw", gain(-4.0), ParamValue::Float(1.0), turn)
        .param("pitch", gain(-4.0), ParamValue::Float(1.0), turn)
        .param("roll", gain(-4.0), ParamValue::Float(1.0), turn)
        .param(
            "angles",
            choice(&Angles::NAMES),
            text(Angles::NAMES[0]),
            "what a CSV's angles are measured in; half turns: 1 is 180 degrees",
        )
        .param(
            "mirror",
            ParamKind::Bool,
            ParamValue::Bool(false),
            "swap left and right: for recordings of a mirrored picture",
        )
        .param(
            "neutral",
            ParamKind::Float { min: 0.0, max: 60.0 },
            ParamValue::Float(0.0),
            "seconds at the begin whose mean is the face at rest: units count from there to 1, the head turns from there; 0: none",
        )
        .param(
            "missing",
            choice(&["zero", "error"]),
            text("zero"),
            "units that the file lacks: zero (the note `missing` lists them), or an error; MediaPipe never has `tongueOut`",
        )
        .param(
            "longest_gap",
            ParamKind::Float { min: 0.0, max: 3600.0 },
            ParamValue::Float(2.0),
            "gaps of more seconds are an error",
        )
        .decodes(ArtifactType::Motion)
}
