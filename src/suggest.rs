//! "Did you mean": the known name nearest to one that is not known.

/// Bytes of the longest name that is compared.
const LONGEST: usize = 200;

/// Most names that are compared: a hint is worth moments only.
const COMPARED: usize = 2000;

/// Most names that a hint lists.
const LISTED: usize = 60;

/// The candidate nearest to `name`, if one is near enough to be a slip of the keyboard.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    // No name is that long, and comparing takes time in proportion to both lengths.
    if name.len() > LONGEST {
        return None;
    }
    let a = name.to_lowercase();
    let slip = |candidate: &str| {
        if candidate.len() > LONGEST {
            return None;
        }
        let b = candidate.to_lowercase();
        let part = a.len() >= 3 && (b.starts_with(&a) || a.starts_with(&b));
        // The distance is at least the difference of lengths, of which four bytes may be one character.
        if !part && a.len().abs_diff(b.len()) > 4 * allowed {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&a, &b);
        (distance <= allowed || part).then_some(distance)
    };
    candidates
        .into_iter()
        .take(COMPARED)
        .filter_map(|candidate| slip(candidate).map(|distance| (distance, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}

/// A hint for an unknown `name`: the nearest candidate, else all of them; `none` where there are none.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>, none: &str) -> String {
    let all: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if all.is_empty() => none.into(),
        None if all.len() > LISTED => format!("known: {}, …", all[..LISTED].join(", ")),
        None => format!("known: {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_nothing_far() {
        let types = ["align", "matte", "mel", "mux", "nerf_render"];
        assert_eq!(nearest("algin", types), Some("align"));
        assert_eq!(nearest("Align", types), Some("align"));
        assert_eq!(nearest("nerf", types), Some("nerf_render"));
        assert_eq!(nearest("mul", types), Some("mel"));
        assert_eq!(nearest("upsample", types), None);
        assert_eq!(hint("upsample", ["a", "b"], ""), "known: a, b");
        assert_eq!(hint("x", [], "it takes none"), "it takes none");
    }
}
