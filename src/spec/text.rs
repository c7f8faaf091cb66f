//! The text of a graph file, in the encodings that editors write.

/// Decodes UTF-8 and UTF-16, with a byte order mark or without.
///
/// # Errors
/// What the bytes are in place of text.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    // A graph begins with an ASCII character, of which UTF-16 makes a zero and a byte.
    let wide: Option<fn([u8; 2]) -> u16> = match bytes.as_slice() {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        [first, 0, ..] if *first != 0 => Some(u16::from_le_bytes),
        [0, second, ..] if *second != 0 => Some(u16::from_be_bytes),
        _ => None,
    };
    let text = match wide {
        Some(unit) => {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let units: Vec<_> = pairs.iter().map(|pair| unit(*pair)).collect();
            let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
            text.ok_or_else(|| "expected text, found UTF-16 that is damaged or cut short".to_owned())?
        }
        None => String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("expected text in UTF-8, found other bytes from byte {at} on")
        })?,
    };
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "talkgraph: 1 # ä €";
        let units: Vec<u16> = text.encode_utf16().collect();
        let bytes = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
            [mark, &units.iter().flat_map(|&u| unit(u)).collect::<Vec<_>>()].concat()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
            bytes(&[0xff, 0xfe], u16::to_le_bytes),
            bytes(&[0xfe, 0xff], u16::to_be_bytes),
            bytes(&[], u16::to_le_bytes),
            bytes(&[], u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn other_bytes_are_told() {
        assert!(decode(b"name: \xe4".to_vec()).unwrap_err().ends_with("from byte 6 on"));
        assert!(decode(vec![0xff, 0xfe, 0]).unwrap_err().contains("UTF-16"));
    }
}
