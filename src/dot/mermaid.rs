//! Mermaid flowcharts, which GitHub and many editors draw.

use std::fmt::Write as _;

use super::{ENDS, Mark, Picture};

/// The graph as a Mermaid flowchart. Thick edges are sequences.
pub fn mermaid(picture: &Picture<'_>) -> String {
    let mut text = String::from("flowchart LR\n");
    inside(&mut text, picture, None, "  ");
    for (number, (name, ..)) in picture.outputs.iter().enumerate() {
        _ = writeln!(text, "  o{number}([\"{}\"]):::ends", escaped(name));
    }
    for arrow in &picture.arrows {
        let line = if arrow.sequence { "==>" } else { "-->" };
        let label = escaped(&arrow.label());
        _ = writeln!(text, "  n{} {line}|\"{label}\"| n{}", arrow.from, arrow.to);
    }
    for (number, (_, node, port)) in picture.outputs.iter().enumerate() {
        _ = writeln!(text, "  n{node} -->|\"{}\"| o{number}", escaped(port));
    }
    _ = writeln!(text, "  classDef ends fill:{ENDS},color:#222");
    for mark in Mark::ALL.into_iter().filter(|mark| picture.nodes.iter().any(|node| node.mark == Some(*mark)))
    {
        _ = writeln!(text, "  classDef {} fill:{},color:#222", mark.name(), mark.fill());
    }
    text
}

fn inside(text: &mut String, picture: &Picture<'_>, group: Option<usize>, indent: &str) {
    let (nodes, groups) = picture.inside(group);
    for number in nodes {
        let node = &picture.nodes[number];
        let label = format!("{}<br/><small>{}</small>", escaped(node.name), escaped(&node.ty));
        let (open, close) = match (node.is_input, node.is_part) {
            (true, _) => ("([", "])"),
            (_, true) => ("[[", "]]"),
            _ => ("[", "]"),
        };
        let class = match (node.mark, node.is_input) {
            (Some(mark), _) => format!(":::{}", mark.name()),
            (None, true) => ":::ends".into(),
            (None, false) => String::new(),
        };
        _ = writeln!(text, "{indent}n{number}{open}\"{label}\"{close}{class}");
    }
    for number in groups {
        _ = writeln!(text, "{indent}subgraph p{number}[\"{}\"]", escaped(picture.groups[number].name));
        inside(text, picture, Some(number), &format!("{indent}  "));
        _ = writeln!(text, "{indent}end");
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
