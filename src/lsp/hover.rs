//! What something is: a node type, a node, a part, a port, a parameter, a reference.

use std::fmt::Write as _;

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind};
use talkgraph_nodes::{
    artifact::ArtifactType,
    contract::{Contract, Output, Param},
};

use super::{
    Look,
    complete::output_of,
    context::{self, Spot},
    document::{Document, range},
};
use crate::{
    check::{Survey, params::takes},
    docs,
    spec::{GraphSpec, Names, PartSpec, Reference},
};

/// What is at byte `at`.
pub fn hover(look: &Look<'_>, document: &Document, at: usize) -> Option<Hover> {
    let spot = context::at(&document.text, at)?;
    let survey = look.survey(document, &document.text);
    let spec = survey.spec.as_ref()?;
    let text = said(look, &survey, spec, &spot, &document.text[spot.bytes.clone()])?;
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text }),
        range: Some(range(&document.text, spot.bytes, look.encoding)),
    })
}

/// The output that a reference written in `scope` leads to.
pub fn output<'s>(
    survey: &'s Survey,
    spec: &'s GraphSpec,
    names: &Names<'_>,
    scope: &str,
    reference: &Reference,
) -> Option<&'s Output> {
    output_of(survey, spec, &names.follow(scope, reference))
}

/// A reference as it is written.
pub fn written(reference: &Reference) -> String {
    match &reference.port {
        Some(port) => format!("{}.{port}", reference.node),
        None => reference.node.clone(),
    }
}

/// The reference that a word is.
pub fn reference(word: &str) -> Option<Reference> {
    let word = word.trim_matches(['"', '\'']);
    let (node, port) = match word.split_once('.') {
        Some((node, port)) => (node, Some(port.to_owned())),
        None => (word, None),
    };
    (!node.is_empty()).then(|| Reference { node: node.to_owned(), port })
}

fn said(look: &Look<'_>, survey: &Survey, spec: &GraphSpec, spot: &Spot, word: &str) -> Option<String> {
    let part = |node: &str| spec.parts.iter().find(|part| part.id.value == node);
    let contract = |node: &str| survey.contracts.get(node);
    let word = word.trim_matches(['"', '\'']);
    match (spot.keys().as_slice(), spot.is_key) {
        (["inputs", input], true) => {
            let contract = contract(input)?;
            Some(format!("input `{input}`: {}\n\n{}", contract.summary, outputs(contract)))
        }
        (["inputs", _], false) | (["inputs", _, "type"], false) => {
            let ty = word.strip_prefix(crate::spec::SEQUENCE).unwrap_or(word).trim();
            let ty = ArtifactType::ALL.iter().find(|known| known.name() == ty)?;
            Some(format!("`{ty}`: {}", ty.doc()))
        }
        (["inputs", input, "params", param], true) => Some(about_param(contract(input)?.find_param(param)?)),
        (["nodes", node], true) => match part(node) {
            Some(part) => Some(about_part(survey, spec, part)),
            None => Some(docs::page(contract(node)?)),
        },
        (["nodes", _, "type"], false) => Some(docs::page(look.registry.get(word)?.contract())),
        (["nodes", node, "graph"], false) => Some(about_part(survey, spec, part(node)?)),
        (["nodes", node, "in", port], true) => match part(node) {
            Some(part) => {
                let input = part.inputs.iter().find(|input| input.name.value == *port)?;
                let along = if input.sequence { crate::spec::SEQUENCE } else { "" };
                let file = part.file.display();
                Some(format!("input `{port}` of the part {file}: `{along}{}`", input.ty.value))
            }
            None => {
                let input = contract(node)?.find_input(port)?;
                Some(format!("`{port}`: {}\n\n{}", docs::takes_input(input), input.doc))
            }
        },
        (["nodes", _, "in", _] | ["outputs", _], false) => {
            let reference = reference(word)?;
            let output = output(survey, spec, &Names::new(spec), "", &reference)?;
            Some(format!("`{}`: {}\n\n{}", written(&reference), docs::gives(output), output.doc))
        }
        (["nodes", node, "params", param], true) => match part(node) {
            Some(part) => about_targets(survey, spec, &part.inside(), param),
            None => Some(about_param(contract(node)?.find_param(param)?)),
        },
        (["params", _], false) => about_targets(survey, spec, "", word),
        (["params", name], true) => about_targets(survey, spec, "", name),
        _ => None,
    }
}

fn outputs(contract: &Contract) -> String {
    contract.outputs.iter().fold(String::new(), |mut text, output| {
        _ = writeln!(text, "- `{}`: {}; {}", output.name, docs::gives(output), output.doc);
        text
    })
}

fn about_param(param: &Param) -> String {
    format!("`{}` = {}\n\n{}; {}", param.name, docs::default(param), param.doc, takes(&param.kind))
}

fn about_targets(survey: &Survey, spec: &GraphSpec, scope: &str, name: &str) -> Option<String> {
    let targets = spec.targets(scope, name).ok()?;
    let about = targets.iter().filter_map(|(node, param)| {
        let param = survey.contracts.get(node)?.find_param(param)?;
        Some(format!("`{node}`: {}", about_param(param)))
    });
    let about: Vec<_> = about.collect();
    (!about.is_empty()).then(|| about.join("\n\n"))
}

fn about_part(survey: &Survey, spec: &GraphSpec, part: &PartSpec) -> String {
    let names = Names::new(spec);
    let mut text = format!("part {}\n", part.file.display());
    for input in &part.inputs {
        let along = if input.sequence { crate::spec::SEQUENCE } else { "" };
        let optional = if input.optional { ", optional" } else { "" };
        _ = writeln!(text, "- takes `{}`: {along}{}{optional}", input.name.value, input.ty.value);
    }
    for output_spec in &part.outputs {
        let found = output(survey, spec, &names, &part.inside(), &output_spec.from.value);
        let what = found.map(docs::gives).unwrap_or_default();
        _ = writeln!(text, "- gives `{}`: {what}", output_spec.name.value);
    }
    for param in &part.params {
        let targets: Vec<_> = param.targets.iter().map(|target| format!("`{}`", target.value)).collect();
        _ = writeln!(text, "- parameter `{}`: {}", param.name.value, targets.join(", "));
    }
    text
}
