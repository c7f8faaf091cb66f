//! How much memory parameters may ask for. An allocation that fails ends the process; a node says beforehand what is too much.

use crate::error::{NodeError, Result};

/// Fails where `place`, which names the parameters, needs more than `most` bytes. `need` is a float: products of sizes overflow integers.
pub(crate) fn within(place: &str, need: f64, most: u64, hint: impl FnOnce() -> String) -> Result<()> {
    if need <= most as f64 {
        return Ok(());
    }
    let size = |bytes: f64| match bytes {
        small if small < 1e9 => format!("{:.0} MB", small / 1e6),
        large if large.is_finite() => format!("{:.1} GB", large / 1e9),
        _ => "endless memory".into(),
    };
    Err(NodeError::input(format!("{place} needs {}, the most is {}", size(need), size(most as f64)))
        .hint(hint()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_needed_and_what_there_is() {
        assert!(within("x", 5e8, 500_000_000, || unreachable!()).is_ok());
        let error = within("parameter `side`: a picture", 6.2e9, 500_000_000, || "less".into()).unwrap_err();
        assert_eq!(error.to_string(), "parameter `side`: a picture needs 6.2 GB, the most is 500 MB");
        assert_eq!(error.hint_text(), Some("less"));
        assert!(within("x", f64::INFINITY, 1, || "y".into()).unwrap_err().to_string().contains("endless"));
        assert!(within("x", f64::NAN, 1, || "y".into()).is_err());
    }
}
