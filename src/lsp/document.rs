//! An open text, and the protocol's places in it.

use std::{
    ffi::OsString,
    ops::Range,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use lsp_types::{Position, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// What stands for itself in a URI's path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// In what characters of a line are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// What every editor knows.
    Utf16,
}

/// A text that an editor has open.
#[derive(Clone, Debug)]
pub struct Document {
    /// What the editor calls it.
    pub uri: Uri,
    /// Its file as the editor named it.
    pub path: PathBuf,
    /// The text.
    pub text: String,
}

impl Document {
    /// Whether it is a graph, and not another YAML file: an editor sends them all.
    pub fn is_graph(&self) -> bool {
        self.text.lines().any(|line| line.trim_start_matches('\u{feff}').starts_with("talkgraph:"))
            || ["nodes:", "outputs:"].iter().all(|key| self.text.lines().any(|line| line.starts_with(key)))
    }

    /// The byte at a position; beyond a line's end, that end.
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let line = line(&self.text, position.line as usize);
        let mut column = 0;
        for (at, c) in self.text[line.clone()].char_indices() {
            if column >= position.character as usize {
                return line.start + at;
            }
            column += width(c, encoding);
        }
        line.end
    }
}

/// The bytes of a line, counted from zero, without its end.
pub fn line(text: &str, number: usize) -> Range<usize> {
    let mut start = 0;
    for _ in 0..number {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len()..text.len(),
        }
    }
    let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
    let end = if text[start..end].ends_with('\r') { end - 1 } else { end };
    start..end
}

/// The byte at a line and a column, both from one, the column in characters.
pub fn byte_at(text: &str, row: usize, column: usize) -> usize {
    let line = line(text, row.saturating_sub(1));
    let mut chars = text[line.clone()].char_indices();
    chars.nth(column.saturating_sub(1)).map_or(line.end, |(at, _)| line.start + at)
}

/// The position of a byte.
pub fn position(text: &str, byte: usize, encoding: Encoding) -> Position {
    let byte = byte.min(text.len());
    let before = &text[..byte];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let character = before[start..].chars().map(|c| width(c, encoding)).sum::<usize>();
    Position { line: before.matches('\n').count() as u32, character: character as u32 }
}

/// The range of bytes as the protocol has it.
pub fn range(text: &str, bytes: Range<usize>, encoding: Encoding) -> lsp_types::Range {
    lsp_types::Range {
        start: position(text, bytes.start, encoding),
        end: position(text, bytes.end, encoding),
    }
}

fn width(c: char, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => c.len_utf8(),
        Encoding::Utf16 => c.len_utf16(),
    }
}

/// The end of the word, key or quoted text that begins at a byte.
pub fn word_end(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    if let Some(quote) = line.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return line[1..].find(quote).map_or(start + line.len(), |end| start + end + 2);
    }
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let next = line[at + c.len_utf8()..].chars().next();
        let key_ends = c == ':' && next.is_none_or(|next| next.is_whitespace() || ",]}".contains(next));
        if key_ends || ",[]{}".contains(c) || (c == '#' && before.is_whitespace()) {
            return start + line[..at].trim_end().len();
        }
        before = c;
    }
    start + line.trim_end().len()
}

/// The file that a URI names; `None` where it names none.
pub fn path_of(uri: &Uri) -> Option<PathBuf> {
    let (scheme, rest) = uri.as_str().split_once(':')?;
    let path = match scheme {
        "file" => rest.strip_prefix("//")?.trim_start_matches("localhost"),
        // A text that was never saved: what it refers to is looked for in the current folder.
        "untitled" => rest,
        _ => return None,
    };
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

/// The URI of a file.
pub fn uri_of(path: &Path) -> Option<Uri> {
    format!("file://{}", percent_encode(path.as_os_str().as_bytes(), PLAIN)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_there_and_back() {
        let text = "a: ä\r\nb: 😀 x\n";
        let document = Document { uri: "file:///x".parse().unwrap(), path: "x".into(), text: text.into() };
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            for (byte, _) in text.char_indices().filter(|(_, c)| !"\r\n".contains(*c)) {
                assert_eq!(document.offset(position(text, byte, encoding), encoding), byte);
            }
        }
        assert_eq!(position(text, text.find('x').unwrap(), Encoding::Utf16), Position::new(1, 6));
        assert_eq!(byte_at(text, 2, 6), text.find('x').unwrap());
        assert_eq!(document.offset(Position::new(0, 99), Encoding::Utf16), 5);
        assert_eq!(document.offset(Position::new(9, 0), Encoding::Utf16), text.len());
    }

    #[test]
    fn files_have_names() {
        let path = Path::new("/a b/ä#?%41.yaml");
        let uri = uri_of(path).expect("a URI");
        assert_eq!(uri.as_str(), "file:///a%20b/%C3%A4%23%3F%2541.yaml");
        assert_eq!(path_of(&uri).as_deref(), Some(path));
        for (uri, path) in
            [("file://localhost/x", Some("/x")), ("untitled:a.yaml", Some("a.yaml")), ("git:/x", None)]
        {
            assert_eq!(path_of(&uri.parse().expect("a URI")).as_deref(), path.map(Path::new));
        }
    }

    #[test]
    fn words_end() {
        for (text, word) in [
            ("mel.mel }", "mel.mel"),
            ("type: x", "type"),
            ("a b # c", "a b"),
            ("\"x, y\": 1", "\"x, y\""),
            ("{ a", ""),
            ("http://x, ", "http://x"),
        ] {
            assert_eq!(&text[..word_end(text, 0)], word, "{text}");
        }
    }
}
