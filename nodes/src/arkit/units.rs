//! The names of the face units.

/// The 52 units as `ARFaceAnchor.BlendShapeLocation` names them, in the order of Live Link Face's columns. Left and right are the
/// person's own.
pub const UNITS: [&str; 52] = [
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawRight",
    "jawLeft",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthRight",
    "mouthLeft",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
];

/// The unit that MediaPipe's face landmarker does not give.
pub(super) const TONGUE: &str = "tongueOut";

/// The angles that follow the units in a Live Link Face CSV: of the head and of both eyes.
pub(super) const ANGLES: [&str; 9] = [
    "HeadYaw",
    "HeadPitch",
    "HeadRoll",
    "LeftEyeYaw",
    "LeftEyePitch",
    "LeftEyeRoll",
    "RightEyeYaw",
    "RightEyePitch",
    "RightEyeRoll",
];

/// A unit's name as Live Link Face writes it: upper camel case.
pub fn upper(unit: &str) -> String {
    let mut letters = unit.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// Place of the unit called `name` in [`UNITS`], however its first letter is written.
pub(crate) fn canonical(name: &str) -> Option<usize> {
    let rest = name.get(1..)?;
    let first = name.as_bytes().first()?.to_ascii_lowercase();
    UNITS.iter().position(|unit| unit.as_bytes()[0] == first && &unit[1..] == rest)
}

/// Place of the unit on the other side of the face; its own where it has no side.
pub(super) fn mirrored(unit: usize) -> usize {
    let name = UNITS[unit];
    let other = match (name.strip_suffix("Left"), name.strip_suffix("Right")) {
        (Some(stem), _) => format!("{stem}Right"),
        (_, Some(stem)) => format!("{stem}Left"),
        _ => return unit,
    };
    canonical(&other).unwrap_or(unit)
}
