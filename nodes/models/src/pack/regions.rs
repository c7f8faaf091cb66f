//! Which expression coefficients move which part of the face.

use serde::{Deserialize, Serialize};

/// Names of the expression coefficients by the part of the face that they move. A coefficient without a region follows the mouth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// Jaw and lips.
    #[serde(default)]
    pub mouth: Vec<String>,
    /// Lids.
    #[serde(default)]
    pub eyes: Vec<String>,
    /// Brows.
    #[serde(default)]
    pub brows: Vec<String>,
    /// Direction of the eyes.
    #[serde(default)]
    pub gaze: Vec<String>,
}

/// A part of the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// Jaw and lips.
    Mouth,
    /// Lids.
    Eyes,
    /// Brows.
    Brows,
    /// Direction of the eyes.
    Gaze,
}

impl Region {
    /// All of them, with the names of their parameters.
    pub const ALL: [(Self, &str); 4] =
        [(Self::Mouth, "mouth"), (Self::Eyes, "eyes"), (Self::Brows, "brows"), (Self::Gaze, "gaze")];

    /// What a coefficient of this region stays within, given the pack's bounds: eyes that turn to both sides by one number do so alike, and face
    /// units, which have one for each side, begin at 0.
    pub fn bounds(self, [low, high]: [f32; 2]) -> [f32; 2] {
        if self == Self::Gaze && low < 0.0 { [-high, high] } else { [low, high] }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        self as usize
    }
}

impl Regions {
    fn lists(&self) -> [(Region, &Vec<String>); 4] {
        [
            (Region::Mouth, &self.mouth),
            (Region::Eyes, &self.eyes),
            (Region::Brows, &self.brows),
            (Region::Gaze, &self.gaze),
        ]
    }

    /// The region of the coefficient called `name`.
    pub fn of(&self, name: &str) -> Region {
        let found = self.lists().into_iter().find(|(_, names)| names.iter().any(|one| one == name));
        found.map_or(Region::Mouth, |(region, _)| region)
    }

    /// What is wrong with them for coefficients called `expression`.
    pub(super) fn fault(&self, expression: &[String]) -> Option<String> {
        let mut seen = vec![];
        for name in self.lists().into_iter().flat_map(|(_, names)| names) {
            if !expression.contains(name) {
                return Some(format!("regions: no expression coefficient is called `{name}`"));
            }
            if seen.contains(&name) {
                return Some(format!("regions: `{name}` stands in two of them"));
            }
            seen.push(name);
        }
        None
    }
}
