//! The canonical description of an action: one text, both hashed and shown.

use std::{collections::BTreeMap, fmt::Display};

use crate::Digest;

/// A finished key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Digest of `text`.
    pub digest: Digest,
    /// The canonical description: a heading with its version, then one `path = value` a line, sorted by path.
    pub text: String,
}

/// Collects the fields of a [`Key`]. The order in which fields are given does not matter.
#[derive(Clone, Debug)]
pub struct KeyBuilder {
    heading: String,
    fields: BTreeMap<String, String>,
}

impl KeyBuilder {
    /// A key of `kind`, whose encoding has `version`: raise it whenever the meaning of a field changes.
    pub fn new(kind: &str, version: u32) -> Self {
        Self { heading: format!("{kind} {version}"), fields: BTreeMap::new() }
    }

    /// Adds a field. A later value replaces an earlier one of the same path.
    pub fn field(&mut self, path: impl Display, value: impl Display) -> &mut Self {
        self.fields.insert(escape(&path.to_string(), true), escape(&value.to_string(), false));
        self
    }

    /// The key over all fields given so far.
    pub fn finish(&self) -> Key {
        let mut text = format!("{}\n", self.heading);
        for (path, value) in &self.fields {
            text.extend([path.as_str(), " = ", value.as_str(), "\n"]);
        }
        Key { digest: Digest::of(text.as_bytes()), text }
    }
}

/// Keeps one field on one line and, in a path, the separator unambiguous.
fn escape(text: &str, is_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '=' if is_path => out.push_str("\\e"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(fields: &[(String, String)]) -> Key {
        let mut builder = KeyBuilder::new("test", 1);
        for (path, value) in fields {
            builder.field(path, value);
        }
        builder.finish()
    }

    #[test]
    fn text_is_sorted_and_readable() {
        let key = key(&[("param.b".into(), "2".into()), ("param.a".into(), "one\ntwo".into())]);
        assert_eq!(key.text, "test 1\nparam.a = one\\ntwo\nparam.b = 2\n");
        assert_eq!(key.digest, Digest::of(key.text.as_bytes()));
    }

    proptest! {
        #[test]
        fn order_does_not_matter(fields in prop::collection::btree_map(".*", ".*", 0..6)) {
            let forward: Vec<_> = fields.clone().into_iter().collect();
            let backward: Vec<_> = fields.into_iter().rev().collect();
            prop_assert_eq!(key(&forward), key(&backward));
        }

        #[test]
        fn different_fields_give_different_texts(
            a in prop::collection::btree_map("[a=\\\\\n ]{0,4}", "[b=\\\\\n ]{0,4}", 0..4),
            b in prop::collection::btree_map("[a=\\\\\n ]{0,4}", "[b=\\\\\n ]{0,4}", 0..4),
        ) {
            let (x, y): (Vec<_>, Vec<_>) = (a.clone().into_iter().collect(), b.clone().into_iter().collect());
            prop_assert_eq!(key(&x) == key(&y), a == b);
        }
    }
}
