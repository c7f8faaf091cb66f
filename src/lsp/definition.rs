//! Where something is written: nodes and inputs that references name, outputs and inputs of parts, their files, parameters.

use lsp_types::{GotoDefinitionResponse, Location};

use super::{
    Look,
    context::{self, Spot},
    document::{Document, byte_at, range, uri_of, word_end},
    hover::reference,
};
use crate::{
    check::Survey,
    spec::{self, GraphSpec, canonical},
};

/// Where what is at byte `at` is defined.
pub fn definition(look: &Look<'_>, document: &Document, at: usize) -> Option<GotoDefinitionResponse> {
    let spot = context::at(&document.text, at)?;
    let survey = look.survey(document, &document.text);
    let spec = survey.spec.as_ref()?;
    let word = &document.text[spot.bytes.clone()];
    let port = word[..at - spot.bytes.start].contains('.');
    let found = written(&survey, spec, &spot, word.trim_matches(['"', '\'']), port)?;
    Some(GotoDefinitionResponse::Scalar(location(look, &survey, found)?))
}

/// A place, or all of a file.
enum Found {
    At(spec::Spot),
    File(std::path::PathBuf),
}

fn written(survey: &Survey, spec: &GraphSpec, spot: &Spot, word: &str, port: bool) -> Option<Found> {
    let part = |node: &str| spec.parts.iter().find(|part| part.id.value == node);
    match (spot.keys().as_slice(), spot.is_key) {
        (["nodes", node, "graph"], false) => Some(Found::File(part(node)?.file.clone())),
        (["nodes", node], true) => Some(Found::File(part(node)?.file.clone())),
        (["nodes", _, "in", _] | ["outputs", _], false) => {
            let reference = reference(word)?;
            if let (Some(part), Some(port)) = (part(&reference.node), reference.port.filter(|_| port)) {
                let output = part.outputs.iter().find(|output| output.name.value == port)?;
                return Some(Found::At(output.name.spot));
            }
            node(spec, &reference.node)
        }
        (["nodes", node, "in", port], true) => {
            let input = part(node)?.inputs.iter().find(|input| input.name.value == *port)?;
            Some(Found::At(input.name.spot))
        }
        (["nodes", node, "params", param], true) => match part(node) {
            Some(part) => target(spec, &part.inside(), param),
            None => None,
        },
        (["nodes", node, "params", param], false) => {
            let contract = survey.contracts.get(*node)?;
            let is_file = contract.find_param(param)?.kind == talkgraph_nodes::contract::ParamKind::File;
            let folder = survey.files.first()?.parent()?;
            is_file.then(|| Found::File(folder.join(word)))
        }
        (["params", _], false) => target(spec, "", word),
        _ => None,
    }
}

/// A node, part or input of the graph itself.
fn node(spec: &GraphSpec, name: &str) -> Option<Found> {
    let nodes = spec.nodes.iter().map(|node| &node.id);
    let parts = spec.parts.iter().map(|part| &part.id);
    let inputs = spec.inputs.iter().map(|input| &input.name);
    nodes.chain(parts).chain(inputs).find(|id| id.value == name).map(|id| Found::At(id.spot))
}

/// What a parameter of the graph or part with this scope sets: the name that it has there, else the node's own line for it, else the node.
fn target(spec: &GraphSpec, scope: &str, text: &str) -> Option<Found> {
    let aliases = match scope.is_empty() {
        true => &spec.params,
        false => &spec.parts.iter().find(|part| part.inside() == scope)?.params,
    };
    if let Some(alias) = aliases.iter().find(|alias| alias.name.value == text) {
        return Some(Found::At(alias.name.spot));
    }
    let (node, param) = text.split_once('.')?;
    let full = format!("{scope}{node}");
    if let Some(part) = spec.parts.iter().find(|part| part.id.value == full) {
        return target(spec, &part.inside(), param).or(Some(Found::At(part.id.spot)));
    }
    let node = spec.nodes.iter().find(|node| node.id.value == full)?;
    let own = node.params.iter().find(|known| known.name.value == param);
    Some(Found::At(own.map_or(node.id.spot, |own| own.name.spot)))
}

fn location(look: &Look<'_>, survey: &Survey, found: Found) -> Option<Location> {
    match found {
        Found::File(path) => {
            let path = canonical(&path);
            Some(Location { uri: uri_of(&path)?, range: lsp_types::Range::default() })
        }
        Found::At(spot) => {
            let path = survey.files.get(spot.file)?;
            let text = look.text(path)?;
            let start = byte_at(&text, spot.line, spot.column);
            let range = range(&text, start..word_end(&text, start), look.encoding);
            Some(Location { uri: uri_of(&canonical(path))?, range })
        }
    }
}
