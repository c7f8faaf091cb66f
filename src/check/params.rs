//! Parameters: values against what the contract takes, and where defaults come from.

use std::path::Path;

use talkgraph_nodes::{
    contract::{Contract, Param, ParamKind, ParamValue, Rate},
    params::Params,
};

use super::{
    named::ByName,
    settings::{Assignment, PackDefault},
};
use crate::{
    error::{self, Diagnostic},
    spec::{At, Mistakes, ParamSpec, Scalar},
    suggest,
};

/// The parameter, of kind [`ParamKind::Rate`], that follows the key of the same name of the whole graph.
pub(crate) const FPS: &str = "fps";

/// Whether `contract` has the parameter [`FPS`].
pub(super) fn follows_graph(contract: &Contract) -> bool {
    contract.find_param(FPS).is_some_and(|param| param.kind == ParamKind::Rate)
}

/// Where the parameters of one node come from.
pub(super) struct Sources<'a> {
    /// `node `x``, for messages.
    pub owner: &'a str,
    /// Written in the graph.
    pub written: &'a [ParamSpec],
    /// Given on the command line: parameter and whole assignment.
    pub set: Vec<(&'a str, &'a Assignment)>,
    /// Given by the names of the user's files.
    pub named: Vec<&'a ByName<'a>>,
    /// The graph's rate, for the parameter [`FPS`].
    pub rate: Option<Rate>,
    /// The pack's.
    pub pack_default: Option<PackDefault<'a>>,
}

/// A wrong value: what is wrong and a hint.
pub(super) type Wrong = (String, Option<String>);

/// Fills in every parameter of `contract`: command line, graph, names of files, rate of the whole graph, pack,
/// contract. Mistakes are reported; the second value
/// says whether all parameters are known.
pub(super) fn fill(
    contract: &Contract,
    sources: &Sources<'_>,
    node: &At<String>,
    mistakes: &mut Mistakes,
) -> (Params, bool) {
    let owner = sources.owner;
    let known = || contract.params.iter().map(|param| param.name.as_ref());
    let none = format!("`{}` has no parameters", contract.name);
    for spec in sources.written.iter().filter(|spec| contract.find_param(&spec.name.value).is_none()) {
        let message = format!("{owner}: unknown parameter `{}`", spec.name.value);
        mistakes.error(spec.name.spot, message).hint = Some(suggest::hint(&spec.name.value, known(), &none));
    }
    for (name, assignment) in sources.set.iter().filter(|(name, _)| contract.find_param(name).is_none()) {
        let message = format!("{}: {owner}: unknown parameter `{name}`", assignment.said());
        mistakes.push(Diagnostic::error(message).hint(suggest::hint(name, known(), &none)));
    }

    let mut params = Params::default();
    let mut complete = true;
    for param in &contract.params {
        match value(contract, param, sources, node, mistakes) {
            Some(value) => {
                params.0.insert(param.name.to_string(), value);
            }
            None => complete = false,
        }
    }
    (params, complete)
}

fn value(
    contract: &Contract,
    param: &Param,
    sources: &Sources<'_>,
    node: &At<String>,
    mistakes: &mut Mistakes,
) -> Option<ParamValue> {
    let owner = sources.owner;
    let name = param.name.as_ref();
    let written = sources.written.iter().find(|spec| spec.name.value == name).map(|spec| &spec.value);
    let written = written.and_then(|written| {
        let folder = mistakes.folder(written.spot);
        let report = |(message, hint): Wrong| {
            let message = format!("{owner}: parameter `{name}`: {message}");
            (message, hint)
        };
        match convert(&param.kind, &written.value, folder).map_err(report) {
            Ok(value) => Some(value),
            Err((message, hint)) => {
                mistakes.error(written.spot, message).hint = hint;
                None
            }
        }
    });
    if let Some((_, assignment)) = sources.set.iter().rev().find(|(set, _)| *set == name) {
        return from_text(&param.kind, &assignment.value)
            .map_err(|(message, hint)| {
                let message = format!("{}: {owner}: parameter `{name}`: {message}", assignment.said());
                mistakes.push(Diagnostic { hint, ..Diagnostic::error(message) });
            })
            .ok();
    }
    if written.is_some() {
        return written;
    }
    if let Some(named) = sources.named.iter().find(|one| one.param == name) {
        return Some(named.value.clone());
    }
    if let Some(rate) = sources.rate.filter(|_| name == FPS && param.kind == ParamKind::Rate) {
        return Some(rate.param());
    }
    let default = sources.pack_default.and_then(|lookup| lookup(&contract.name, name));
    if let Some(default) = default {
        return convert(&param.kind, &plain(&default), Path::new(""))
            .map_err(|(message, hint)| {
                let message = format!("pack: default of `{}.{name}`: {message}", contract.name);
                mistakes.push(Diagnostic { hint, ..Diagnostic::error(message) });
            })
            .ok();
    }
    let is_written = sources.written.iter().any(|spec| spec.name.value == name);
    if param.default.is_none() && !is_written {
        let message = format!("{owner}: parameter `{name}` must be given ({})", takes(&param.kind));
        mistakes.error(node.spot, message).hint = Some(param.doc.to_string());
    }
    param.default.clone()
}

