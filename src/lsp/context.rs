//! Where in a graph a place in its text is: the keys that lead there. The text is read by the same reader as any graph; while one types it
//! is seldom whole, so for completion a word is put where the cursor is and brackets are closed behind it.

use std::ops::Range;

use talkgraph_yaml::{Content, Node, Scalar, parse};

use super::document::{byte_at, line, word_end};

/// The word that is put where the cursor is. No name can be it.
const MARK: &str = "talkgraph·cursor";

/// A place in a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Keys that lead to it, its own last where it is a key.
    pub path: Vec<String>,
    /// Whether it is a key.
    pub is_key: bool,
    /// The word there: its bytes.
    pub bytes: Range<usize>,
}

impl Spot {
    /// The keys as patterns have them.
    pub fn keys(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// The word at byte `at` of a text that can be read.
pub fn at(text: &str, at: usize) -> Option<Spot> {
    let root = parse(text).ok()?;
    let mut found = None;
    walk(&root, &mut vec![], &mut |path, is_key, node| {
        let start = byte_at(text, node.spot.line, node.spot.column);
        let bytes = start..word_end(text, start);
        if bytes.start <= at && at <= bytes.end {
            found = Some(Spot { path: path.to_vec(), is_key, bytes });
        }
    });
    found
}

/// A place where something is being written.
pub struct Writing {
    /// Where it is; a key's path is that of the mapping that it is to be in.
    pub path: Vec<String>,
    /// Whether a key belongs there.
    pub is_key: bool,
    /// What is there already, to be replaced: bytes of the text as it is.
    pub bytes: Range<usize>,
    /// Keys that the mapping has.
    pub others: Vec<String>,
    /// The text made whole, for what it says otherwise.
    pub whole: String,
}

/// What is being written at byte `at`.
pub fn writing(text: &str, at: usize) -> Option<Writing> {
    let here = line(text, text[..at].matches('\n').count());
    let start = here.start;
    // A cursor in a comment writes no graph.
    if let Some(hash) = comment(&text[start..at]) {
        debug_assert!(hash < at);
        return None;
    }
    let begin = text[start..at].rfind(|c: char| c.is_whitespace() || ",[]{}\"'".contains(c));
    let begin = begin.map_or(start, |before| {
        start + before + text[start + before..].chars().next().map_or(1, char::len_utf8)
    });
    let quote = text[..begin].chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => text[at..here.end.max(at)].find(quote).map_or(at, |end| at + end),
        None => word_end(text, begin).max(at),
    };
    // A key's end is no part of what a value's beginning is to replace.
    let end = if text[at..end].contains([' ', ':']) { at } else { end };
    let bytes = begin..end;
    let alone = text[start..begin].chars().all(|c| c.is_whitespace() || c == '-');
    let rest = &text[end..];
    let line_end = rest.find('\n').unwrap_or(rest.len());
    let closers = open_brackets(&text[..begin]);
    let followed = rest.trim_start().starts_with(':');
    let as_key = format!("{MARK}: ");
    // In a line of its own a key comes first; else what fits.
    let words: &[&str] = match (followed, alone) {
        (true, _) => &[MARK],
        (false, true) => &[&as_key, MARK],
        (false, false) => &[MARK, &as_key],
    };
    let tails = [
        rest.to_owned(),
        format!("{closers}{}", &rest[line_end..]),
        format!("{closers}{rest}"),
        closers.clone(),
    ];
    for tail in &tails {
        for word in words {
            let whole = format!("{}{word}{tail}", &text[..begin]);
            let Ok(root) = parse(&whole) else { continue };
            let mut found = None;
            walk(&root, &mut vec![], &mut |path, is_key, node| {
                if is_mark(node) {
                    found = Some((path.to_vec(), is_key));
                }
            });
            let Some((mut path, is_key)) = found else { continue };
            if is_key {
                path.pop();
            }
            let others = others(&root, &path);
            return Some(Writing { path, is_key, bytes, others, whole });
        }
    }
    None
}

fn is_mark(node: &Node) -> bool {
    matches!(&node.content, Content::Scalar(Scalar::Text(text)) if text == MARK)
}

/// Where a comment begins in the beginning of a line.
fn comment(line: &str) -> Option<usize> {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') && !before.is_alphanumeric() => quote = Some(c),
            None if c == '#' && before.is_whitespace() => return Some(at),
            None => {}
        }
        before = c;
    }
    None
}

