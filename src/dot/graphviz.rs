//! Graphviz DOT, and SVG drawn by Graphviz.

use std::{
    fmt::Write as _,
    io::{ErrorKind, Write as _},
    process::{Command, Stdio},
};

use super::{ENDS, Marks, Picture};
use crate::{error::Diagnostic, graph::Graph};

/// The graph in the DOT language. Thick edges are sequences.
pub fn dot(graph: &Graph, marks: &Marks) -> String {
    let picture = Picture::new(graph, marks);
    let mut text = format!("digraph {} {{\n", quoted(picture.name));
    text += "  rankdir=LR\n";
    text += "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11]\n";
    text += "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\"]\n";
    for (number, node) in picture.nodes.iter().enumerate() {
        let label = quoted(&format!("{}\n{}", node.id, node.ty));
        let shape = if node.is_input { ", shape=ellipse" } else { "" };
        _ = writeln!(text, "  n{number} [label={label}, fillcolor=\"{}\"{shape}]", node.fill());
    }
    for (number, (name, ..)) in picture.outputs.iter().enumerate() {
        let label = quoted(name);
        _ = writeln!(text, "  o{number} [label={label}, fillcolor=\"{ENDS}\", shape=ellipse]");
    }
    for arrow in &picture.arrows {
        let label = match arrow.output == arrow.input {
            true => arrow.input.to_owned(),
            false => format!("{} → {}", arrow.output, arrow.input),
        };
        let style = if arrow.sequence { ", penwidth=2" } else { "" };
        _ = writeln!(text, "  n{} -> n{} [label={}{style}]", arrow.from, arrow.to, quoted(&label));
    }
    for (number, (_, node, port)) in picture.outputs.iter().enumerate() {
        _ = writeln!(text, "  n{node} -> o{number} [label={}]", quoted(port));
    }
    text + "}\n"
}

/// The graph as SVG, drawn by the `dot` program.
///
/// # Errors
/// When Graphviz is not installed, or fails.
pub fn svg(graph: &Graph, marks: &Marks) -> Result<Vec<u8>, Diagnostic> {
    let failed = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => Diagnostic::error("Graphviz is not installed: no program `dot` on the PATH")
            .hint("install it (`apt-get install graphviz`), or take `--format dot` or `--format mermaid`"),
        _ => Diagnostic::error("Graphviz: cannot run `dot`").caused_by(error),
    };
    let mut child = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    let text = dot(graph, marks);
    let stdin = child.stdin.take();
    // Graphviz reads all of its input before it writes, so one thread is enough.
    let fed = stdin.map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|error| failed(&error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Diagnostic::error(format!("Graphviz: `dot` failed: {}", said.trim())));
    }
    fed.map_err(|error| failed(&error))?;
    Ok(output.stdout)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
