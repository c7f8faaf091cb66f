//! How long a person is willing to wait for an optimisation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{NodeError, Result};

/// How good an optimisation has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quality {
    /// To look at while deciding.
    Draft,
    /// To show.
    #[default]
    Standard,
    /// As good as the pack can do, however long it takes.
    Fine,
}

impl Quality {
    /// Their names in parameters and packs, quickest first.
    pub const NAMES: [&str; 3] = ["draft", "standard", "fine"];

    /// The one called `name`.
    pub fn named(name: &str) -> Result<Self> {
        let all = [Self::Draft, Self::Standard, Self::Fine];
        let found = all.into_iter().zip(Self::NAMES).find(|(_, known)| *known == name);
        found.map(|(quality, _)| quality).ok_or_else(|| {
            NodeError::input(format!("quality: expected one of {}, found `{name}`", Self::NAMES.join(", ")))
        })
    }
}

/// Steps of a phase: one number, or one a quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Steps {
    /// As many in any quality.
    Same(u64),
    /// So many in each.
    By {
        /// In a draft; 0 leaves the phase's parameters as they start.
        draft: u64,
        /// By default.
        standard: u64,
        /// At the finest.
        fine: u64,
    },
}

impl Steps {
    /// How many there are in `quality`.
    pub fn of(self, quality: Quality) -> u64 {
        match (self, quality) {
            (Self::Same(steps), _)
            | (Self::By { draft: steps, .. }, Quality::Draft)
            | (Self::By { standard: steps, .. }, Quality::Standard)
            | (Self::By { fine: steps, .. }, Quality::Fine) => steps,
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(steps) => write!(f, "{steps}"),
            Self::By { draft, standard, fine } => {
                write!(f, "{standard} (draft {draft}, fine {fine})")
            }
        }
    }
}
