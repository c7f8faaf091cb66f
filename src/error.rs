//! What the user is told when something is wrong: one type, rendered in one way.
//!
//! ```text
//! graphs/my.yaml:7:34: error: node `soft`: unknown parameter `widnow`
//!   hint: did you mean `window`?
//! ```

use std::{error::Error, fmt};

use talkgraph_nodes::error::{ErrorKind, NodeError};

use crate::place::Place;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Work cannot start or go on.
    Error,
    /// Work goes on; `check` fails all the same.
    Warning,
}

/// One mistake or failure: where, what, why, and the one thing to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where in a graph file.
    pub place: Option<Place>,
    /// What is wrong, actual against expected, lower case.
    pub message: String,
    /// The chain of causes, nearest first.
    pub causes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: None, message: message.into(), causes: vec![], hint: None }
    }

    /// A warning without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// The same at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with `error` and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let io = error.downcast_ref::<std::io::Error>();
            self.causes.push(io.map_or_else(|| error.to_string(), plain));
            next = error.source();
        }
        self
    }

    /// A node type's error with its sources and its hint; `context` (the node, for example) goes in front.
    pub fn from_node(context: &str, error: &NodeError) -> Self {
        let message = if context.is_empty() { error.to_string() } else { format!("{context}: {error}") };
        let mut diagnostic = Self::error(message);
        if let Some(source) = error.source() {
            diagnostic = diagnostic.caused_by(source);
        }
        diagnostic.hint = error.hint_text().map(ToOwned::to_owned);
        diagnostic
    }

    /// The text for people, without a newline at the end; `colour` adds ANSI escapes.
    pub fn render(&self, colour: bool) -> String {
        let (word, start) = match self.severity {
            Severity::Error => ("error", "\x1b[1;31m"),
            Severity::Warning => ("warning", "\x1b[1;33m"),
        };
        let (start, dim, end) = if colour { (start, "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        let mut text = self.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        text += &format!("{start}{word}:{end} {}", self.message);
        for cause in &self.causes {
            text += &format!("\n  {dim}caused by:{end} {cause}");
        }
        if let Some(hint) = &self.hint {
            text += &format!("\n  {dim}hint:{end} {hint}");
        }
        text
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl Error for Diagnostic {}

/// Any number of mistakes found together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Sorts by place, those without one first, and drops repetitions.
    pub(crate) fn sort(&mut self) {
        self.0.sort_by(|a, b| (&a.place, a.severity, &a.message).cmp(&(&b.place, b.severity, &b.message)));
        self.0.dedup();
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{diagnostic}")?;
        }
        Ok(())
    }
}

impl Error for Diagnostics {}

/// An I/O error in words, without the number of the system's error.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Exit status of the process; scripts rely on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A node failed.
    Node = 1,
    /// The command line or the graph is wrong.
    Usage = 2,
    /// The store, or reading or writing a file, failed.
    Store = 3,
    /// Interrupted by the user.
    Interrupted = 130,
}

/// Why a command failed, and with which status.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Exit status.
    pub status: Status,
    /// What to tell the user; empty when it was told already.
    pub diagnostics: Diagnostics,
}

impl Failure {
    /// A failure with `status`.
    pub fn new(status: Status, diagnostics: impl Into<Diagnostics>) -> Self {
        Self { status, diagnostics: diagnostics.into() }
    }

    /// A wrong command line or graph.
    pub fn usage(diagnostics: impl Into<Diagnostics>) -> Self {
        Self::new(Status::Usage, diagnostics)
    }

    /// A failure of the store, or in reading or writing a file.
    pub fn store(diagnostics: impl Into<Diagnostics>) -> Self {
        Self::new(Status::Store, diagnostics)
    }
}

impl From<&NodeError> for Status {
    fn from(error: &NodeError) -> Self {
        match error.kind() {
            ErrorKind::Input | ErrorKind::Model => Self::Node,
            ErrorKind::Io => Self::Store,
            ErrorKind::Cancelled => Self::Interrupted,
        }
    }
}
