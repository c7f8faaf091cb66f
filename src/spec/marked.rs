//! The questions that reading a graph asks of YAML values.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use talkgraph_yaml::{self as yaml, Content, Fault, Node, Scalar};

use super::{At, Mistakes};

/// The key that takes another mapping's entries.
const MERGE: &str = "<<";

/// Entries of a mapping with text keys, each key once.
pub(super) type Entries<'a> = Vec<(At<String>, &'a Node)>;

/// Reads one YAML document; `None` when it is unreadable, which is then among the mistakes.
pub(super) fn parse(text: &str, mistakes: &mut Mistakes) -> Option<Node> {
    match yaml::parse(text) {
        Ok(mut root) => {
            merge(&mut root);
            Some(root)
        }
        Err(Fault { spot, message, hint }) => {
            let spot = spot.unwrap_or(yaml::Spot { line: 1, column: 1 });
            mistakes.error(spot, format!("not readable as YAML: {message}")).hint = hint;
            None
        }
    }
}

/// Gives mappings the entries that the key `<<` takes from others, where they have none of that name; of several mappings the earlier
/// wins, as YAML's merge key says.
fn merge(node: &mut Node) {
    match &mut node.content {
        Content::Scalar(_) => {}
        Content::List(items) => items.iter_mut().for_each(merge),
        Content::Map(entries) => {
            for (key, value) in &mut *entries {
                merge(key);
                merge(value);
            }
            if entries.iter().any(|(key, value)| is_merge(key, value)) {
                *entries = merged(std::mem::take(entries));
            }
        }
    }
}

fn is_merge(key: &Node, value: &Node) -> bool {
    let is_map = |value: &Node| matches!(value.content, Content::Map(_));
    text_of(key) == Some(MERGE)
        && match &value.content {
            Content::List(items) => items.iter().all(is_map),
            _ => is_map(value),
        }
}

fn merged(entries: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let (merges, mut kept): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, value)| is_merge(key, value));
    let mut known: HashSet<String> =
        kept.iter().filter_map(|(key, _)| text_of(key).map(str::to_owned)).collect();
    for (_, value) in merges {
        let maps = match value.content {
            Content::List(items) => items,
            _ => vec![value],
        };
        for map in maps {
            let Content::Map(more) = map.content else { continue };
            for (key, value) in more {
                if text_of(&key).is_none_or(|name| known.insert(name.to_owned())) {
                    kept.push((key, value));
                }
            }
        }
    }
    kept
}

fn text_of(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}

/// What a reader of graphs asks of a value.
pub(super) trait Marked {
    /// What it is, for messages.
    fn kind(&self) -> String;

    /// Its text; a mistake when it is not text. `what` is what was expected.
    fn text(&self, what: &str, mistakes: &mut Mistakes) -> Option<At<String>>;

    /// Its entries; mistakes are anything but a mapping, keys that are no text, and duplicate keys. Nothing at all is
    /// an empty mapping.
    fn entries(&self, what: &str, mistakes: &mut Mistakes) -> Entries<'_>;
}

impl Marked for Node {
    fn kind(&self) -> String {
        match &self.content {
            Content::Scalar(scalar) => scalar.to_string(),
            Content::List(_) => "a list".into(),
            Content::Map(_) => "a mapping".into(),
        }
    }

    fn text(&self, what: &str, mistakes: &mut Mistakes) -> Option<At<String>> {
        match &self.content {
            Content::Scalar(Scalar::Text(text)) => {
                Some(At { value: text.clone(), spot: mistakes.spot(self.spot) })
            }
            _ => {
                mistakes.error(self.spot, format!("expected {what}, found {}", self.kind()));
                None
            }
        }
    }

    fn entries(&self, what: &str, mistakes: &mut Mistakes) -> Entries<'_> {
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
