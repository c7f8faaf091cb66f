//! From YAML text to [`FileSpec`]: the shape of the file, names and references.

use std::path::Path;

use talkgraph_nodes::contract::CacheMode;
use talkgraph_yaml::{Content, Node};

use super::{
    AliasSpec, At, Entry, FileSpec, InputSpec, Kind, Mistakes, OutputSpec, ParamSpec, Reference, Scalar,
    VERSION,
    marked::{Entries, Marked as _, parse},
};
use crate::suggest;

const FILE_KEYS: &[&str] = &["talkgraph", "name", "fps", "inputs", "params", "nodes", "outputs"];
const INPUT_KEYS: &[&str] = &["type", "params", "cache", "optional"];
const NODE_KEYS: &[&str] = &["type", "graph", "in", "params", "cache"];
/// How the type of an input begins that is a sequence.
pub(crate) const SEQUENCE: &str = "sequence of ";
const CACHE_MODES: &[(&str, CacheMode)] = &[
    ("auto", CacheMode::Auto),
    ("always", CacheMode::Always),
    ("never", CacheMode::Never),
    ("refresh", CacheMode::Refresh),
];

/// Reads the text of a graph file. `None` when it is no YAML mapping or of another version; every mistake met is added
/// to `mistakes`.
pub(crate) fn read(file: &Path, text: &str, mistakes: &mut Mistakes) -> Option<FileSpec> {
    let root = parse(text, mistakes)?;
    if !matches!(root.content, Content::Map(_)) {
        let message = format!("expected a graph, found {}", root.kind());
        mistakes.error(root.spot, message).hint = Some("a graph file starts with `talkgraph: 1`".into());
        return None;
    }
    let keys = root.entries("a graph", mistakes);
    check_keys(&keys, FILE_KEYS, "top-level key", mistakes);
    check_version(&root, &keys, mistakes)?;

    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = get(&keys, "name").and_then(|name| name.text("the graph's name", mistakes));
    let fps = get(&keys, "fps").and_then(|value| read_fps(value, mistakes));
    let mut section = |key: &str, what: &str| {
        get(&keys, key).map(|section| section.entries(what, mistakes)).unwrap_or_default()
    };
    let inputs = section("inputs", "a mapping from input names to types");
    let params = section("params", "a mapping from names to the parameters that they set, `node.param`");
    let nodes = section("nodes", "a mapping from node names to nodes");
    let outputs = section("outputs", "a mapping from output names to references");
    if nodes.is_empty() && get(&keys, "nodes").is_none() {
        mistakes.error(root.spot, "the graph has no `nodes`");
    }
    if outputs.is_empty() {
        let key = keys.iter().find(|(key, _)| key.value == "outputs");
        let spot = key.map_or_else(|| mistakes.spot(root.spot), |(key, _)| key.spot);
        mistakes.error(spot, "the graph has no `outputs`, so nothing of it would run").hint =
            Some("name at least one result, for example `outputs: { video: mux.video }`".into());
    }
    for (node, _) in &nodes {
        if let Some((input, _)) = inputs.iter().find(|(input, _)| input.value == node.value) {
            let message =
                format!("node `{}` has the name of the input on line {}", node.value, input.spot.line);
            mistakes.error(node.spot, message).hint = Some("rename one of them".into());
        }
    }
    Some(FileSpec {
        file: file.to_owned(),
        name: name.map(|name| name.value).or(stem).unwrap_or_default(),
        fps,
        inputs: inputs.into_iter().filter_map(|entry| read_input(entry, mistakes)).collect(),
        params: params.into_iter().map(|entry| read_alias(entry, mistakes)).collect(),
        nodes: nodes.into_iter().filter_map(|entry| read_node(entry, mistakes)).collect(),
        outputs: outputs
            .into_iter()
            .filter_map(|(name, value)| {
                Some(OutputSpec {
                    from: read_reference(value, &format!("output `{}`", name.value), mistakes)?,
                    name: named(name, mistakes),
                })
            })
            .collect(),
    })
}

