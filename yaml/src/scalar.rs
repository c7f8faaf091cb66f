//! What a plain value means: the core schema of YAML 1.2, with binary numbers.

use std::fmt;

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

/// What `text` means where it stands without quotes.
pub fn scalar(text: &str) -> Scalar {
    let known = null(text).or_else(|| boolean(text)).or_else(|| whole(text));
    known.or_else(|| number(text).map(Scalar::Float)).unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

pub(crate) fn null(text: &str) -> Option<Scalar> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Scalar::Null)
}

pub(crate) fn boolean(text: &str) -> Option<Scalar> {
    match text {
        "true" | "True" | "TRUE" => Some(Scalar::Bool(true)),
        "false" | "False" | "FALSE" => Some(Scalar::Bool(false)),
        _ => None,
    }
}

/// Decimal, or `0x`, `0o`, `0b`; with a sign or without. Decimals with leading zeros are text.
pub(crate) fn whole(text: &str) -> Option<Scalar> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let with = |radix: u32, prefix: &str| Some((radix, digits.strip_prefix(prefix)?));
    let (radix, digits) =
        with(16, "0x").or_else(|| with(8, "0o")).or_else(|| with(2, "0b")).unwrap_or((10, digits));
    // The standard library takes a sign here too.
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) || padded(digits, radix) {
        return None;
    }
    let magnitude = u128::from_str_radix(digits, radix).ok()?;
    let value = if text.starts_with('-') {
        0_i64.checked_sub_unsigned(u64::try_from(magnitude).unwrap_or(u64::MAX))
    } else {
        i64::try_from(magnitude).ok()
    };
    let large = if text.starts_with('-') { -(magnitude as f64) } else { magnitude as f64 };
    Some(value.map_or(Scalar::Float(large), Scalar::Int))
}

fn padded(digits: &str, radix: u32) -> bool {
    radix == 10 && digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A finite decimal number, or an infinity or NaN as YAML spells them.
pub(crate) fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match (unsigned, text) {
        (".inf" | ".Inf" | ".INF", _) if text.starts_with('-') => Some(f64::NEG_INFINITY),
        (".inf" | ".Inf" | ".INF", _) => Some(f64::INFINITY),
        (_, ".nan" | ".NaN" | ".NAN") => Some(f64::NAN),
        _ if unsigned.starts_with(['+', '-']) || padded(unsigned, 10) => None,
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}
