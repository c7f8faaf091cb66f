//! The protobuf wire format, as far as reading parts of an ONNX file needs it
//! (<https://protobuf.dev/programming-guides/encoding/>).

/// The content of a field.
pub(super) enum Payload<'a> {
    /// A varint.
    Number(u64),
    /// A message, text or packed numbers.
    Bytes(&'a [u8]),
    /// A fixed-width number, which nothing here needs.
    Skipped,
}

/// The fields of a message; `None` ends a malformed one.
pub(super) fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u64, Payload<'_>)>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let field = next_field(&mut bytes);
        if field.is_none() {
            bytes = &[];
        }
        Some(field)
    })
}

fn next_field<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Payload<'a>)> {
    let tag = varint(bytes)?;
    let payload = match tag & 7 {
        0 => Payload::Number(varint(bytes)?),
        1 => take(bytes, 8).map(|_| Payload::Skipped)?,
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Payload::Bytes(take(bytes, length)?)
        }
        5 => take(bytes, 4).map(|_| Payload::Skipped)?,
        _ => return None,
    };
    Some((tag >> 3, payload))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// The last message or text in field `number`; the outer `None` is a malformed one.
pub(super) fn message(bytes: &[u8], number: u64) -> Option<Option<&[u8]>> {
    let mut found = None;
    for field in fields(bytes) {
        match field? {
            (at, Payload::Bytes(inner)) if at == number => found = Some(inner),
            _ => {}
        }
    }
    Some(found)
}

/// The text in field `number`, empty when absent.
pub(super) fn text(bytes: &[u8], number: u64) -> Option<String> {
    let bytes = message(bytes, number)?.unwrap_or_default();
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// The last varint in field `number`.
pub(super) fn number(bytes: &[u8], number: u64) -> Option<Option<u64>> {
    let mut found = None;
    for field in fields(bytes) {
        match field? {
            (at, Payload::Number(value)) if at == number => found = Some(value),
            _ => {}
        }
    }
    Some(found)
}
