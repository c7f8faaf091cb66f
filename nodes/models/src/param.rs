//! Values of parameters, as graphs and packs give them.

use serde::{Deserialize, Serialize};

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// For flags.
    Bool(bool),
    /// For whole numbers.
    Int(i64),
    /// For numbers.
    Float(f64),
    /// For choices, texts and files.
    Text(String),
}
