//! `talkgraph new NAME`

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use talkgraph_nodes::{layout::Layout, registry::Registry};

use super::{Outcome, find, print};
use crate::{
    check::{self, Settings},
    error::{Diagnostic, Failure},
    graph::{Graph, Node},
};

/// How the line begins that tells editors of the schema.
const SCHEMA: &str = "# yaml-language-server: $schema=";

/// How a part is named.
const PART: &str = "graph: ";

/// Flags of `new`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the graph, or where it goes; `.yaml` is added
    #[arg(value_name = "NAME")]
    name: PathBuf,
    /// Graph to start from, by name or path
    #[arg(long, value_name = "GRAPH", default_value = "from_image")]
    from: PathBuf,
}

/// Writes a graph to start from. Nothing is ever written over.
pub fn run(args: &Args) -> Outcome {
    let source = find::graph(&args.from)?;
    let (registry, settings) = (Registry::builtin(), Settings::default());
    let graph = check::load(&source, &registry, &settings).map_err(Failure::usage)?;
    let bytes = fs::read(&source).map_err(|error| cannot(&source, "cannot be read", &error))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage(Diagnostic::error(format!("{}: expected text in UTF-8", source.display())))
    })?;
    let path = match args.name.extension().and_then(|ending| ending.to_str()) {
        Some("yaml" | "yml") => args.name.clone(),
        _ => PathBuf::from(format!("{}.yaml", args.name.display())),
    };
    let text = written(&path, &source, &text, &graph, &registry);
    // Files that the graph names relative to itself are not there from elsewhere.
    check::check(&path, &text, &registry, &settings).map_err(Failure::usage)?;
    let mut file = File::create_new(&path).map_err(|error| cannot(&path, "cannot be made", &error))?;
    file.write_all(text.as_bytes()).map_err(|error| cannot(&path, "cannot be written", &error))?;
    print(format!("{}\n", path.display()))
}

fn cannot(path: &Path, what: &str, error: &std::io::Error) -> Failure {
    Failure::store(Diagnostic::error(format!("{}: {what}", path.display())).caused_by(error))
}

/// The text of the new graph: that of the source with a head of its own, parts seen from where it goes, and above every node what its
/// type does.
fn written(path: &Path, from: &Path, source: &str, graph: &Graph, registry: &Registry) -> String {
    let schema = Layout::find().schema();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let flags = |letter: &str, names: Vec<&str>| {
        names.iter().map(|name| format!(" -{letter} {name}=…")).collect::<String>()
    };
    let inputs = flags("i", graph.inputs.iter().map(|input| input.name.as_str()).collect());
    let outputs = flags("o", graph.outputs.iter().map(|output| output.name.as_str()).collect());
    let mut text = schema.map(|schema| format!("{SCHEMA}{}\n", schema.display())).unwrap_or_default();
    let file = path.display();
    text += &format!("# {name}, started from {}.\n#\n", graph.name);
    text += &format!("#   talkgraph check {file}\n#   talkgraph run {file}{inputs}{outputs}\n#\n");
    for (number, line) in source.lines().enumerate().filter(|(_, line)| !line.starts_with(SCHEMA)) {
        let here = |node: &&Node| !node.is_input && node.place.file == from && node.place.line == number + 1;
        let node = graph.dag.node_weights().find(here);
        let contract =
            node.and_then(|node| registry.get(node.contract.name.as_ref())).map(|ty| ty.contract());
        // A node that begins further to the right shares its line with others.
        if let Some(contract) =
            contract.filter(|_| line.starts_with(' ') && !line.trim_start().starts_with('{'))
        {
            let indent = &line[..line.len() - line.trim_start().len()];
            text += &format!("{indent}# `{}` {}\n", contract.name, contract.summary);
        }
        text += &match line.strip_prefix("name:") {
            Some(_) => format!("name: {name}\n{}", rate(source, graph)),
            None => format!("{}\n", moved(line, from, path)),
        };
    }
    text
}

/// The line with the part that it names, relative to the file `from`, as it is called from `to`.
fn moved(line: &str, from: &Path, to: &Path) -> String {
    let Some((before, rest)) = line.split_once(PART) else { return line.to_owned() };
    let end = rest.find([',', ' ', '}']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let folder =
        |file: &Path| std::path::absolute(file).ok().and_then(|file| Some(file.parent()?.to_owned()));
    let Some((old, new)) = folder(from).zip(folder(to)) else { return line.to_owned() };
    let Ok(part) = old.join(name).canonicalize() else { return line.to_owned() };
    let new = new.canonicalize().unwrap_or(new);
    // Of what lies in the same tree only the way there: the tree may be moved.
    let part = match part.strip_prefix(&new) {
        Ok(inside) => inside.to_owned(),
        Err(_) => part,
    };
    // A path in quotes means the same in YAML, whatever is in it.
    let shown = part.display().to_string();
    let plain = shown.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    let shown = if plain { shown } else { serde_json::Value::from(shown).to_string() };
    format!("{before}{PART}{shown}{after}")
}

/// A comment that offers the rate of the whole graph, where it could have one and has none.
fn rate(source: &str, graph: &Graph) -> String {
    let mut rates = graph.dag.node_weights().filter_map(|node| node.params.rate("fps").ok());
    match rates.next() {
        Some(rate) if !source.lines().any(|line| line.starts_with("fps:")) => {
            format!(
                "# fps: {rate}    # frames a second of the whole graph; 29.97 and 30000/1001 are right, too\n"
            )
        }
        _ => String::new(),
    }
}
