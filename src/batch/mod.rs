//! Many jobs as one graph: a table of rows, each a job of the same graph with other files and parameters.
//!
//! `table` reads rows, `jobs` says what each asks for, `merge` lays their graphs into one in which what several need is there once. That
//! graph is planned and run as any other.

mod jobs;
mod merge;
mod pattern;
mod table;

pub use jobs::{Common, Job, jobs};
pub use merge::{Merged, merge};
pub use table::{Column, Line, List, Table};

use crate::{
    error::Diagnostic,
    graph::{Graph, Row},
};

/// A job that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What it asks for.
    pub job: Job,
    /// The graph with its parameters.
    pub graph: std::sync::Arc<Graph>,
}

/// An error of one row.
fn wrong(row: &Row, message: impl std::fmt::Display) -> Diagnostic {
    match &row.place {
        Some(place) => Diagnostic::error(message.to_string()).at(place.clone()),
        None => Diagnostic::error(format!("{row}: {message}")),
    }
}

/// The diagnostic, said of a row: those that have no place get the row's, the others name it.
#[must_use]
pub fn of_row(row: &Row, mut diagnostic: Diagnostic) -> Diagnostic {
    match (&diagnostic.place, &row.place) {
        (None, Some(place)) => diagnostic.place = Some(place.clone()),
        (None, None) => diagnostic.message.insert_str(0, &format!("{row}: ")),
        (Some(_), _) => diagnostic.message.push_str(&format!(" ({row})")),
    }
    diagnostic
}
