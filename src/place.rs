//! Places in files of the user's.

use std::{fmt, path::PathBuf};

/// A place in a file; line and column count from one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Line.
    pub line: usize,
    /// Column; zero for the whole line, as for a row of a table.
    pub column: usize,
}

impl Place {
    /// A whole line.
    pub fn line(file: impl Into<PathBuf>, line: usize) -> Self {
        Self { file: file.into(), line, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)?;
        if self.column == 0 { Ok(()) } else { write!(f, ":{}", self.column) }
    }
}