fn read_fps(value: &Node, mistakes: &mut Mistakes) -> Option<At<Scalar>> {
    match &value.content {
        Content::Scalar(scalar) => Some(At { value: scalar.clone(), spot: mistakes.spot(value.spot) }),
        _ => {
            mistakes.error(value.spot, format!("`fps`: expected one value, found {}", value.kind()));
            None
        }
    }
}

fn get<'a>(keys: &Entries<'a>, name: &str) -> Option<&'a Node> {
    keys.iter().find(|(key, _)| key.value == name).map(|(_, value)| *value)
}

fn check_keys(keys: &Entries<'_>, known: &[&str], what: &str, mistakes: &mut Mistakes) {
    for (key, _) in keys.iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
        mistakes.error(key.spot, format!("unknown {what} `{}`", key.value)).hint =
            Some(suggest::hint(&key.value, known.iter().copied(), ""));
    }
}

fn check_version(root: &Node, keys: &Entries<'_>, mistakes: &mut Mistakes) -> Option<()> {
    let hint = Some(format!("this program reads `talkgraph: {VERSION}`"));
    let Some(version) = get(keys, "talkgraph") else {
        mistakes.error(root.spot, "the graph does not say its format version").hint = hint;
        return Some(());
    };
    if matches!(version.content, Content::Scalar(Scalar::Int(VERSION))) {
        return Some(());
    }
    mistakes.error(version.spot, format!("unsupported graph format version {}", version.kind())).hint = hint;
    None
}

