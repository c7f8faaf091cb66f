//! The rate of the whole graph: `fps` at its top level, or `--set fps=RATE` in place of that.

use talkgraph_nodes::contract::{ParamKind, Rate};

use super::{
    nodes::Draft,
    params::{self, FPS},
    settings::{Assignment, Settings},
};
use crate::{
    error::Diagnostic,
    spec::{GraphSpec, Mistakes},
};

/// What the command line says of the whole graph's rate; the last one counts.
fn set<'a>(settings: &'a Settings<'_>) -> Option<&'a Assignment> {
    settings.set.iter().rev().find(|assignment| assignment.name == FPS)
}

/// The graph's rate, where it has one: the command line's, else the file's. Both are checked.
pub(super) fn of_graph(spec: &GraphSpec, settings: &Settings<'_>, mistakes: &mut Mistakes) -> Option<Rate> {
    let folder = std::path::Path::new("");
    let written = spec.fps.as_ref().and_then(|fps| {
        params::convert(&ParamKind::Rate, &fps.value, folder)
            .map_err(|(message, hint)| mistakes.error(fps.spot, format!("`{FPS}`: {message}")).hint = hint)
            .ok()
    });
    let given = set(settings).and_then(|assignment| {
        params::from_text(&ParamKind::Rate, &assignment.value)
            .map_err(|(message, hint)| {
                mistakes
                    .push(Diagnostic { hint, ..Diagnostic::error(format!("--set {assignment}: {message}")) });
            })
            .ok()
    });
    let value = if set(settings).is_some() { given } else { written };
    Rate::of(&value?)
}

/// Reports a rate that no node could follow.
pub(super) fn report_unused(
    spec: &GraphSpec,
    settings: &Settings<'_>,
    drafts: &[Draft<'_>],
    mistakes: &mut Mistakes,
) {
    // Where a type is unknown, it may be the one that follows.
    if drafts.iter().any(|draft| draft.contract.as_ref().is_none_or(params::follows_graph)) {
        return;
    }
    let message = format!("no node of the graph has a parameter `{FPS}`");
    if let Some(assignment) = set(settings) {
        mistakes.push(Diagnostic::error(format!("--set {assignment}: {message}")));
    }
    if let Some(fps) = &spec.fps {
        let place = mistakes.place(fps.spot);
        mistakes.push(Diagnostic::warning(format!("`{FPS}`: {message}")).at(place)).hint =
            Some("remove it: it says nothing here".into());
    }
}
