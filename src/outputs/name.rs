//! What a file's name says: its ending decides the format, and must be one that the output can have.

use std::path::Path;

use talkgraph_nodes::contract::{Named, Output, ParamValue};

use super::target::{Refusal, Target};
use crate::graph::Node;

/// Endings of files that people can read as they are.
const TEXT: [&str; 1] = ["json"];

/// The ending of a name, in lower case and without the dot.
fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_lowercase())
}

/// The value that a file's name, or its having none, gives to the parameter of `named`.
pub fn value(named: &Named, path: &Path) -> Option<ParamValue> {
    let by_name = ending(path).and_then(|ending| named.value(&ending).map(str::to_owned));
    let streamed = || match Target::find(path, false) {
        Ok(Target::Descriptor { .. } | Target::Stream { .. }) => {
            named.stream.as_ref().map(ToString::to_string)
        }
        Ok(Target::File { .. }) | Err(_) => None,
    };
    by_name.or_else(streamed).map(ParamValue::Text)
}

/// Refuses a file whose name says something else than what is written, and a terminal for what is no text.
///
/// # Errors
/// The endings that may be.
pub fn check(path: &Path, target: &Target, endings: &[&str]) -> Result<(), Refusal> {
    if target.is_terminal() && !endings.iter().all(|ending| TEXT.contains(ending)) {
        let hint = "send it on with `| command` or `> file`, or choose the name of a file";
        return Err(Refusal::new("a terminal cannot show what this output is", hint));
    }
    let found = ending(path);
    let known = found.as_ref().is_some_and(|found| endings.contains(&found.as_str()));
    if known || endings.is_empty() || !matches!(target, Target::File { .. }) {
        return Ok(());
    }
    let found = found.map_or_else(|| "none".to_owned(), |found| format!(".{found}"));
    let list: Vec<_> = endings.iter().map(|ending| format!(".{ending}")).collect();
    let list = match list.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => list.concat(),
    };
    let message = format!("the name's ending decides the format: expected {list}, found {found}");
    let better = path.with_extension(endings[0]);
    Err(Refusal::new(message, format!("for example `{}`", better.display())))
}

/// Refuses a file whose name says something else than the parameters of the node that makes it.
///
/// # Errors
/// The parameter that disagrees.
pub fn agrees(path: &Path, node: &Node, output: &Output) -> Result<(), Refusal> {
    let Some(named) = &output.named else { return Ok(()) };
    let Some(found) = ending(path) else { return Ok(()) };
    let Some(asked) = named.value(&found) else { return Ok(()) };
    let Some(ParamValue::Text(set)) = node.params.0.get(named.param.as_ref()) else { return Ok(()) };
    if set == asked {
        return Ok(());
    }
    let param = format!("{}.{}", node.id, named.param);
    let message = format!("the name's ending asks for {asked}, but `{param}` is {set}");
    let fitting = named.endings.iter().find(|(_, value)| value == set).map(|(ending, _)| ending);
    let name = fitting.map(|ending| format!(" or name it `{}`", path.with_extension(&**ending).display()));
    Err(Refusal::new(message, format!("--set {param}={asked}{}", name.unwrap_or_default())))
}
