//! The graph as JSON, for programs that draw it themselves.

use serde_json::{Value, json};

use super::Picture;

/// `{ name, parts: [{ id, in? }], nodes: [{ id, type, input, in?, mark? }], edges: [{ from, to, type, sequence }], outputs: [{ name, from }] }`;
/// ends of edges are written as in graph files, `node.port`, and `in` is the part that something is in.
pub fn json(picture: &Picture<'_>) -> Value {
    let part = |group: Option<usize>| group.map(|group| picture.groups[group].id);
    let id = |number: usize| picture.nodes[number].id;
    let nodes = picture.nodes.iter().map(|node| {
        let mut entry = json!({ "id": node.id, "type": node.ty, "input": node.is_input });
        if let Some(part) = part(node.group) {
            entry["in"] = part.into();
        }
        if let Some(mark) = node.mark {
            entry["mark"] = mark.name().into();
        }
        entry
    });
    let parts = picture.groups.iter().map(|group| {
        let mut entry = json!({ "id": group.id });
        if let Some(part) = part(group.parent) {
            entry["in"] = part.into();
        }
        entry
    });
    let edges = picture.arrows.iter().map(|arrow| {
        json!({
            "from": format!("{}.{}", id(arrow.from), arrow.output),
            "to": format!("{}.{}", id(arrow.to), arrow.input),
            "type": arrow.ty,
            "sequence": arrow.sequence,
        })
    });
    let outputs = picture.outputs.iter();
    let outputs =
        outputs.map(|(name, node, port)| json!({ "name": name, "from": format!("{}.{port}", id(*node)) }));
    json!({
        "name": picture.name,
        "parts": parts.collect::<Vec<_>>(),
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
    })
}
