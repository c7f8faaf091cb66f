//! Nodes one by one: type, parameters, resolved contract, and which of its ports are connected.

use std::collections::BTreeSet;

use talkgraph_nodes::{
    artifact::ArtifactType,
    body::{NodeType, NodeUse},
    contract::{CacheMode, Contract, Pool, Rate, SequenceRate, Time},
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
    spec::{At, Connections, GraphSpec, InputSpec, Mistakes, Names, ParamSpec, Scalar, Way},
    suggest,
};

/// The input port of decoders, fed by the engine with the user's file.
const FILE_PORT: &str = "file";

/// A node, checked by itself.
pub(super) struct Draft<'a> {
    /// Name.
    pub id: &'a At<String>,
    /// What its references are relative to.
    pub scope: &'a str,
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
    /// What cannot be had from a file, where this stands for a graph input of such a type: a part's.
    pub unfed: Option<String>,
    /// Connections, as written.
    pub links: &'a Connections,
}

impl Draft<'_> {
    /// Name as references in its scope say it.
    pub fn local(&self) -> &str {
        self.id.value.strip_prefix(self.scope).unwrap_or(&self.id.value)
    }
}

/// Checks graph inputs and nodes, in file order, inputs first.
pub(super) fn drafts<'a>(
    spec: &'a GraphSpec,
    names: &Names<'a>,
    registry: &Registry,
    settings: &'a Settings<'a>,
    mistakes: &mut Mistakes,
) -> Vec<Draft<'a>> {
    let set = assignments(spec, settings, mistakes);
    refreshes(spec, settings, mistakes);
    let rate = rate::of_graph(spec, settings, mistakes);
    rate::of_parts(spec, mistakes);
    let named = named::by_name(spec, names, registry, settings);
    let checker = Checker { registry, settings, set, named, rate };
    let mut drafts = vec![];
    for input in &spec.inputs {
        let owner = format!("input `{}`", input.name.value);
        drafts.push(checker.input(input, owner, mistakes));
    }
    for node in &spec.nodes {
        let owner = format!("node `{}`", node.id.value);
        let node_type = checker.node_type(&node.ty, &owner, mistakes);
        let written = Written {
            id: &node.id,
            scope: &node.scope,
            params: &node.params,
            cache: node.cache,
            fps: node.fps.as_ref(),
            links: &node.inputs,
        };
        let connected = node.inputs.iter().filter(|(_, reference)| {
            let way = reference.as_ref().map(|reference| names.follow(&node.scope, &reference.value));
            !matches!(way, Some(Way::Absent))
        });
        let connected = connected.map(|(port, _)| port.value.clone()).collect();
        drafts.push(checker.draft(written, owner, node_type, connected, mistakes));
    }
    rate::report_unused(spec, settings, &drafts, mistakes);
    drafts
}

/// What an input that is declared so gives: an artifact type and whether it is a sequence; `None` where there is no such type.
pub(super) fn declared(input: &InputSpec, registry: &Registry) -> Option<(ArtifactType, bool)> {
    let artifact = artifact_type(&input.ty.value)?;
    if input.sequence {
        return Some((artifact, true));
    }
    let decoder = registry.decoder(artifact).and_then(|ty| ty.contract().outputs.first());
    Some(decoder.map_or((artifact, false), |output| (output.ty, output.sequence.is_some())))
}

fn artifact_type(name: &str) -> Option<ArtifactType> {
    ArtifactType::ALL.iter().copied().find(|artifact| artifact.name() == name)
}