/// What a parameter takes, in words.
pub(crate) fn takes(kind: &ParamKind) -> String {
    match kind {
        ParamKind::Bool => "true or false".into(),
        ParamKind::Int { min, max } => match (*min, *max) {
            (i64::MIN, i64::MAX) => "a whole number".into(),
            (min, i64::MAX) => format!("a whole number from {min}"),
            (min, max) => format!("a whole number from {min} to {max}"),
        },
        ParamKind::Float { min, max } => {
            let bounded = |bound: f64| bound.is_finite() && bound.abs() < f64::MAX;
            match (bounded(*min), bounded(*max)) {
                (false, false) => "a number".into(),
                (true, false) => format!("a number from {min}"),
                (false, true) => format!("a number up to {max}"),
                (true, true) => format!("a number from {min} to {max}"),
            }
        }
        ParamKind::Rate => {
            let (least, most) = Rate::BOUNDS;
            format!("frames a second from {least} to {most}: 25, 12.5, 29.97 or 30000/1001")
        }
        ParamKind::Choice { options } => options.join(" | "),
        ParamKind::Text => "text".into(),
        ParamKind::File => "a file's path, relative to the graph file".into(),
    }
}

/// A value written in YAML.
pub(super) fn convert(kind: &ParamKind, value: &Scalar, folder: &Path) -> Result<ParamValue, Wrong> {
    let unexpected = |hint| Err((format!("expected {}, found {value}", takes(kind)), hint));
    match (kind, value) {
        (ParamKind::Bool, Scalar::Bool(value)) => Ok(ParamValue::Bool(*value)),
        (ParamKind::Int { min, max }, Scalar::Int(value)) if (min..=max).contains(&value) => {
            Ok(ParamValue::Int(*value))
        }
        (ParamKind::Int { .. }, Scalar::Float(value)) if value.fract() == 0.0 && value.abs() < 9.0e15 => {
            convert(kind, &Scalar::Int(*value as i64), folder)
        }
        (ParamKind::Float { .. }, Scalar::Int(value)) => convert(kind, &Scalar::Float(*value as f64), folder),
        (ParamKind::Float { min, max }, Scalar::Float(value)) if (min..=max).contains(&value) => {
            Ok(ParamValue::Float(*value))
        }
        (ParamKind::Rate, Scalar::Int(_) | Scalar::Float(_) | Scalar::Text(_)) => {
            let text = match value {
                Scalar::Int(value) => value.to_string(),
                // The shortest text that means this float: what was written, without zeros at the end.
                Scalar::Float(value) => value.to_string(),
                Scalar::Text(text) => text.trim().to_owned(),
                Scalar::Null | Scalar::Bool(_) => String::new(),
            };
            text.parse::<Rate>().map(Rate::param).or_else(|()| unexpected(None))
        }
        (ParamKind::Choice { options }, Scalar::Text(value)) => {
            if options.iter().any(|option| option == value) {
                return Ok(ParamValue::Text(value.clone()));
            }
            let near = suggest::nearest(value, options.iter().map(AsRef::as_ref));
            unexpected(near.map(|near| format!("did you mean `{near}`?")))
        }
        // Of options that are numbers the quotes may be left away.
        (ParamKind::Choice { options }, Scalar::Int(number))
            if options.iter().any(|option| *option == number.to_string()) =>
        {
            Ok(ParamValue::Text(number.to_string()))
        }
        (ParamKind::Text, Scalar::Text(value)) => Ok(ParamValue::Text(value.clone())),
        (ParamKind::Text | ParamKind::Choice { .. }, Scalar::Null) => unexpected(None),
        (ParamKind::Text | ParamKind::Choice { .. }, _) => {
            unexpected(Some("put it in quotes to make it text".into()))
        }
        (ParamKind::File, Scalar::Text(path)) => file(&folder.join(path)),
        (ParamKind::Bool, Scalar::Text(word)) => match word.to_lowercase().as_str() {
            "yes" | "on" => unexpected(Some("write `true`".into())),
            "no" | "off" => unexpected(Some("write `false`".into())),
            _ => unexpected(None),
        },
        (ParamKind::Int { .. } | ParamKind::Float { .. }, Scalar::Text(text)) => unexpected(number(text)),
        (ParamKind::Int { .. } | ParamKind::Float { .. }, Scalar::Float(value)) if !value.is_finite() => {
            unexpected(Some("write a finite number".into()))
        }
        _ => unexpected(None),
    }
}

/// What to write for a number that YAML takes for text: in quotes, with leading zeros, with underscores.
fn number(text: &str) -> Option<String> {
    let value: f64 = text.trim().replace('_', "").parse().ok()?;
    if !value.is_finite() {
        return Some("write a finite number".into());
    }
    let written = value.to_string();
    Some(if written == text { "take the quotes away".into() } else { format!("write `{written}`") })
}

/// A value that was read, as it was written.
pub(super) fn plain(value: &ParamValue) -> Scalar {
    match value {
        ParamValue::Bool(value) => Scalar::Bool(*value),
        ParamValue::Int(value) => Scalar::Int(*value),
        ParamValue::Float(value) => Scalar::Float(*value),
        ParamValue::Text(value) => Scalar::Text(value.clone()),
    }
}

/// A value given on the command line: texts as they are, everything else as in YAML. Files are relative to the current
/// folder, as the shell completes them.
pub(super) fn from_text(kind: &ParamKind, text: &str) -> Result<ParamValue, Wrong> {
    let value = match kind {
        ParamKind::Text | ParamKind::Choice { .. } | ParamKind::File => Scalar::Text(text.into()),
        _ => talkgraph_yaml::scalar(text.trim()),
    };
    convert(kind, &value, Path::new(""))
}

/// A file parameter's value: the absolute path of a file that exists.
fn file(path: &Path) -> Result<ParamValue, Wrong> {
    let absolute = std::path::absolute(path)
        .and_then(|absolute| std::fs::metadata(&absolute).map(|_| absolute))
        .map_err(|error| (format!("{}: {}", path.display(), error::plain(&error)), None))?;
    match absolute.into_os_string().into_string() {
        Ok(path) => Ok(ParamValue::Text(path)),
        Err(_) => Err((format!("{}: the path is not UTF-8", path.display()), None)),
    }
}
