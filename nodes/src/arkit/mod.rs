//! Face units as ARKit names them, in files that capture apps write: Live Link Face's CSV and MediaPipe's JSON (docs/arkit.md).

mod csv;
mod json;
mod mapping;
mod matrix;
mod take;
#[cfg(test)]
mod tests;
mod timecode;
mod units;

use std::str::FromStr;

pub(crate) use self::{mapping::Mapping, units::canonical};
pub use self::{
    take::{Frame, Take},
    units::{UNITS, upper},
};
use crate::{
    contract::Rate,
    error::{NodeError, Result},
    sniff,
};

/// Number of face units.
pub const COUNT: usize = UNITS.len();

/// The units of one frame, in the order of [`UNITS`]; 0 at rest, 1 at their most.
pub type Units = [f32; COUNT];

/// What angles in a Live Link Face CSV are measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Angles {
    /// As the app writes them.
    Radians,
    /// 180 are half a turn.
    Degrees,
    /// 1 is half a turn, as Unreal's ARKit plug-in of versions 4.20 to 4.27 has them.
    HalfTurns,
}

impl Angles {
    /// Their names as a parameter, the default first.
    pub(crate) const NAMES: [&str; 3] = ["radians", "degrees", "half_turns"];

    /// Radians of one of them.
    pub(crate) fn radians(self) -> f64 {
        match self {
            Self::Radians => 1.0,
            Self::Degrees => std::f64::consts::PI / 180.0,
            Self::HalfTurns => std::f64::consts::PI,
        }
    }
}

impl FromStr for Angles {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "radians" => Ok(Self::Radians),
            "degrees" => Ok(Self::Degrees),
            "half_turns" => Ok(Self::HalfTurns),
            other => Err(NodeError::input(format!(
                "parameter `angles`: expected one of {}, found `{other}`",
                Self::NAMES.join(", ")
            ))),
        }
    }
}

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Frames a second that timecodes count, or that frames without times have; `None`: as found.
    pub source: Option<Rate>,
    /// Frames a second where neither the file nor `source` says.
    pub otherwise: Rate,
    /// What angles in CSV are measured in.
    pub angles: Angles,
    /// Whether a unit that the file lacks is an error; else it is zero.
    pub strict: bool,
}

/// The file called `name` that holds `bytes`, by its content: JSON where it begins with a bracket, else CSV.
pub fn read(name: &str, bytes: &[u8], reading: &Reading) -> Result<Take> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let take = match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(NodeError::input(format!("{name}: expected face units, found an empty file"))),
        Some(b'{' | b'[') => json::read(name, text, reading),
        Some(_) if text.iter().take(512).any(|&byte| byte == 0) => Err(NodeError::input(format!(
            "{name}: expected a Live Link Face CSV or MediaPipe's JSON, found {}",
            sniff::describe(&bytes[..bytes.len().min(512)])
        ))),
        Some(_) => csv::read(name, text, reading),
    }?;
    if take.frames.is_empty() {
        return Err(NodeError::input(format!(
            "{name}: no frame with a face, found {} without one",
            take.dropped
        )));
    }
    Ok(take)
}

/// Frames as a Live Link Face CSV; `rate` is theirs.
pub(crate) fn to_csv(
    frames: impl Iterator<Item = (Units, [f32; 3])>,
    rate: Rate,
    angles: Angles,
) -> Result<Vec<u8>> {
    csv::write(frames, rate, angles)
}

/// Frames as MediaPipe's JSON: a list with an object for each.
pub(crate) fn to_json(
    frames: impl Iterator<Item = (Units, [f32; 3])>,
    rate: Rate,
    posed: bool,
) -> Result<Vec<u8>> {
    json::write(frames, rate, posed)
}
