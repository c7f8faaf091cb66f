//! YAML values joined with their places, and the questions that reading a graph asks of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
};

use super::{
    At, Mistakes, Spot,
    places::{Places, places},
    yaml::{self, Scalar, Yaml},
};

/// The key that takes another mapping's entries.
const MERGE: &str = "<<";

/// A YAML value with its place.
#[derive(Debug)]
pub(super) struct Marked {
    /// Where it starts.
    pub spot: Spot,
    /// What it is.
    pub content: Content,
}

/// What a [`Marked`] value is.
#[derive(Debug)]
pub(super) enum Content {
    /// A plain value.
    Scalar(Scalar),
    /// A list; graph files have none but of mappings to merge.
    List(Vec<Marked>),
    /// A mapping in file order.
    Map(Vec<(Marked, Marked)>),
}

/// Entries with those that the key `<<` takes from other mappings, where these have none of that name; of several mappings the
/// earlier wins, as YAML's merge key says.
fn merged(entries: Vec<(Marked, Marked)>) -> Vec<(Marked, Marked)> {
    let is_merge = |key: &Marked, value: &Marked| {
        let is_map = |value: &Marked| matches!(value.content, Content::Map(_));
        key.content.is_text(MERGE)
            && match &value.content {
                Content::List(items) => items.iter().all(is_map),
                _ => is_map(value),
            }
    };
    let (merges, mut kept): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, value)| is_merge(key, value));
    for (_, value) in merges {
        let maps = match value.content {
            Content::List(items) => items,
            _ => vec![value],
        };
        for map in maps {
            let Content::Map(more) = map.content else { continue };
            for (key, value) in more {
                let known = |(other, _): &(Marked, Marked)| match &key.content {
                    Content::Scalar(Scalar::Text(name)) => other.content.is_text(name),
                    _ => false,
                };
                if !kept.iter().any(known) {
                    kept.push((key, value));
                }
            }
        }
    }
    kept
}

impl Content {
    fn is_text(&self, expected: &str) -> bool {
        matches!(self, Self::Scalar(Scalar::Text(text)) if text == expected)
    }
}

/// Entries of a mapping with text keys, each key once.
pub(super) type Entries<'a> = Vec<(At<String>, &'a Marked)>;

impl Marked {
    /// Reads one YAML document; `None` when it is unreadable, which is then among the mistakes.
    pub fn parse(text: &str, mistakes: &mut Mistakes) -> Option<Self> {
        match yaml::parse(text) {
            Ok(value) => {
                let places = places(text).unwrap_or_default();
                Some(Self::join(value, &places, Spot { line: 1, column: 1 }))
            }
            Err(error) => {
                let (line, column) = error.at.unwrap_or((1, 1));
                mistakes.error(Spot { line, column }, format!("not readable as YAML: {}", error.message));
                None
            }
        }
    }

    fn join(value: Yaml, places: &Rc<Places>, parent: Spot) -> Self {
        let spot = if places.spot.line > 0 { places.spot } else { parent };
        let nowhere = Rc::default();
        let child = |index| places.children.get(index).unwrap_or(&nowhere);
        let content = match value {
            Yaml::Scalar(scalar) => Content::Scalar(scalar),
            Yaml::List(items) => {
                let items = items.into_iter().enumerate();
                Content::List(items.map(|(index, item)| Self::join(item, child(index), spot)).collect())
            }
            Yaml::Map(entries) => {
                let entries = entries.into_iter().enumerate();
                let entries = entries.map(|(index, (key, value))| {
                    let key = Self::join(key, child(2 * index), spot);
                    let value = Self::join(value, child(2 * index + 1), key.spot);
                    (key, value)
                });
                Content::Map(merged(entries.collect()))
            }
        };
        Self { spot, content }
    }

    /// What it is, for messages.
    pub fn kind(&self) -> String {
        match &self.content {
            Content::Scalar(scalar) => scalar.to_string(),
            Content::List(_) => "a list".into(),
            Content::Map(_) => "a mapping".into(),
        }
    }

    /// Its text; a mistake when it is not text. `what` is what was expected.
    pub fn text(&self, what: &str, mistakes: &mut Mistakes) -> Option<At<String>> {
        match &self.content {
            Content::Scalar(Scalar::Text(text)) => Some(At { value: text.clone(), spot: self.spot }),
            _ => {
                mistakes.error(self.spot, format!("expected {what}, found {}", self.kind()));
                None
            }
        }
    }

    /// Its entries; mistakes are anything but a mapping, keys that are no text, and duplicate keys. Nothing at all is
    /// an empty mapping.
    pub fn entries(&self, what: &str, mistakes: &mut Mistakes) -> Entries<'_> {
        let entries = match &self.content {
            Content::Map(entries) => entries.as_slice(),
            Content::Scalar(Scalar::Null) => &[],
            _ => {
                mistakes.error(self.spot, format!("expected {what}, found {}", self.kind()));
                &[]
            }
        };
        let mut kept: Entries<'_> = Vec::with_capacity(entries.len());
        let mut lines: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        for (key, value) in entries {
            let Some(name) = key.text("a name as key", mistakes) else { continue };
            let Content::Scalar(Scalar::Text(text)) = &key.content else { continue };
            match lines.entry(text) {
                Entry::Vacant(line) => {
                    line.insert(key.spot.line);
                    kept.push((name, value));
                }
                Entry::Occupied(line) => {
                    let message = format!("duplicate key `{text}`, first on line {}", line.get());
                    mistakes.error(key.spot, message).hint = Some("rename or remove one of them".into());
                }
            }
        }
        kept
    }
}
