//! How a pack lays out its coefficient vector and its parsing classes.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{NodeError, Result};

/// Half-open ranges into the K coefficients of the morphable model.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CoefficientLayout {
    /// K.
    pub size: usize,
    /// Shape of the person.
    pub identity: (usize, usize),
    /// Expression, E numbers.
    pub expression: (usize, usize),
    /// Colour of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texture: Option<(usize, usize)>,
    /// Light.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light: Option<(usize, usize)>,
    /// Pitch, yaw, roll in radians.
    pub rotation: (usize, usize),
    /// Translation.
    pub translation: (usize, usize),
}

impl CoefficientLayout {
    /// Number of expression coefficients, E.
    pub fn expressions(&self) -> usize {
        self.expression.1 - self.expression.0
    }

    /// Where the expression stands in a row of K coefficients.
    pub fn expression_range(&self) -> Range<usize> {
        self.expression.0..self.expression.1
    }

    /// The expression in one row of K coefficients.
    pub fn expression_of<'a>(&self, row: &'a [f32]) -> Result<&'a [f32]> {
        self.check_row(row)?;
        Ok(&row[self.expression_range()])
    }

    /// The pose in one row of K coefficients: pitch, yaw, roll (radians), then translation.
    pub fn pose_of(&self, row: &[f32]) -> Result<[f32; 6]> {
        self.check_row(row)?;
        let mut pose = [0.0; 6];
        pose[..3].copy_from_slice(&row[self.rotation.0..self.rotation.1]);
        pose[3..].copy_from_slice(&row[self.translation.0..self.translation.1]);
        Ok(pose)
    }

    /// Puts `pose` into one row of K coefficients.
    pub fn set_pose(&self, row: &mut [f32], pose: &[f32; 6]) -> Result<()> {
        self.check_row(row)?;
        row[self.rotation.0..self.rotation.1].copy_from_slice(&pose[..3]);
        row[self.translation.0..self.translation.1].copy_from_slice(&pose[3..]);
        Ok(())
    }

    /// Puts `expression` into one row of K coefficients.
    pub fn set_expression(&self, row: &mut [f32], expression: &[f32]) -> Result<()> {
        self.check_row(row)?;
        if expression.len() != self.expressions() {
            let (expected, found) = (self.expressions(), expression.len());
            return Err(NodeError::input(format!("expression: expected {expected} numbers, found {found}")));
        }
        row[self.expression_range()].copy_from_slice(expression);
        Ok(())
    }

    fn check_row(&self, row: &[f32]) -> Result<()> {
        if row.len() == self.size {
            return Ok(());
        }
        Err(NodeError::input(format!("coefficients: expected {} a frame, found {}", self.size, row.len()))
            .hint("coefficients belong to one pack: do not mix those of different packs"))
    }

    /// The first fault, in words.
    pub(super) fn fault(&self) -> Option<String> {
        let named = [
            ("identity", Some(self.identity), None),
            ("expression", Some(self.expression), None),
            ("texture", self.texture, None),
            ("light", self.light, None),
            ("rotation", Some(self.rotation), Some(3)),
            ("translation", Some(self.translation), Some(3)),
        ];
        let mut taken: Vec<(&str, (usize, usize))> = vec![];
        for (name, range, length) in named {
            let Some((from, to)) = range else { continue };
            if from >= to || to > self.size {
                return Some(format!(
                    "coefficients.{name}: expected a range within 0..{}, found [{from}, {to}]",
                    self.size
                ));
            }
            if length.is_some_and(|length| to - from != length) {
                return Some(format!("coefficients.{name}: expected 3 numbers, found [{from}, {to}]"));
            }
            if let Some((other, _)) = taken.iter().find(|(_, (start, end))| from < *end && *start < to) {
                return Some(format!("coefficients.{name}: [{from}, {to}] overlaps {other}"));
            }
            taken.push((name, (from, to)));
        }
        None
    }
}

/// What the parse network takes and how its classes are used.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Parsing {
    /// Class indices of the mouth: upper lip, interior, lower lip.
    pub mouth: Vec<u8>,
    /// Class indices that move with the body, not with the head.
    pub torso: Vec<u8>,
    /// Side of the network's input in pixels, Q.
    pub size: usize,
    /// Mean of each colour, on a scale of [0,1], subtracted first.
    pub mean: [f32; 3],
    /// Divisor of each colour.
    pub std: [f32; 3],
}
