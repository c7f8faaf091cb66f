//! What a plain value means.

use std::fmt;

use serde_yaml::Value;

/// A plain value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number, also a whole one that is too large for 64 bits.
    Float(f64),
    /// Text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => write!(f, "`{value}`"),
        }
    }
}

/// Longest text that may be a number, `null` or the like; what is longer is text.
const LONGEST: usize = 64;

/// What `text` means where it stands without quotes: what serde_yaml takes it for.
pub fn scalar(text: &str) -> Scalar {
    // Names are most of what stands in a file, and begin with none of these.
    let special = text.starts_with(|first: char| first.is_ascii_digit() || "+-.~nNtTfF".contains(first));
    if text.is_empty() {
        return Scalar::Null;
    }
    if !special || text.len() > LONGEST {
        return Scalar::Text(text.to_owned());
    }
    match serde_yaml::from_str(text) {
        Ok(Value::Null) => Scalar::Null,
        Ok(Value::Bool(value)) => Scalar::Bool(value),
        Ok(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Scalar::Int(whole),
            (None, Some(other)) => Scalar::Float(other),
            (None, None) => Scalar::Text(text.to_owned()),
        },
        // A whole number of more than 64 bits is none of its values.
        Err(_) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Scalar::Float(number),
            _ => Scalar::Text(text.to_owned()),
        },
        Ok(_) => Scalar::Text(text.to_owned()),
    }
}
