//! Mermaid flowcharts, which GitHub and many editors draw.

use std::fmt::Write as _;

use super::{ENDS, Mark, Marks, Picture};
use crate::graph::Graph;

/// The graph as a Mermaid flowchart. Thick edges are sequences.
pub fn mermaid(graph: &Graph, marks: &Marks) -> String {
    let picture = Picture::new(graph, marks);
    let mut text = String::from("flowchart LR\n");
    for (number, node) in picture.nodes.iter().enumerate() {
        let label = format!("{}<br/><small>{}</small>", escaped(node.id), escaped(node.ty));
        let (open, close) = if node.is_input { ("([", "])") } else { ("[", "]") };
        let class = match (node.mark, node.is_input) {
            (Some(mark), _) => format!(":::{}", mark.name()),
            (None, true) => ":::ends".into(),
            (None, false) => String::new(),
        };
        _ = writeln!(text, "  n{number}{open}\"{label}\"{close}{class}");
    }
    for (number, (name, ..)) in picture.outputs.iter().enumerate() {
        _ = writeln!(text, "  o{number}([\"{}\"]):::ends", escaped(name));
    }
    for arrow in &picture.arrows {
        let line = if arrow.sequence { "==>" } else { "-->" };
        let label = match arrow.output == arrow.input {
            true => escaped(arrow.input),
            false => format!("{} → {}", escaped(arrow.output), escaped(arrow.input)),
        };
        _ = writeln!(text, "  n{} {line}|\"{label}\"| n{}", arrow.from, arrow.to);
    }
    for (number, (_, node, port)) in picture.outputs.iter().enumerate() {
        _ = writeln!(text, "  n{node} -->|\"{}\"| o{number}", escaped(port));
    }
    _ = writeln!(text, "  classDef ends fill:{ENDS},color:#222");
    for mark in Mark::ALL.into_iter().filter(|mark| marks.values().any(|used| used == mark)) {
        _ = writeln!(text, "  classDef {} fill:{},color:#222", mark.name(), mark.fill());
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
