//! How far expressions go.

use serde::Deserialize;

/// The least and the most of the expression coefficients: one pair for all, or one for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Extent {
    /// All of them.
    All([f32; 2]),
    /// One by one.
    Each(Vec<[f32; 2]>),
}

impl Extent {
    /// A pair for each of `names`; what is wrong in words.
    pub(super) fn each(&self, names: &[String]) -> Result<Vec<[f32; 2]>, String> {
        let pairs = match self {
            Self::All(pair) => vec![*pair; names.len()],
            Self::Each(pairs) => pairs.clone(),
        };
        if pairs.len() != names.len() {
            return Err(format!(
                "expression_range: expected one pair, or {} pairs, one a coefficient, found {}",
                names.len(),
                pairs.len()
            ));
        }
        for (number, [low, high]) in pairs.iter().enumerate() {
            if !(low.is_finite() && high.is_finite() && low < high) {
                let place = match self {
                    Self::All(_) => "expression_range".to_owned(),
                    Self::Each(_) => format!("expression_range: number {number} (`{}`)", names[number]),
                };
                return Err(format!("{place}: expected a lower and a higher number, found {low}, {high}"));
            }
        }
        Ok(pairs)
    }
}
