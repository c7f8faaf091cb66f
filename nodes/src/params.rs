//! A node's parameters with defaults filled in.

use std::collections::BTreeMap;

use crate::{
    contract::{ParamValue, Rate},
    error::{NodeError, Result},
};

/// Parameters by name, defaults filled in and checked against the contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(pub BTreeMap<String, ParamValue>);

macro_rules! getter {
    ($name:ident, $type:ty, $($pattern:pat => $value:expr),+; $word:literal) => {
        #[doc = concat!("The parameter `name` as ", $word, "; an error when the contract does not declare it so.")]
        pub fn $name(&self, name: &str) -> Result<$type> {
            match self.0.get(name) {
                $(Some($pattern) => Ok($value),)+
                other => Err(NodeError::input(format!(
                    concat!("parameter `{}`: expected ", $word, ", found {:?}"), name, other
                ))),
            }
        }
    };
}

impl Params {
    getter!(bool, bool, ParamValue::Bool(value) => *value; "true or false");
    getter!(int, i64, ParamValue::Int(value) => *value; "a whole number");
    getter!(float, f64, ParamValue::Float(value) => *value, ParamValue::Int(value) => *value as f64; "a number");
    getter!(text, &str, ParamValue::Text(value) => value.as_str(); "text");

    /// The parameter `name` as frames a second; an error when the contract does not declare it so.
    pub fn rate(&self, name: &str) -> Result<Rate> {
        let found = self.0.get(name);
        found.and_then(Rate::of).ok_or_else(|| {
            NodeError::input(format!("parameter `{name}`: expected frames a second, found {found:?}"))
        })
    }

    /// The parameter `name` as a count.
    pub fn count(&self, name: &str) -> Result<usize> {
        let value = self.int(name)?;
        usize::try_from(value)
            .map_err(|_| NodeError::input(format!("parameter `{name}`: expected a count, found {value}")))
    }
}
