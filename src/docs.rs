//! The node reference, from the contracts: for a terminal and as Markdown (`docs/nodes.md`).

use std::fmt::Write as _;

use talkgraph_nodes::{
    artifact::ArtifactType,
    contract::{Arity, Contract, Input, Output, Param, ParamValue, Pool, SequenceRate, Time},
    registry::Registry,
};

use crate::check::params::takes;

/// One line a type: name and summary.
pub fn list(registry: &Registry) -> String {
    let contracts = || registry.iter().map(|ty| ty.contract());
    let width = contracts().map(|contract| contract.name.len()).max().unwrap_or(0);
    contracts().fold(String::new(), |mut text, contract| {
        _ = writeln!(text, "{:width$}  {}", contract.name, contract.summary);
        text
    })
}

/// Everything about one type, for a terminal.
pub fn describe(contract: &Contract) -> String {
    let mut text = format!("{} (version {}): {}\n", contract.name, contract.version, contract.summary);
    _ = writeln!(text, "time: {}; pool: {}", time(contract.time), pool(contract.pool));
    if let Some(ty) = contract.decodes {
        _ = writeln!(text, "reads graph inputs of type `{ty}`");
    }
    if !contract.doc.is_empty() {
        _ = writeln!(text, "\n{}", contract.doc.trim());
    }
    let mut table = |title: &str, rows: Vec<(String, String)>| {
        if rows.is_empty() {
            return;
        }
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        _ = writeln!(text, "\n{title}");
        for (name, doc) in rows {
            _ = writeln!(text, "  {name:width$}  {doc}");
        }
    };
    let inputs = contract
        .inputs
        .iter()
        .map(|input| (format!("{}: {}", input.name, takes_input(input)), input.doc.to_string()));
    table("inputs", inputs.collect());
    let outputs = contract.outputs.iter();
    let outputs =
        outputs.map(|output| (format!("{}: {}", output.name, gives(output)), output.doc.to_string()));
    table("outputs", outputs.collect());
    let params = contract.params.iter();
    let params = params.map(|param| {
        (format!("{} = {}", param.name, default(param)), format!("{}; {}", param.doc, takes(&param.kind)))
    });
    table("parameters", params.collect());
    text
}

/// The whole reference as Markdown.
pub fn markdown(registry: &Registry) -> String {
    let mut text = String::from(
        "# Node types\n\n<!-- Made by `make docs` from the contracts in nodes/src/types. Do not edit. -->\n\n\
         A node type says what it takes (inputs and parameters), what it gives (outputs) and how it treats time: \
         `value` needs whole inputs; `map` makes each chunk of its outputs from the same chunk of its inputs, in any order; \
         `scan` goes through the chunks in order with a state; `reduce` eats a sequence and gives a value. A sequence is a \
         list of chunks of about one second.\n\n| type | what it does |\n|---|---|\n",
    );
    for contract in registry.iter().map(|ty| ty.contract()) {
        _ = writeln!(text, "| [`{0}`](#{0}) | {1} |", contract.name, cell(&contract.summary));
    }
    text += "\n## Artifact types\n\n| type | what it is |\n|---|---|\n";
    for ty in ArtifactType::ALL {
        _ = writeln!(text, "| `{ty}` | {} |", cell(ty.doc()));
    }
    for contract in registry.iter().map(|ty| ty.contract()) {
        section(&mut text, contract);
    }
    text
}

/// Everything about one type, as Markdown.
pub fn page(contract: &Contract) -> String {
    let mut text = String::new();
    section(&mut text, contract);
    text.trim_start().to_owned()
}

fn section(text: &mut String, contract: &Contract) {
    _ = writeln!(text, "\n## {}\n\n{}.", contract.name, sentence(&contract.summary));
    if !contract.doc.is_empty() {
        _ = writeln!(text, "\n{}", contract.doc.trim());
    }
    let decodes =
        contract.decodes.map(|ty| format!(" Reads graph inputs of type `{ty}`.")).unwrap_or_default();
    _ = writeln!(
        text,
        "\nTime: {}. Pool: {}. Version {}.{decodes}",
        time(contract.time),
        pool(contract.pool),
        contract.version
    );
    if contract.inputs.is_empty() && contract.outputs.is_empty() {
        *text += "\nInputs and outputs depend on the parameters.\n";
    }
    let mut table = |head: &str, rows: Vec<[String; 3]>| {
        if rows.is_empty() {
            return;
        }
        _ = writeln!(text, "\n{head}");
        for [name, what, doc] in rows {
            _ = writeln!(text, "| `{name}` | {} | {} |", cell(&what), cell(&doc));
        }
    };
    let inputs = contract.inputs.iter();
    let inputs = inputs.map(|input| [input.name.to_string(), takes_input(input), input.doc.to_string()]);
    table("| input | takes | |\n|---|---|---|", inputs.collect());
    let outputs = contract.outputs.iter();
    let outputs = outputs.map(|output| [output.name.to_string(), gives(output), output.doc.to_string()]);
    table("| output | gives | |\n|---|---|---|", outputs.collect());
    let params = contract.params.iter();
    let params = params.map(|param| {
        let doc = format!("{}; {}", param.doc, takes(&param.kind));
        [param.name.to_string(), default(param), doc]
    });
    table("| parameter | default | |\n|---|---|---|", params.collect());
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// With a capital, and without the full stop that some summaries end with.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn time(time: Time) -> &'static str {
    match time {
        Time::Value => "value",
        Time::Map => "map",
        Time::Scan => "scan",
        Time::Reduce => "reduce",
    }
}

fn pool(pool: Pool) -> &'static str {
    match pool {
        Pool::Cpu => "cpu",
        Pool::Model => "models",
        Pool::Io => "io",
    }
}

pub(crate) fn takes_input(input: &Input) -> String {
    let arity = match input.arity {
        Arity::Value => "",
        Arity::Chunk => " sequence, by chunks",
        Arity::Sequence => " sequence, whole",
    };
    let optional = if input.required { "" } else { ", optional" };
    format!("{}{arity}{optional}", input.ty)
}

pub(crate) fn gives(output: &Output) -> String {
    let sequence = match output.sequence {
        None => String::new(),
        Some(SequenceRate::Inherited) => " sequence".into(),
        Some(SequenceRate::Fixed(rate)) => format!(" sequence, {rate} frames a second"),
    };
    let stored = if output.stored { "" } else { ", not stored" };
    let named = output.named.as_ref().map(|named| {
        let endings: Vec<_> = output.endings().iter().map(|ending| format!(".{ending}")).collect();
        format!("; the file's name says `{}`: {}", named.param, endings.join(" "))
    });
    format!("{}{sequence}{stored}{}", output.ty, named.unwrap_or_default())
}

pub(crate) fn default(param: &Param) -> String {
    match &param.default {
        None => "required".into(),
        Some(ParamValue::Bool(value)) => value.to_string(),
        Some(ParamValue::Int(value)) => value.to_string(),
        Some(ParamValue::Float(value)) => value.to_string(),
        Some(ParamValue::Text(value)) if value.is_empty() => "empty".into(),
        Some(ParamValue::Text(value)) => value.clone(),
    }
}
