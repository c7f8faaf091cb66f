//! Nodes one by one: type, parameters, resolved contract, and which of its ports are connected.

use std::{collections::BTreeSet, path::Path};

use talkgraph_nodes::{
    artifact::ArtifactType,
    body::{NodeType, NodeUse},
    contract::{CacheMode, Contract, Rate},
    params::Params,
    registry::Registry,
};

use super::{
    named::{self, ByName},
    params::{self, FPS, Sources},
    rate,
    settings::{Assignment, Settings},
};
use crate::{
    error::Diagnostic,
    spec::{At, GraphSpec, Mistakes, ParamSpec, Reference},
    suggest,
};

/// The input port of decoders, fed by the engine with the user's file.
const FILE_PORT: &str = "file";

/// A node, checked by itself.
pub(super) struct Draft<'a> {
    /// Name.
    pub id: &'a At<String>,
    /// `node `x`` or `input `x``, for messages.
    pub owner: String,
    /// The resolved contract, or the general one where resolving failed; `None` where its ports cannot be known.
    pub contract: Option<Contract>,
    /// Parameters, defaults filled in.
    pub params: Params,
    /// Whether the contract is that of this use; the general one serves where resolving it failed.
    pub resolved: bool,
    /// Connected input ports.
    pub connected: BTreeSet<String>,
    /// How its outputs are stored.
    pub cache: CacheMode,
    /// Whether this decodes a graph input.
    pub is_input: bool,
    /// For a graph input: its declared type.
    pub input: Option<ArtifactType>,
    /// Connections, as written.
    pub links: &'a [(At<String>, Option<At<Reference>>)],
}

/// Checks graph inputs and nodes, in file order, inputs first.
pub(super) fn drafts<'a>(
    spec: &'a GraphSpec,
    registry: &Registry,
    settings: &'a Settings<'a>,
    mistakes: &mut Mistakes,
) -> Vec<Draft<'a>> {
    let set = assignments(spec, settings, mistakes);
    refreshes(spec, settings, mistakes);
    let rate = rate::of_graph(spec, settings, mistakes);
    let folder = spec.file.parent().unwrap_or(Path::new(""));
    let named = named::by_name(spec, registry, settings);
    let checker = Checker { registry, settings, set, named, rate, folder };
    let mut drafts = vec![];
    for input in &spec.inputs {
        let (ty, node_type) = checker.decoder(&input.ty, &input.name.value, mistakes);
        let connected = BTreeSet::from([FILE_PORT.to_owned()]);
        let written = Written { id: &input.name, params: &input.params, cache: input.cache, links: &[] };
        let owner = format!("input `{}`", input.name.value);
        let mut draft = checker.draft(written, owner, node_type, connected, mistakes);
        draft.is_input = true;
        draft.input = ty;
        drafts.push(draft);
    }
    for node in &spec.nodes {
        if let Some(input) = spec.inputs.iter().find(|input| input.name.value == node.id.value) {
            let message = format!(
                "node `{}` has the name of the input on line {}",
                node.id.value, input.name.spot.line
            );
            mistakes.error(node.id.spot, message).hint = Some("rename one of them".into());
        }
        let owner = format!("node `{}`", node.id.value);
        let node_type = checker.node_type(&node.ty, &owner, mistakes);
        let connected = node.inputs.iter().map(|(port, _)| port.value.clone()).collect();
        let written = Written { id: &node.id, params: &node.params, cache: node.cache, links: &node.inputs };
        drafts.push(checker.draft(written, owner, node_type, connected, mistakes));
    }
    rate::report_unused(spec, settings, &drafts, mistakes);
    drafts
}

/// `--set` by node and parameter; wrong ones are reported.
fn assignments<'a>(
    spec: &GraphSpec,
    settings: &'a Settings<'_>,
    mistakes: &mut Mistakes,
) -> Vec<(&'a str, &'a str, &'a Assignment)> {
    let mut set = vec![];
    for assignment in &settings.set {
        match assignment.name.split_once('.') {
            Some((node, param)) if is_known(spec, node) => set.push((node, param, assignment)),
            Some((node, _)) => unknown_node(spec, &format!("--set {assignment}"), node, mistakes),
            None if assignment.name == FPS => {}
            None => {
                let message = format!("--set {assignment}: expected NODE.PARAM=VALUE, or {FPS}=RATE");
                mistakes.push(Diagnostic::error(message));
            }
        }
    }
    set
}

fn refreshes(spec: &GraphSpec, settings: &Settings<'_>, mistakes: &mut Mistakes) {
    for node in settings.refresh.iter().filter(|node| !is_known(spec, node)) {
        unknown_node(spec, &format!("--refresh {node}"), node, mistakes);
    }
}

fn names(spec: &GraphSpec) -> impl Iterator<Item = &str> {
    let inputs = spec.inputs.iter().map(|input| input.name.value.as_str());
    inputs.chain(spec.nodes.iter().map(|node| node.id.value.as_str()))
}

fn is_known(spec: &GraphSpec, node: &str) -> bool {
    names(spec).any(|name| name == node)
}

