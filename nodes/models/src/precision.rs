//! Precision of the arithmetic in models.

use std::{fmt, str::FromStr};

use crate::error::{NodeError, Result};

/// In which numbers models compute between their inputs and outputs, which are the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// float32.
    #[default]
    F32,
    /// float16 in models that the pack has in half precision, float32 in all others.
    F16,
}

impl Precision {
    /// As keys and flags name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }
}

impl FromStr for Precision {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self> {
        [Self::F32, Self::F16]
            .into_iter()
            .find(|one| one.name() == text)
            .ok_or_else(|| NodeError::input(format!("precision: expected f32 or f16, found `{text}`")))
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_names() {
        for one in [Precision::F32, Precision::F16] {
            assert_eq!(one.to_string().parse::<Precision>().unwrap(), one);
        }
        let error = "half".parse::<Precision>().unwrap_err();
        assert_eq!(error.to_string(), "precision: expected f32 or f16, found `half`");
    }
}
