//! Graphviz DOT.

use std::fmt::Write as _;

use super::{ENDS, PART, Picture};

/// The graph in the DOT language. Thick edges are sequences.
pub fn dot(picture: &Picture<'_>) -> String {
    let mut text = format!("digraph {} {{\n", quoted(picture.name));
    text += "  rankdir=LR\n";
    text += "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11]\n";
    text += "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\"]\n";
    inside(&mut text, picture, None, "  ");
    for (number, (name, ..)) in picture.outputs.iter().enumerate() {
        let label = quoted(name);
        _ = writeln!(text, "  o{number} [label={label}, fillcolor=\"{ENDS}\", shape=ellipse]");
    }
    for arrow in &picture.arrows {
        let style = if arrow.sequence { ", penwidth=2" } else { "" };
        _ = writeln!(text, "  n{} -> n{} [label={}{style}]", arrow.from, arrow.to, quoted(&arrow.label()));
    }
    for (number, (_, node, port)) in picture.outputs.iter().enumerate() {
        _ = writeln!(text, "  n{node} -> o{number} [label={}]", quoted(port));
    }
    text + "}\n"
}

fn inside(text: &mut String, picture: &Picture<'_>, group: Option<usize>, indent: &str) {
    let (nodes, groups) = picture.inside(group);
    for number in nodes {
        let node = &picture.nodes[number];
        let label = quoted(&format!("{}\n{}", node.name, node.ty));
        let shape = match (node.is_input, node.is_part) {
            (true, _) => ", shape=ellipse",
            (_, true) => ", shape=box3d",
            _ => "",
        };
        _ = writeln!(text, "{indent}n{number} [label={label}, fillcolor=\"{}\"{shape}]", node.fill());
    }
    for number in groups {
        let label = quoted(picture.groups[number].name);
        _ = writeln!(text, "{indent}subgraph cluster_{number} {{");
        _ = writeln!(
            text,
            "{indent}  label={label}; style=\"rounded,filled\"; color=\"#999999\"; fillcolor=\"{PART}\"; fontname=\"Helvetica\"; fontsize=11"
        );
        inside(text, picture, Some(number), &format!("{indent}  "));
        _ = writeln!(text, "{indent}}}");
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
