//! The rate of the whole graph: `fps` at its top level, or `--set fps=RATE` in place of that.

use talkgraph_nodes::contract::{ParamKind, Rate};

use super::{
    nodes::Draft,
    params::{self, FPS, Wrong},
    settings::{Assignment, Settings},
};
use crate::{
    error::Diagnostic,
    spec::{GraphSpec, Mistakes, Scalar},
};

/// What the command line says of the whole graph's rate; the last one counts.
fn set<'a>(settings: &'a Settings<'_>) -> Option<&'a Assignment> {
    settings.set.iter().rev().find(|assignment| assignment.name == FPS)
}

/// The graph's rate, where it has one: the command line's, else the file's. Both are checked.
pub(super) fn of_graph(spec: &GraphSpec, settings: &Settings<'_>, mistakes: &mut Mistakes) -> Option<Rate> {
    let written = spec.fps.as_ref().and_then(|fps| {
        read(&fps.value)
            .map_err(|(message, hint)| mistakes.error(fps.spot, format!("`{FPS}`: {message}")).hint = hint)
            .ok()
    });
    let given = set(settings).and_then(|assignment| {
        params::from_text(&ParamKind::Rate, &assignment.value)
            .map_err(|(message, hint)| {
                let message = format!("{}: {message}", assignment.said());
                mistakes.push(Diagnostic { hint, ..Diagnostic::error(message) });
            })
            .ok()
    });
    if set(settings).is_some() { Rate::of(&given?) } else { written }
}

/// Reports rates of parts that are none.
pub(super) fn of_parts(spec: &GraphSpec, mistakes: &mut Mistakes) {
    for fps in spec.parts.iter().filter_map(|part| part.fps.as_ref()) {
        if let Err((message, hint)) = read(&fps.value) {
            mistakes.error(fps.spot, format!("`{FPS}`: {message}")).hint = hint;
        }
    }
}

/// A rate as it is written.
pub(super) fn read(value: &Scalar) -> Result<Rate, Wrong> {
    let value = params::convert(&ParamKind::Rate, value, std::path::Path::new(""))?;
    Rate::of(&value).ok_or_else(|| (format!("expected {}", params::takes(&ParamKind::Rate)), None))
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
        mistakes.push(Diagnostic::error(format!("{}: {message}", assignment.said())));
    }
    if let Some(fps) = &spec.fps {
        let place = mistakes.place(fps.spot);
        mistakes.push(Diagnostic::warning(format!("`{FPS}`: {message}")).at(place)).hint =
            Some("remove it: it says nothing here".into());
    }
}