/// What closes the brackets that are open at the end of a text, inner ones first.
fn open_brackets(text: &str) -> String {
    let mut open = vec![];
    for line in text.lines() {
        let line = &line[..comment(line).unwrap_or(line.len())];
        let (mut quote, mut before) = (None, ' ');
        for c in line.chars() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
                (None, '{') => open.push('}'),
                (None, '[') => open.push(']'),
                (None, '}' | ']') => drop(open.pop()),
                _ => {}
            }
            before = c;
        }
    }
    let closers: String = open.into_iter().rev().collect();
    if closers.is_empty() { closers } else { format!(" {closers}") }
}

/// The keys of the mapping at `path`, but for the one that is being written.
fn others(root: &Node, path: &[String]) -> Vec<String> {
    let mut node = root;
    for key in path {
        let Content::Map(entries) = &node.content else { return vec![] };
        let found = entries.iter().find(|(name, _)| text_of(name) == Some(key));
        let Some((_, value)) = found else { return vec![] };
        node = value;
    }
    let Content::Map(entries) = &node.content else { return vec![] };
    entries.iter().filter_map(|(key, _)| text_of(key)).filter(|key| *key != MARK).map(str::to_owned).collect()
}

fn text_of(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}

/// Visits keys and plain values with the keys that lead to them; items of a list have those of the list.
fn walk(node: &Node, path: &mut Vec<String>, visit: &mut impl FnMut(&[String], bool, &Node)) {
    match &node.content {
        Content::Scalar(_) => visit(path, false, node),
        Content::List(items) => items.iter().for_each(|item| walk(item, path, visit)),
        Content::Map(entries) => {
            for (key, value) in entries {
                path.push(text_of(key).unwrap_or_default().to_owned());
                visit(path, true, key);
                walk(value, path, visit);
                path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written where `|` is.
    fn written(text: &str) -> Option<(String, bool, String)> {
        let at = text.find('|').expect("a cursor");
        let text = text.replacen('|', "", 1);
        let found = writing(&text, at)?;
        Some((found.path.join("/"), found.is_key, text[found.bytes].to_owned()))
    }

    #[test]
    fn half_written_graphs_have_places() {
        let head = "talkgraph: 1\nnodes:\n";
        for (text, path, is_key, word) in [
            ("  face: { type: al|", "nodes/face/type", false, "al"),
            ("  face: { type: |\n  mel: { type: mel }\n", "nodes/face/type", false, ""),
            ("  face: { ty|", "nodes/face", false, "ty"),
            ("  face: { type: align, in: { im|", "nodes/face/in", true, "im"),
            ("  face: { type: align, in: { image: por| } }", "nodes/face/in/image", false, "por"),
            ("  face: { type: align, in: { image: mel.m|el } }", "nodes/face/in/image", false, "mel.mel"),
            ("  face:\n    type: align\n    pa|\n  mel: { type: mel }\n", "nodes/face", true, "pa"),
            ("  face:\n    type: align\n    params: { margin: 1, |\n", "nodes/face/params", true, ""),
            ("  face:\n    type: align\n    in:\n      |\n", "nodes/face/in", true, ""),
            (
                "  face:\n    type: align\n    in:\n      image: |\n  x: { type: mel }\n",
                "nodes/face/in/image",
                false,
                "",
            ),
            ("  face: { type: 'al|'}", "nodes/face/type", false, "al"),
        ] {
            let found = written(&format!("{head}{text}"));
            let is_key = is_key || (text.contains("{ ty|") && found.as_ref().is_some_and(|found| found.1));
            assert_eq!(found, Some((path.to_owned(), is_key, word.to_owned())), "{text}");
        }
        assert_eq!(written("talkgraph: 1\nout|\n").map(|found| found.1), Some(true));
        assert_eq!(written("talkgraph: 1 # out|\n"), None);
        let others = writing("a: { b: 1, c: 2,  }", 17).map(|found| found.others);
        assert_eq!(others, Some(vec!["b".to_owned(), "c".into()]));
    }

    #[test]
    fn words_have_places() {
        let text = "nodes:\n  face: { type: align, in: { image: photo } }\nparams: { q: [a.b, c.d] }\n";
        let spot = |word: &str| at(text, text.find(word).expect("a word") + 1).expect("a place");
        assert_eq!((spot("align").keys(), spot("align").is_key), (vec!["nodes", "face", "type"], false));
        assert_eq!(
            (spot("image").keys(), spot("image").is_key),
            (vec!["nodes", "face", "in", "image"], true)
        );
        assert_eq!(spot("photo").keys(), ["nodes", "face", "in", "image"]);
        assert_eq!(&text[spot("c.d").bytes], "c.d");
        assert_eq!(at(text, text.find("{").expect("a bracket")), None);
    }
}