/// A name that references can spell: letters, digits, `_` and `-`.
fn named(name: At<String>, mistakes: &mut Mistakes) -> At<String> {
    if !is_name(&name.value) {
        mistakes.error(name.spot, format!("bad name `{}`", name.value)).hint =
            Some("names are letters, digits, `_` and `-`".into());
    }
    name
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn read_input((name, value): (At<String>, &Node), mistakes: &mut Mistakes) -> Option<InputSpec> {
    let name = named(name, mistakes);
    if !matches!(value.content, Content::Map(_)) {
        let ty = value.text("an artifact type, or `{ type: … }`", mistakes)?;
        let (ty, sequence) = of_sequence(ty);
        let cache = CacheMode::Auto;
        return Some(InputSpec { name, ty, sequence, optional: false, params: vec![], cache });
    }
    let keys = value.entries("an input", mistakes);
    check_keys(&keys, INPUT_KEYS, "key of an input", mistakes);
    let owner = format!("input `{}`", name.value);
    let params = read_params(&keys, &owner, mistakes);
    let cache = read_cache(&keys, &owner, mistakes);
    let optional = read_optional(&keys, &owner, mistakes);
    let (ty, sequence) = of_sequence(read_type(value, &keys, &owner, mistakes)?);
    Some(InputSpec { name, ty, sequence, optional, params, cache })
}

/// The type of an input, and whether it is a sequence of that.
fn of_sequence(ty: At<String>) -> (At<String>, bool) {
    match ty.value.strip_prefix(SEQUENCE) {
        Some(of) => (At { value: of.trim().to_owned(), spot: ty.spot }, true),
        None => (ty, false),
    }
}

fn read_optional(keys: &Entries<'_>, owner: &str, mistakes: &mut Mistakes) -> bool {
    let Some(value) = get(keys, "optional") else { return false };
    if let Content::Scalar(Scalar::Bool(optional)) = value.content {
        return optional;
    }
    let message = format!("{owner}: `optional`: expected true or false, found {}", value.kind());
    mistakes.error(value.spot, message);
    false
}

fn read_alias((name, value): (At<String>, &Node), mistakes: &mut Mistakes) -> AliasSpec {
    let name = named(name, mistakes);
    let values = match &value.content {
        Content::List(items) => items.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let targets = values.iter().filter_map(|value| {
        let target = value.text("a parameter of a node, `node.param`, or a list of such", mistakes)?;
        if target.value.contains('.') {
            return Some(target);
        }
        let message = format!("parameter `{}`: bad target `{}`", name.value, target.value);
        mistakes.error(target.spot, message).hint = Some("write `node.param`".into());
        None
    });
    AliasSpec { targets: targets.collect(), name }
}

fn read_node((id, value): (At<String>, &Node), mistakes: &mut Mistakes) -> Option<Entry> {
    let id = named(id, mistakes);
    let owner = format!("node `{}`", id.value);
    let keys = value.entries("a node, `{ type: …, in: …, params: … }`", mistakes);
    if !matches!(value.content, Content::Map(_) | Content::Scalar(Scalar::Null)) {
        return None;
    }
    check_keys(&keys, NODE_KEYS, "key of a node", mistakes);
    let ports = get(&keys, "in").map(|ports| ports.entries("a mapping from ports to references", mistakes));
    let inputs = ports.unwrap_or_default().into_iter();
    let inputs = inputs.map(|(port, from)| {
        let owner = format!("{owner}: input `{}`", port.value);
        (port, read_reference(from, &owner, mistakes))
    });
    let inputs = inputs.collect();
    let params = read_params(&keys, &owner, mistakes);
    let cache = read_cache(&keys, &owner, mistakes);
    let kind = read_kind(value, &keys, &owner, mistakes)?;
    Some(Entry { id, kind, inputs, params, cache })
}

fn read_kind(value: &Node, keys: &Entries<'_>, owner: &str, mistakes: &mut Mistakes) -> Option<Kind> {
    let Some(graph) = get(keys, "graph") else {
        return read_type(value, keys, owner, mistakes).map(Kind::Type);
    };
    if let Some(ty) = get(keys, "type") {
        let message = format!("{owner} has both a `type` and a `graph`");
        mistakes.error(ty.spot, message).hint = Some("a node is of a type, or a graph file as a part".into());
    }
    graph.text("a graph file's path, relative to this file", mistakes).map(Kind::Part)
}

fn read_type(value: &Node, keys: &Entries<'_>, owner: &str, mistakes: &mut Mistakes) -> Option<At<String>> {
    let Some(ty) = get(keys, "type") else {
        mistakes.error(value.spot, format!("{owner} has no `type`"));
        return None;
    };
    ty.text("a type's name", mistakes)
}

fn read_params(keys: &Entries<'_>, owner: &str, mistakes: &mut Mistakes) -> Vec<ParamSpec> {
    let Some(params) = get(keys, "params") else { return vec![] };
    let mut read = vec![];
    for (name, value) in params.entries("a mapping from parameters to values", mistakes) {
        match &value.content {
            Content::Scalar(scalar) => {
                let value = At { value: scalar.clone(), spot: mistakes.spot(value.spot) };
                read.push(ParamSpec { name, value });
            }
            _ => {
                let message = format!(
                    "{owner}: parameter `{}`: expected one value, found {}",
                    name.value,
                    value.kind()
                );
                mistakes.error(value.spot, message);
            }
        }
    }
    read
}

fn read_cache(keys: &Entries<'_>, owner: &str, mistakes: &mut Mistakes) -> CacheMode {
    let names = || CACHE_MODES.iter().map(|(name, _)| *name);
    let Some(value) = get(keys, "cache") else { return CacheMode::Auto };
    let Some(word) = value.text(&names().collect::<Vec<_>>().join(", "), mistakes) else {
        return CacheMode::Auto;
    };
    let mode = CACHE_MODES.iter().find(|(name, _)| *name == word.value);
    mode.map(|(_, mode)| *mode).unwrap_or_else(|| {
        mistakes.error(word.spot, format!("{owner}: unknown cache mode `{}`", word.value)).hint =
            Some(suggest::hint(&word.value, names(), ""));
        CacheMode::Auto
    })
}

fn read_reference(value: &Node, owner: &str, mistakes: &mut Mistakes) -> Option<At<Reference>> {
    let text = value.text("a reference, `node.port` or a graph input", mistakes)?;
    let mut parts = text.value.split('.');
    let reference = match (parts.next(), parts.next(), parts.next()) {
        (Some(node), None, None) if is_name(node) => Reference { node: node.into(), port: None },
        (Some(node), Some(port), None) if is_name(node) && is_name(port) => {
            Reference { node: node.into(), port: Some(port.into()) }
        }
        _ => {
            mistakes.error(text.spot, format!("{owner}: bad reference `{}`", text.value)).hint =
                Some("write `node.port`, or the name of a graph input".into());
            return None;
        }
    };
    Some(At { value: reference, spot: text.spot })
}
