//! Names of output files with places for what a row says: `out/{portrait}-{speech}.mp4`.

use crate::suggest;

/// What stands for the row's number.
const ROW: &str = "row";

/// A pattern, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(String),
}

impl Pattern {
    /// Reads a pattern; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// A brace without its other.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut pieces = vec![Piece::Text(String::new())];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let doubled = matches!(c, '{' | '}') && chars.peek() == Some(&c);
            if doubled {
                chars.next();
            }
            match c {
                '{' if !doubled => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some('{') | None => return Err(format!("`{text}`: a `{{` without its `}}`")),
                            Some(c) => name.push(c),
                        }
                    }
                    pieces.push(Piece::Place(name.trim().to_owned()));
                    pieces.push(Piece::Text(String::new()));
                }
                '}' if !doubled => return Err(format!("`{text}`: a `}}` without its `{{`")),
                c => {
                    if let Some(Piece::Text(piece)) = pieces.last_mut() {
                        piece.push(c);
                    }
                }
            }
        }
        Ok(Self(pieces))
    }

    /// Names of the places, but for that of the row's number.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Place(name) if name != ROW => Some(name.as_str()),
            _ => None,
        })
    }

    /// The name for the row with this number; `value` gives what stands in a place.
    ///
    /// # Errors
    /// As `value`.
    pub fn fill(
        &self,
        number: usize,
        value: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<String, String> {
        self.0.iter().try_fold(String::new(), |text, piece| {
            Ok(text
                + &match piece {
                    Piece::Text(piece) => piece.clone(),
                    Piece::Place(name) if name == ROW => number.to_string(),
                    Piece::Place(name) => value(name)?,
                })
        })
    }

    /// What to say where `known` has no place's name.
    pub fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
        suggest::hint(name, known.chain([ROW]), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let pattern = Pattern::read("out/{a}-{ b.c }_{row}{{x}}.mp4").expect("a pattern");
        assert_eq!(pattern.places().collect::<Vec<_>>(), ["a", "b.c"]);
        let value = |name: &str| Ok(name.to_uppercase());
        assert_eq!(pattern.fill(7, &value).as_deref(), Ok("out/A-B.C_7{x}.mp4"));
        for wrong in ["{a", "a}", "{a{b}}"] {
            assert!(Pattern::read(wrong).is_err(), "{wrong}");
        }
    }
}
