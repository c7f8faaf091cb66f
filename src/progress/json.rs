//! Every event as a line of JSON, for programs: docs/cli.md describes the lines.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::{
    error::{Diagnostic, Severity},
    events::{Event, Listener},
};

/// Tells on standard error.
pub struct JsonLines;

#[derive(Serialize)]
struct Line<'a> {
    at: f64,
    #[serde(flatten)]
    event: &'a Event,
}

impl Listener for JsonLines {
    fn event(&self, at: Duration, event: &Event) {
        // Milliseconds are as fine as anyone acts on. An event always has a JSON form.
        let at = (at.as_secs_f64() * 1e3).round() / 1e3;
        if let Ok(line) = serde_json::to_string(&Line { at, event }) {
            eprintln!("{line}");
        }
    }
}

/// A message as such a line.
pub fn message(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = diagnostic.place.as_ref().map(|place| {
        let column = (place.column > 0).then_some(place.column);
        json!({ "file": place.file.to_string_lossy(), "line": place.line, "column": column })
    });
    json!({
        "event": "message",
        "severity": severity,
        "place": place,
        "message": diagnostic.message,
        "causes": diagnostic.causes,
        "hint": diagnostic.hint,
    })
    .to_string()
}
