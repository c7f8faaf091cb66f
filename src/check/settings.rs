//! What the command line adds to a graph.

use std::{fmt, path::PathBuf, str::FromStr};

use talkgraph_nodes::contract::ParamValue;

/// `NAME=VALUE` on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Left of the first `=`.
    pub name: String,
    /// Right of it.
    pub value: String,
    /// Where it stands: after `--set`, or in a column of a table.
    pub stands: Stands,
}

/// Where an [`Assignment`] stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stands {
    /// On the command line.
    #[default]
    Flag,
    /// In a table: the name is the column's.
    Column,
}

impl Assignment {
    /// The flag or the column, with name and value, for messages.
    pub fn said(&self) -> String {
        match self.stands {
            Stands::Flag => format!("--set {self}"),
            Stands::Column => format!("column `{}`: {}", self.name, self.value),
        }
    }
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.into(), value: value.into(), stands: Stands::Flag })
            }
            _ => Err(format!("expected NAME=VALUE, found `{text}`")),
        }
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// Looks up a pack's default: node type, parameter → value.
pub type PackDefault<'a> = &'a dyn Fn(&str, &str) -> Option<ParamValue>;

/// What is laid over a graph file.
#[derive(Clone, Default)]
pub struct Settings<'a> {
    /// `NODE.PARAM=VALUE`, in place of the graph's parameters, and `fps=RATE`, in place of the graph's own; the last one wins.
    pub set: Vec<Assignment>,
    /// Nodes that the engine is asked to run again; only their names are checked here.
    pub refresh: Vec<String>,
    /// Graph outputs with the files that they go to: endings of names decide formats, after the graph's values.
    pub outputs: Vec<(String, PathBuf)>,
    /// Defaults that suit the pack; they come after the graph's values and before the contract's defaults.
    pub pack_default: Option<PackDefault<'a>>,
}
