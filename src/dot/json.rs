//! The graph as JSON, for programs that draw it themselves.

use serde_json::{Value, json};

use super::{Marks, Picture};
use crate::graph::Graph;

/// `{ name, nodes: [{ id, type, input, mark? }], edges: [{ from, to, type, sequence }], outputs: [{ name, from }] }`;
/// ends of edges are written as in graph files, `node.port`.
pub fn json(graph: &Graph, marks: &Marks) -> Value {
    let picture = Picture::new(graph, marks);
    let id = |number: usize| picture.nodes[number].id;
    let nodes = picture.nodes.iter().map(|node| {
        let mut entry = json!({ "id": node.id, "type": node.ty, "input": node.is_input });
        if let Some(mark) = node.mark {
            entry["mark"] = mark.name().into();
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
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
    })
}
