//! YAML values as serde_yaml reads them, with mappings in file order and duplicate keys kept, so that every duplicate
//! can be reported.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{EnumAccess, Error, MapAccess, SeqAccess, Visitor},
};
use talkgraph_nodes::contract::ParamValue;

/// A plain value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
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

impl From<&ParamValue> for Scalar {
    fn from(value: &ParamValue) -> Self {
        match value {
            ParamValue::Bool(value) => Self::Bool(*value),
            ParamValue::Int(value) => Self::Int(*value),
            ParamValue::Float(value) => Self::Float(*value),
            ParamValue::Text(value) => Self::Text(value.clone()),
        }
    }
}

/// Any YAML value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Yaml {
    /// A plain value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Yaml>),
    /// A mapping in file order.
    Map(Vec<(Yaml, Yaml)>),
}

/// Where and why serde_yaml could not read a text.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// What is wrong.
    pub message: String,
    /// Line and column from one, where they are known.
    pub at: Option<(usize, usize)>,
}

/// Reads one YAML document.
pub(super) fn parse(text: &str) -> Result<Yaml, Unreadable> {
    serde_yaml::from_str(text).map_err(|error| Unreadable {
        message: without_positions(&error.to_string()),
        at: error.location().map(|location| (location.line(), location.column())),
    })
}

/// Reads a text as one YAML scalar, as it would be read in a graph file; what is not a scalar is text.
pub(crate) fn scalar(text: &str) -> Scalar {
    match parse(text) {
        Ok(Yaml::Scalar(scalar)) => scalar,
        _ => Scalar::Text(text.to_owned()),
    }
}

/// serde_yaml writes positions into its messages; ours stand in front of them.
fn without_positions(message: &str) -> String {
    let mut words: Vec<&str> = vec![];
    let mut rest = message.split(' ').peekable();
    while let Some(word) = rest.next() {
        if word == "at" && rest.peek() == Some(&"line") {
            let tail: Vec<&str> = rest.by_ref().take(4).collect();
            if tail.last().is_some_and(|last| last.ends_with(',')) {
                words.push(",");
            }
        } else {
            words.push(word);
        }
    }
    words.join(" ").replace(" ,", ",")
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Scalar::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Yaml, E> {
        self.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Scalar::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Scalar::Int(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int)))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Scalar::Float(value as f64)))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Scalar::Float(value as f64)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Scalar::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Scalar::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut items = vec![];
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Yaml::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut entries = vec![];
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Yaml::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Yaml, A::Error> {
        Err(Error::custom("tags (`!name`) have no meaning in graph files"))
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}
