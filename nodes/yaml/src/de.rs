//! Values as types that serde derives, with the place of what does not fit.

use std::fmt::Display;

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::{Content, Fault, Node, Scalar, parse};

/// Reads a text as a `T`. Texts that look like numbers need quotes where text is wanted.
///
/// # Errors
/// As [`parse`], and where the value is no `T`.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    T::deserialize(&parse(text)?)
}

impl Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self { spot: None, message: message.to_string(), hint: None }
    }
}

impl<'a> IntoDeserializer<'_, Fault> for &'a Node {
    type Deserializer = &'a Node;

    fn into_deserializer(self) -> &'a Node {
        self
    }
}

impl Node {
    /// The innermost place stays.
    fn located<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| Fault { spot: fault.spot.or(Some(self.spot)), ..fault })
    }
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let result = match &self.content {
            Content::Scalar(Scalar::Null) => visitor.visit_unit(),
            Content::Scalar(Scalar::Bool(value)) => visitor.visit_bool(*value),
            Content::Scalar(Scalar::Int(value)) => visitor.visit_i64(*value),
            Content::Scalar(Scalar::Float(value)) => visitor.visit_f64(*value),
            Content::Scalar(Scalar::Text(value)) => visitor.visit_str(value),
            Content::List(items) => {
                let mut items = SeqDeserializer::new(items.iter());
                visitor.visit_seq(&mut items).and_then(|value| items.end().map(|()| value))
            }
            Content::Map(entries) => {
                let mut entries = MapDeserializer::new(entries.iter().map(|(key, value)| (key, value)));
                visitor.visit_map(&mut entries).and_then(|value| entries.end().map(|()| value))
            }
        };
        self.located(result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.content {
            Content::Scalar(Scalar::Null) => self.located(visitor.visit_none()),
            _ => self.located(visitor.visit_some(self)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.located(visitor.visit_newtype_struct(self))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.content {
            Content::Scalar(Scalar::Text(name)) => {
                self.located(visitor.visit_enum(name.as_str().into_deserializer()))
            }
            _ => self.located(Err(Fault::invalid_type(Unexpected::Other("no name"), &visitor))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