fn unknown_node(spec: &GraphSpec, flag: &str, node: &str, mistakes: &mut Mistakes) {
    let message = format!("{flag}: the graph has no node `{node}`");
    mistakes.push(Diagnostic::error(message).hint(suggest::hint(node, names(spec), "")));
}

/// What the graph file says about a node.
struct Written<'a> {
    id: &'a At<String>,
    params: &'a [ParamSpec],
    cache: CacheMode,
    links: &'a [(At<String>, Option<At<Reference>>)],
}

struct Checker<'a, 'r> {
    registry: &'r Registry,
    settings: &'a Settings<'a>,
    set: Vec<(&'a str, &'a str, &'a Assignment)>,
    named: Vec<ByName<'a>>,
    /// Frames a second of the whole graph.
    rate: Option<Rate>,
    folder: &'a Path,
}

impl<'a> Checker<'a, '_> {
    fn node_type(&self, ty: &At<String>, owner: &str, mistakes: &mut Mistakes) -> Option<&dyn NodeType> {
        let found = self.registry.get(&ty.value);
        if found.is_none() {
            let names: Vec<&str> = self.registry.iter().map(|ty| ty.contract().name.as_ref()).collect();
            let near = suggest::nearest(&ty.value, names);
            let hint = near.map_or_else(
                || "`talkgraph nodes` lists the types".into(),
                |near| format!("did you mean `{near}`?"),
            );
            mistakes.error(ty.spot, format!("{owner}: unknown type `{}`", ty.value)).hint = Some(hint);
        }
        found
    }

    fn decoder(
        &self,
        ty: &At<String>,
        input: &str,
        mistakes: &mut Mistakes,
    ) -> (Option<ArtifactType>, Option<&dyn NodeType>) {
        let artifact = ArtifactType::ALL.iter().copied().find(|artifact| artifact.name() == ty.value);
        let found = artifact.and_then(|artifact| self.registry.decoder(artifact));
        if found.is_none() {
            let known = self.registry.iter().filter_map(|ty| ty.contract().decodes).map(ArtifactType::name);
            let message = match artifact {
                Some(_) => format!("input `{input}`: `{}` cannot be a graph input", ty.value),
                None => format!("input `{input}`: unknown type `{}`", ty.value),
            };
            mistakes.error(ty.spot, message).hint = Some(suggest::hint(&ty.value, known, ""));
        }
        (artifact, found)
    }

    fn draft(
        &self,
        written: Written<'a>,
        owner: String,
        node_type: Option<&dyn NodeType>,
        connected: BTreeSet<String>,
        mistakes: &mut Mistakes,
    ) -> Draft<'a> {
        let id = written.id;
        let mut draft = Draft {
            id,
            owner,
            contract: None,
            resolved: false,
            params: Params::default(),
            connected,
            cache: written.cache,
            is_input: false,
            input: None,
            links: written.links,
        };
        let Some(node_type) = node_type else { return draft };
        let set = self.set.iter().filter(|(node, ..)| *node == id.value);
        let sources = Sources {
            owner: &draft.owner,
            written: written.params,
            set: set.map(|(_, param, assignment)| (*param, *assignment)).collect(),
            named: self.named.iter().filter(|one| one.node == id.value).collect(),
            rate: self.rate,
            pack_default: self.settings.pack_default,
            folder: self.folder,
        };
        let (params, complete) = params::fill(node_type.contract(), &sources, id, mistakes);
        draft.params = params;
        let resolved = complete.then(|| self.resolve(node_type, &draft, mistakes)).flatten();
        draft.resolved = resolved.is_some();
        // A general contract without ports says nothing: its type takes them from its parameters.
        let general = node_type.contract();
        let has_ports = !general.inputs.is_empty() || !general.outputs.is_empty();
        draft.contract = resolved.or_else(|| has_ports.then(|| general.clone()));
        if let Some(contract) = &draft.contract {
            check_ports(&draft, contract, mistakes);
        }
        draft
    }

    /// The contract of this use. A failure that an unknown port explains is not reported: the port is.
    fn resolve(
        &self,
        node_type: &dyn NodeType,
        draft: &Draft<'_>,
        mistakes: &mut Mistakes,
    ) -> Option<Contract> {
        let general = node_type.contract();
        let use_ = NodeUse { params: &draft.params, connected: &draft.connected, folder: self.folder };
        let error = match node_type.resolve(&use_) {
            Ok(contract) => return Some(contract),
            Err(error) => error,
        };
        let unknown = |port: &String| general.find_input(port).is_none();
        if general.inputs.is_empty() || !draft.connected.iter().any(unknown) {
            let place = mistakes.place(draft.id.spot);
            mistakes.push(Diagnostic::from_node(&draft.owner, &error).at(place));
        }
        None
    }
}

fn check_ports(draft: &Draft<'_>, contract: &Contract, mistakes: &mut Mistakes) {
    for (port, _) in draft.links {
        if contract.find_input(&port.value).is_none() {
            let known = contract.inputs.iter().map(|input| input.name.as_ref());
            let hint = suggest::hint(&port.value, known, &format!("`{}` takes no inputs", contract.name));
            let message = format!("{}: `{}` has no input `{}`", draft.owner, contract.name, port.value);
            mistakes.error(port.spot, message).hint = Some(hint);
        }
    }
}
