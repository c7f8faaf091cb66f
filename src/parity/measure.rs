//! How far numbers are off, and what is allowed.

use std::fmt;

use serde::{Deserialize, Serialize};
use talkgraph_nodes::{
    error::NodeError,
    tensor::{Tensor, TensorData},
};

/// Errors of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Errors {
    /// The largest distance of two numbers; endless where one of them alone is not finite.
    pub largest: f64,
    /// The mean distance.
    pub mean: f64,
    /// Peak signal-to-noise ratio in dB, the peak being the range of what is expected; endless for equal numbers.
    pub psnr: f64,
}

/// What a case allows.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "measure", rename_all = "snake_case")]
pub enum Limit {
    /// A largest distance.
    Max {
        /// The most that it may be.
        tolerance: f64,
    },
    /// A ratio in dB.
    Psnr {
        /// The least that it may be.
        least: f64,
    },
}

impl Limit {
    /// Whether `errors` stay within it.
    pub fn allows(&self, errors: &Errors) -> bool {
        match self {
            Self::Max { tolerance } => errors.largest <= *tolerance,
            Self::Psnr { least } => errors.psnr >= *least,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max { tolerance } => write!(f, "at most {tolerance:e}"),
            Self::Psnr { least } => write!(f, "at least {least} dB"),
        }
    }
}

impl Errors {
    /// Those of `found` against `expected`, which must have its shape.
    ///
    /// # Errors
    /// Where it has not, or both are empty.
    pub fn between(found: &Tensor, expected: &Tensor) -> Result<Self, NodeError> {
        if found.shape() != expected.shape() {
            return Err(NodeError::input(format!(
                "shape {:?}, {:?} is recorded",
                found.shape(),
                expected.shape()
            ))
            .hint("`shape` and `every` say how what a network gives becomes what was recorded"));
        }
        let (found, expected) = (numbers(found), numbers(expected));
        if found.is_empty() {
            return Err(NodeError::input("no numbers to compare"));
        }
        let (mut largest, mut sum, mut squares) = (0.0f64, 0.0, 0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (&a, &b) in found.iter().zip(&expected) {
            // Equal infinities are equal; what is no number is only like itself.
            let same = a == b || (a.is_nan() && b.is_nan());
            let off = if same { 0.0 } else { (a - b).abs() };
            let off = if off.is_nan() { f64::INFINITY } else { off };
            largest = largest.max(off);
            sum += off;
            squares += off * off;
            if b.is_finite() {
                (low, high) = (low.min(b), high.max(b));
            }
        }
        let count = found.len() as f64;
        // Where all that is expected is one number, there is no ratio to its range.
        let psnr = match squares {
            0.0 => f64::INFINITY,
            squares => 20.0 * ((high - low).max(0.0) / (squares / count).sqrt()).log10(),
        };
        Ok(Self { largest, mean: sum / count, psnr })
    }
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    match tensor.data() {
        TensorData::F32(data) => data.iter().map(|&x| f64::from(x)).collect(),
        TensorData::F64(data) => data.to_vec(),
        TensorData::I64(data) => data.iter().map(|&x| x as f64).collect(),
        TensorData::U8(data) => data.iter().map(|&x| f64::from(x)).collect(),
    }
}
