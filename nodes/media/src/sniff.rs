//! What a file is, from its first bytes: for messages that say what was found in place of what was expected.

use std::{fs::File, io::Read, path::Path};

use crate::error::{Error, Result};

/// Signatures: offset, bytes, words.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"BM", "a BMP image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (0, b"8BPS", "a Photoshop document"),
    (4, b"ftypheic", "a HEIC image"),
    (4, b"ftypheix", "a HEIC image"),
    (4, b"ftypmif1", "a HEIF image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftypM4A", "M4A audio"),
    (4, b"ftyp", "an MP4 or QuickTime video"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (8, b"AVI ", "an AVI video"),
    (8, b"WAVE", "WAV audio"),
    (0, b"fLaC", "FLAC audio"),
    (0, b"OggS", "Ogg audio"),
    (0, b"ID3", "MP3 audio"),
    (0, b"\xff\xfb", "MP3 audio"),
    (0, b"\xff\xf3", "MP3 audio"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x7fELF", "a program"),
];

/// How many bytes at the start of a file tell what it is.
const HEAD: usize = 512;

/// What `head`, the first bytes of a file, looks like.
pub fn describe(head: &[u8]) -> String {
    if head.is_empty() {
        return "an empty file".to_owned();
    }
    let found =
        SIGNATURES.iter().find(|(at, bytes, _)| head.get(*at..).is_some_and(|h| h.starts_with(bytes)));
    if let Some((_, _, words)) = found {
        return (*words).to_owned();
    }
    match text(head) {
        Some(line) => format!("text: `{line}`"),
        None => "unknown bytes".to_owned(),
    }
}

/// The start of the first line when `head` is text. The head may end within a character.
fn text(head: &[u8]) -> Option<String> {
    let head = &head[..head.len().min(HEAD)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let control = |c: char| c.is_control() && !c.is_whitespace();
    if valid.contains(control) {
        return None;
    }
    let line = valid.trim().lines().next().unwrap_or_default();
    let short: String = line.chars().take(40).collect();
    Some(if short.len() < line.len() { format!("{short}…") } else { short })
}

/// The file's name for messages.
pub fn name(path: &Path) -> String {
    path.display().to_string()
}

/// An error about reading `path`.
pub fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("{}: cannot be read", name(path))).caused_by(error)
}

/// The first bytes of the file at `path`.
pub fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = vec![];
    File::open(path)
        .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head))
        .map_err(|error| unreadable(path, error))?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_sees() {
        assert_eq!(describe(b""), "an empty file");
        assert_eq!(describe(b"\x89PNG\r\n\x1a\n...."), "a PNG image");
        assert_eq!(describe(b"RIFF\0\0\0\0WAVEfmt "), "WAV audio");
        assert_eq!(describe(b"RIFF\0\0\0\0WEBPVP8 "), "a WebP image");
        assert_eq!(describe(b"hello\nworld"), "text: `hello`");
        assert_eq!(describe("ä".repeat(400).as_bytes()), format!("text: `{}…`", "ä".repeat(40)));
        assert_eq!(describe(b"\0\x01\x02"), "unknown bytes");
    }
}
