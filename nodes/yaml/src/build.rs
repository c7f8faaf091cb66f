//! From text to a [`Node`]: events of the parser, counted before anything is made of them.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::{Content, Fault, MOST_BYTES, MOST_DEEP, MOST_VALUES, Node, Scalar, Spot, scalar::scalar};

/// A list or mapping that has not ended.
struct Open {
    spot: Spot,
    anchor: usize,
    children: Vec<Node>,
    /// What the children weigh, and how many lists and mappings are inside one another below.
    weight: usize,
    height: usize,
    is_map: bool,
}

/// A value that an alias may stand for.
struct Anchored {
    node: Node,
    weight: usize,
    height: usize,
}

/// The characters of a text that count as one value more where it is repeated.
const LONG: usize = 64;

/// What the parser says of brackets that it refuses itself.
const PARSER_TOO_DEEP: &str = "recursion limit exceeded";

/// Reads one YAML document; an empty text is nothing.
///
/// # Errors
/// What cannot be read, goes beyond the limits of this crate, or has a tag.
pub fn parse(text: &str) -> Result<Node, Fault> {
    if text.len() as u64 > MOST_BYTES {
        let message = format!("expected at most {} MiB, found {} bytes", MOST_BYTES >> 20, text.len());
        return Err(Fault { spot: None, message, hint: None });
    }
    let mut open: Vec<Open> = vec![];
    let mut anchors: HashMap<usize, Anchored> = HashMap::new();
    let mut root: Option<Node> = None;
    let mut values = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| match error.info() {
            PARSER_TOO_DEEP => too_deep(spot(error.marker())),
            info => Fault::at(spot(error.marker()), info),
        })?;
        let here = spot(&span.start);
        let (node, anchor, weight, height) = match event {
            Event::DocumentStart(_) if root.is_some() => {
                return Err(
                    Fault::at(here, "a second document starts here").hint("a file holds one: remove `---`")
                );
            }
            Event::Scalar(text, style, anchor, tag) => {
                let weight = 1 + text.len() / LONG;
                values += weight;
                if values > MOST_VALUES {
                    return Err(too_many(here));
                }
                let value = value(&text, style == ScalarStyle::Plain, tag.as_deref(), here)?;
                (Node { spot: here, content: Content::Scalar(value) }, anchor, weight, 0)
            }
            Event::Alias(anchor) => {
                let Some(known) = anchors.get(&anchor) else {
                    return Err(Fault::at(here, "an alias inside what it stands for"));
                };
                if open.len() + known.height > MOST_DEEP {
                    return Err(too_deep(here));
                }
                values += known.weight;
                if values > MOST_VALUES {
                    return Err(too_many(here));
                }
                (Node { spot: here, content: known.node.content.clone() }, 0, known.weight, known.height)
            }
            Event::SequenceStart(anchor, ref tag) | Event::MappingStart(anchor, ref tag) => {
                if tag.as_ref().is_some_and(|tag| !tag.is_yaml_core_schema()) {
                    return Err(tagged(here));
                }
                if open.len() == MOST_DEEP {
                    return Err(too_deep(here));
                }
                let is_map = matches!(event, Event::MappingStart(..));
                open.push(Open { spot: here, anchor, children: vec![], weight: 1, height: 0, is_map });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(done) = open.pop() else { continue };
                let content = if done.is_map {
                    Content::Map(pairs(done.children))
                } else {
                    Content::List(done.children)
                };
                (Node { spot: done.spot, content }, done.anchor, done.weight, done.height + 1)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => continue,
        };
        if anchor > 0 {
            anchors.insert(anchor, Anchored { node: node.clone(), weight, height });
        }
        match open.last_mut() {
            Some(parent) => {
                parent.weight += weight;
                parent.height = parent.height.max(height);
                parent.children.push(node);
            }
            None => root = Some(node),
        }
    }
    Ok(root.unwrap_or(Node { spot: Spot { line: 1, column: 1 }, content: Content::Scalar(Scalar::Null) }))
}

/// A plain value, by its tag where it has one.
fn value(text: &str, plain: bool, tag: Option<&Tag>, spot: Spot) -> Result<Scalar, Fault> {
    let Some(tag) = tag else {
        return Ok(if plain { scalar(text) } else { Scalar::Text(text.to_owned()) });
    };
    if !tag.is_yaml_core_schema() {
        return Err(tagged(spot));
    }
    let found = scalar(text);
    let (what, fits) = match tag.suffix.as_str() {
        "null" => ("nothing", found == Scalar::Null),
        "bool" => ("true or false", matches!(found, Scalar::Bool(_))),
        "int" => ("a whole number", matches!(found, Scalar::Int(_))),
        "float" => ("a number", matches!(found, Scalar::Int(_) | Scalar::Float(_))),
        _ => return Ok(Scalar::Text(text.to_owned())),
    };
    match found {
        Scalar::Int(whole) if tag.suffix == "float" => Ok(Scalar::Float(whole as f64)),
        found if fits => Ok(found),
        _ => Err(Fault::at(spot, format!("expected {what}, found `{text}`"))),
    }
}

/// Keys and values in turn as pairs; the parser gives every key a value.
fn pairs(children: Vec<Node>) -> Vec<(Node, Node)> {
    let mut pairs = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn tagged(spot: Spot) -> Fault {
    Fault::at(spot, "tags (`!name`) have no meaning here")
}

fn too_deep(spot: Spot) -> Fault {
    let message = format!("more than {MOST_DEEP} lists and mappings inside one another");
    Fault::at(spot, message).hint("close some of them before this place")
}

fn too_many(spot: Spot) -> Fault {
    let message = format!("more than {MOST_VALUES} values, those that aliases stand for included");
    Fault::at(spot, message).hint("write less, or repeat less")
}

fn spot(marker: &Marker) -> Spot {
    Spot { line: marker.line(), column: marker.col() + 1 }
}