/// `--set` by node and parameter; wrong ones are reported.
fn assignments<'a>(
    spec: &GraphSpec,
    settings: &'a Settings<'_>,
    mistakes: &mut Mistakes,
) -> Vec<(String, String, &'a Assignment)> {
    let mut set = vec![];
    for assignment in &settings.set {
        if assignment.name == FPS {
            continue;
        }
        match spec.targets("", &assignment.name) {
            Ok(targets) => set.extend(targets.into_iter().map(|(node, param)| (node, param, assignment))),
            Err(hint) => {
                let said = assignment.said();
                let message = match assignment.name.split_once('.') {
                    Some((node, _)) if !is_known(spec, node) => {
                        format!("{said}: the graph has no node `{node}`")
                    }
                    Some((part, param)) => {
                        format!("{said}: the part `{part}` has no parameter `{param}`")
                    }
                    None if spec.params.is_empty() => {
                        let message = format!("{said}: expected NODE.PARAM=VALUE, or {FPS}=RATE");
                        mistakes.push(Diagnostic::error(message));
                        continue;
                    }
                    None => format!("{said}: the graph has no parameter `{}`", assignment.name),
                };
                mistakes.push(Diagnostic::error(message).hint(hint));
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

fn is_known(spec: &GraphSpec, node: &str) -> bool {
    spec.names("").any(|name| name == node)
}

fn unknown_node(spec: &GraphSpec, flag: &str, node: &str, mistakes: &mut Mistakes) {
    let message = format!("{flag}: the graph has no node `{node}`");
    mistakes.push(Diagnostic::error(message).hint(suggest::hint(node, spec.names(""), "")));
}

/// What the graph file says about a node.
struct Written<'a> {
    id: &'a At<String>,
    scope: &'a str,
    params: &'a [ParamSpec],
    cache: CacheMode,
    fps: Option<&'a At<Scalar>>,
    links: &'a Connections,
}

struct Checker<'a, 'r> {
    registry: &'r Registry,
    settings: &'a Settings<'a>,
    set: Vec<(String, String, &'a Assignment)>,
    named: Vec<ByName<'a>>,
    /// Frames a second of the whole graph.
    rate: Option<Rate>,
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

    /// A graph input: of the type that decodes it; or what stands for it where it is a part's, fed by the graph around that.
    fn input(&self, input: &'a InputSpec, owner: String, mistakes: &mut Mistakes) -> Draft<'a> {
        const NONE: &Connections = &vec![];
        let artifact = artifact_type(&input.ty.value);
        let decoder =
            artifact.filter(|_| !input.sequence).and_then(|artifact| self.registry.decoder(artifact));
        if artifact.is_none() {
            let known = self.registry.iter().filter_map(|ty| ty.contract().decodes).map(ArtifactType::name);
            let message = format!("{owner}: unknown type `{}`", input.ty.value);
            mistakes.error(input.ty.spot, message).hint = Some(suggest::hint(&input.ty.value, known, ""));
        }
        let written = Written {
            id: &input.name,
            scope: "",
            params: &input.params,
            cache: input.cache,
            fps: None,
            links: NONE,
        };
        let connected = BTreeSet::from([FILE_PORT.to_owned()]);
        let mut draft = self.draft(written, owner, decoder, connected, mistakes);
        draft.is_input = true;
        draft.input = artifact;
        if let Some(artifact) = artifact.filter(|_| decoder.is_none()) {
            draft.contract = Some(given(artifact, input.sequence));
            draft.resolved = true;
            draft.unfed = Some(match input.sequence {
                true => format!("a sequence of `{artifact}`"),
                false => format!("one `{artifact}`"),
            });
        }
        draft
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
            scope: written.scope,
            owner,
            contract: None,
            resolved: false,
            params: Params::default(),
            connected,
            cache: written.cache,
            is_input: false,
            input: None,
            unfed: None,
            links: written.links,
        };
        let Some(node_type) = node_type else { return draft };
        let set = self.set.iter().filter(|(node, ..)| *node == id.value);
        let sources = Sources {
            owner: &draft.owner,
            written: written.params,
            set: set.map(|(_, param, assignment)| (param.as_str(), *assignment)).collect(),
            named: self.named.iter().filter(|one| one.node == id.value).collect(),
            rate: self.rate.or_else(|| rate::read(&written.fps?.value).ok()),
            pack_default: self.settings.pack_default,
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
        let folder = mistakes.folder(draft.id.spot);
        let use_ = NodeUse { params: &draft.params, connected: &draft.connected, folder };
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

/// What stands for an input that only a graph around this one can give.
fn given(artifact: ArtifactType, sequence: bool) -> Contract {
    let contract = Contract::new("given", 1, Time::Value, Pool::Io, "what the graph around a part connects");
    match sequence {
        true => contract.sequence("value", artifact, SequenceRate::Inherited, artifact.doc()),
        false => contract.output("value", artifact, artifact.doc()),
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
