//! Sizes in bytes as people write them.

/// A size in bytes, with a binary (`KiB`) or decimal (`KB`, `K`) unit.
///
/// # Errors
/// What was expected, where it is no size.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(format!("expected a size like 2GiB or 500M, found `{text}`")),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("expected a size like 2GiB or 500M, found `{text}`"))?;
    Ok((number * factor) as u64)
}

/// A size for people.
pub fn human(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{size:.1} {unit}") };
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse("500M"), Ok(500_000_000));
        assert_eq!(parse("2GiB"), Ok(2 << 30));
        assert_eq!(parse("1.5 KiB"), Ok(1536));
        assert_eq!(parse("7"), Ok(7));
        assert!(parse("many").is_err() && parse("3 apples").is_err());
        assert_eq!(human(1536), "1.5 KiB");
    }
}
