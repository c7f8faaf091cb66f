//! What `check` says, as the protocol has it: the same words in the same places.

use std::{collections::HashMap, path::PathBuf};

use lsp_types::{Diagnostic as Told, DiagnosticSeverity};

use super::{
    Look,
    document::{Document, byte_at, range, word_end},
};
use crate::{
    error::{Diagnostic, Diagnostics, Severity},
    spec::canonical,
};

/// What is said of one file.
pub type InFile = Vec<Told>;

/// What is said of files, by their names on disk.
pub type Found = HashMap<PathBuf, InFile>;

/// Diagnostics of a document by the file that each is in; those without a place are at its beginning.
pub fn by_file(look: &Look<'_>, document: &Document, diagnostics: &Diagnostics) -> Found {
    let mut found = Found::new();
    let mut texts: HashMap<PathBuf, String> = HashMap::new();
    for diagnostic in &diagnostics.0 {
        let place = diagnostic.place.as_ref();
        let (file, line, column) =
            place.map_or((&document.path, 1, 1), |place| (&place.file, place.line, place.column.max(1)));
        let file = canonical(file);
        let text = texts.entry(file.clone()).or_insert_with(|| look.text(&file).unwrap_or_default());
        let start = byte_at(text, line, column);
        let told = Told {
            range: range(text, start..word_end(text, start), look.encoding),
            severity: Some(match diagnostic.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            source: Some("talkgraph".into()),
            message: message(diagnostic),
            ..Told::default()
        };
        found.entry(file).or_default().push(told);
    }
    found
}

fn message(diagnostic: &Diagnostic) -> String {
    let causes = diagnostic.causes.iter().map(|cause| format!("\ncaused by: {cause}"));
    let hint = diagnostic.hint.iter().map(|hint| format!("\nhint: {hint}"));
    diagnostic.message.clone() + &causes.chain(hint).collect::<String>()
}
