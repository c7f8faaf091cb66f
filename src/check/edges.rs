//! References between nodes: they name an output that exists, of a type and arity that the input takes.

use std::collections::{BTreeSet, HashSet};

use talkgraph_nodes::{
    artifact::ArtifactType,
    contract::{Arity, Contract, Input, Output},
    registry::Registry,
};

use super::nodes::{self, Draft};
use crate::{
    graph::Edge,
    spec::{At, GraphSpec, Mistakes, Names, Origin, PartSpec, Reference, Spot, Way},
    suggest,
};

/// A connection between drafts, by index.
pub(super) struct Link {
    /// Index of the source.
    pub from: usize,
    /// Index of the target.
    pub to: usize,
    /// Ports; `None` where one of them is unknown.
    pub edge: Option<Edge>,
    /// Where the reference is written.
    pub spot: Spot,
}

/// What references connect.
pub(super) struct Wiring {
    /// Connections, by target in file order and by port name.
    pub links: Vec<Link>,
    /// For every graph output, the draft and port that it refers to, where they exist.
    pub wanted: Vec<Option<(usize, String)>>,
    /// Drafts that a misspelt reference probably means: they are not called unused.
    pub meant: BTreeSet<usize>,
}

/// Follows every reference of nodes, parts and graph outputs.
pub(super) fn connect(
    spec: &GraphSpec,
    names: &Names<'_>,
    drafts: &[Draft<'_>],
    registry: &Registry,
    mistakes: &mut Mistakes,
) -> Wiring {
    let mut resolver =
        Resolver { spec, names, drafts, registry, misfed: HashSet::new(), meant: BTreeSet::new() };
    for (number, part) in spec.parts.iter().enumerate() {
        resolver.part(number, part, mistakes);
    }
    let mut links = vec![];
    for (to, draft) in drafts.iter().enumerate() {
        let mut ports: Vec<_> = draft.links.iter().collect();
        ports.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        for (port, reference) in ports {
            let input = draft.contract.as_ref().and_then(|contract| contract.find_input(&port.value));
            let Some(reference) = reference else {
                resolver.fitting(draft.scope, Some(&draft.id.value), input.map(Wanted::of), mistakes);
                continue;
            };
            let owner = format!("{}: input `{}`", draft.owner, port.value);
            let Some(source) = resolver.follow(draft.scope, reference, &owner, mistakes) else { continue };
            let ends = source.output.zip(input);
            let misfit = ends.filter(|(output, input)| !Wanted::of(input).fits(output));
            if let Some((output, input)) = misfit.filter(|_| !source.misfed) {
                let message = format!("{owner} {}", mismatch(Wanted::of(input), output, &reference.value));
                let hint =
                    resolver.fitting(draft.scope, Some(&draft.id.value), Some(Wanted::of(input)), mistakes);
                mistakes.error(reference.spot, message).hint = hint;
            }
            let edge = ends
                .map(|(output, input)| Edge { from: output.name.to_string(), to: input.name.to_string() });
            links.push(Link { from: source.draft, to, edge, spot: reference.spot });
        }
        resolver.missing(draft, mistakes);
    }
    let mut wanted = vec![];
    for output in &spec.outputs {
        let owner = format!("output `{}`", output.name.value);
        let source = resolver.follow("", &output.from, &owner, mistakes);
        wanted.push(source.map(|source| {
            let port = source.output.map(|output| output.name.to_string());
            (source.draft, port.unwrap_or_default())
        }));
    }
    Wiring { links, wanted, meant: resolver.meant }
}

/// What an input takes: of a node, or of a part.
#[derive(Clone, Copy)]
struct Wanted {
    ty: ArtifactType,
    sequence: bool,
}

impl Wanted {
    fn of(input: &Input) -> Self {
        Self { ty: input.ty, sequence: input.arity != Arity::Value }
    }

    fn fits(self, output: &Output) -> bool {
        self.ty.accepts(output.ty) && self.sequence == output.sequence.is_some()
    }
}

/// What a reference leads to. The output is unknown where the node's contract is.
struct Source<'a> {
    draft: usize,
    output: Option<&'a Output>,
    /// Whether it comes through an input of a part that does not take it, which is told there.
    misfed: bool,
}

struct Resolver<'a> {
    spec: &'a GraphSpec,
    names: &'a Names<'a>,
    drafts: &'a [Draft<'a>],
    registry: &'a Registry,
    /// Inputs of parts, by number, that are given what they do not take.
    misfed: HashSet<(usize, usize)>,
    meant: BTreeSet<usize>,
}

impl<'a> Resolver<'a> {
    /// Checks what is connected to a part, and that its outputs are there.
    fn part(&mut self, number: usize, part: &'a PartSpec, mistakes: &mut Mistakes) {
        let file = part.file.display();
        let (scope, own) = (part.scope.as_str(), Some(part.id.value.as_str()));
        for (port, reference) in &part.connections {
            let found = part.inputs.iter().position(|input| input.name.value == port.value);
            if found.is_none() {
                let known = part.inputs.iter().map(|input| input.name.value.as_str());
                let message =
                    format!("node `{}`: the part {file} has no input `{}`", part.id.value, port.value);
                mistakes.error(port.spot, message).hint =
                    Some(suggest::hint(&port.value, known, "it takes no inputs"));
            }
            let Some(reference) = reference else { continue };
            let owner = format!("node `{}`: input `{}`", part.id.value, port.value);
            let source = self.follow(scope, reference, &owner, mistakes);
            let Some((of, source)) = found.zip(source) else { continue };
            let wanted = self.declared(part, of);
            let misfit = source.output.zip(wanted).filter(|(output, wanted)| !wanted.fits(output));
            if let Some((output, wanted)) = misfit {
                self.misfed.insert((number, of));
                if !source.misfed {
                    let message = format!("{owner} {}", mismatch(wanted, output, &reference.value));
                    let hint = self.fitting(scope, own, Some(wanted), mistakes);
                    mistakes.error(reference.spot, message).hint = hint;
                }
            }
        }
        for (of, input) in part.inputs.iter().enumerate().filter(|(_, input)| !input.optional) {
            let name = input.name.value.as_str();
            let misspelt = |port: &str| {
                part.inputs.iter().all(|input| input.name.value != port)
                    && suggest::nearest(port, [name]).is_some()
            };
            if part.connections.iter().any(|(port, _)| port.value == name || misspelt(&port.value)) {
                continue;
            }
            let wanted = self.declared(part, of);
            let what = wanted.map(|wanted| format!(" ({})", describe(wanted))).unwrap_or_default();
            let message = format!("node `{}`: the part {file} needs the input `{name}`{what}", part.id.value);
            let hint = self.fitting(scope, own, wanted, mistakes);
            mistakes.error(part.id.spot, message).hint = hint;
        }
        for output in &part.outputs {
            self.follow(&part.inside(), &output.from, &format!("output `{}`", output.name.value), mistakes);
        }
    }

    fn declared(&self, part: &PartSpec, input: usize) -> Option<Wanted> {
        nodes::declared(&part.inputs[input], self.registry).map(|(ty, sequence)| Wanted { ty, sequence })
    }

    fn follow(
        &mut self,
        scope: &str,
        reference: &'a At<Reference>,
        owner: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Source<'a>> {
        let At { value: Reference { node, .. }, spot } = reference;
        let (origin, port, through) = match self.names.follow(scope, &reference.value) {
            Way::To { origin, port, through } => (origin, port, through),
            Way::Absent | Way::Broken => return None,
            Way::Unknown => {
                let message = format!("{owner}: there is no node or input `{node}`");
                if mistakes.is_full() {
                    mistakes.error(*spot, message);
                    return None;
                }
                let near =
                    suggest::nearest(node, self.local_names(scope)).map(|near| format!("{scope}{near}"));
                mistakes.error(*spot, message).hint = Some(suggest::hint(node, self.local_names(scope), ""));
                let near = near.and_then(|near| self.drafts.iter().position(|draft| draft.id.value == near));
                self.meant.extend(near);
                return None;
            }
            Way::Part(part) => {
                let inside = part.inside();
                let drafts = self.drafts.iter().enumerate();
                self.meant.extend(
                    drafts.filter(|(_, draft)| draft.id.value.starts_with(&inside)).map(|(number, _)| number),
                );
                let outputs = || part.outputs.iter().map(|output| output.name.value.as_str());
                let (message, hint) = match &reference.value.port {
                    Some(port) => (
                        format!("{owner}: the part {} has no output `{port}`", part.file.display()),
                        suggest::hint(port, outputs(), "it has no outputs"),
                    ),
                    None => (
                        format!("{owner}: bad reference `{node}`: a part's output needs its name"),
                        format!("add one of its outputs: {}", outputs().collect::<Vec<_>>().join(", ")),
                    ),
                };
                mistakes.error(*spot, message).hint = Some(hint);
                return None;
            }
            Way::Further(port, from) => {
                let from = shown(from);
                let message = format!(
                    "{owner}: `{node}` is connected to `{from}`, which has no output `{port}` besides"
                );
                mistakes.error(*spot, message).hint =
                    Some(format!("make `{port}` an input of the part of its own"));
                return None;
            }
            Way::Around => {
                mistakes.error(
                    *spot,
                    format!("{owner}: `{}` leads back to itself through parts", shown(&reference.value)),
                );
                return None;
            }
        };
        let draft = match origin {
            Origin::Input(number) => number,
            Origin::Node(number) => self.spec.inputs.len() + number,
        };
        let misfed = through.iter().any(|input| self.misfed.contains(input));
        let source = &self.drafts[draft];
        let Some(contract) = &source.contract else { return Some(Source { draft, output: None, misfed }) };
        let output = match port {
            Some(port) => contract.find_output(port),
            None if source.is_input => contract.outputs.first(),
            None => {
                // Where the reference names an input of a part, this is told where that is connected.
                if through.is_empty() {
                    let hint = match contract.outputs.as_slice() {
                        [only] => format!("write `{node}.{}`", only.name),
                        _ => format!("add one of its outputs: {}", output_names(contract).join(", ")),
                    };
                    let message = format!("{owner}: bad reference `{node}`: a node's output needs its name");
                    mistakes.error(*spot, message).hint = Some(hint);
                }
                return Some(Source { draft, output: None, misfed });
            }
        };
        if output.is_none() && (through.is_empty() || reference.value.port.is_some()) {
            let port = port.unwrap_or_default();
            let hint = suggest::hint(port, output_names(contract), "it has no outputs");
            let message = format!("{owner}: {} (`{}`) has no output `{port}`", source.owner, contract.name);
            mistakes.error(*spot, message).hint = Some(hint);
        }
        Some(Source { draft, output, misfed })
    }

    /// Names that a reference in `scope` can begin with.
    fn local_names<'n>(&'n self, scope: &'n str) -> impl Iterator<Item = &'n str> {
        let part = self.names.part_of(scope).map(|part| &self.spec.parts[part].inputs);
        let inputs = part.into_iter().flatten().map(|input| input.name.value.as_str());
        let nodes = self.spec.names(scope).filter(|name| !name.contains(crate::spec::SEPARATOR));
        inputs.chain(nodes)
    }

    /// Reports required inputs without a connection, unless a misspelt one is meant for them.
    fn missing(&mut self, draft: &Draft<'_>, mistakes: &mut Mistakes) {
        let Some(contract) = &draft.contract else { return };
        let own = Some(draft.id.value.as_str());
        if !draft.resolved {
            for input in contract.inputs.iter().filter(|input| !draft.connected.contains(input.name.as_ref()))
            {
                self.fitting(draft.scope, own, Some(Wanted::of(input)), mistakes);
            }
        }
        for input in contract.inputs.iter().filter(|input| input.required) {
            let name = input.name.as_ref();
            let misspelt = |port: &String| {
                contract.find_input(port).is_none() && suggest::nearest(port, [name]).is_some()
            };
            if draft.connected.contains(name) || draft.connected.iter().any(misspelt) {
                continue;
            }
            let wanted = Wanted::of(input);
            let message = format!(
                "{}: `{}` needs the input `{name}` ({})",
                draft.owner,
                contract.name,
                describe(wanted)
            );
            let hint = self.fitting(draft.scope, own, Some(wanted), mistakes);
            mistakes.error(draft.id.spot, message).hint = hint;
        }
    }

    /// A hint that names outputs in `scope` which fit what an input of `target` takes, unless there are none. One of them is meant.
    fn fitting(
        &mut self,
        scope: &str,
        target: Option<&str>,
        wanted: Option<Wanted>,
        mistakes: &Mistakes,
    ) -> Option<String> {
        let wanted = wanted.filter(|_| !mistakes.is_full())?;
        let mut names = vec![];
        for (number, draft) in self.drafts.iter().enumerate() {
            if draft.scope != scope || Some(draft.id.value.as_str()) == target {
                continue;
            }
            let outputs = draft.contract.iter().flat_map(|contract| &contract.outputs);
            for output in outputs.filter(|output| wanted.fits(output)) {
                self.meant.insert(number);
                names.push(match draft.is_input {
                    true => draft.id.value.clone(),
                    false => format!("{}.{}", draft.local(), output.name),
                });
            }
        }
        names.extend(self.of_parts(scope, target, wanted));
        if let Some(part) = self.names.part_of(scope).map(|part| &self.spec.parts[part]) {
            let fits = (0..part.inputs.len()).filter(|of| {
                self.declared(part, *of)
                    .is_some_and(|has| wanted.ty.accepts(has.ty) && wanted.sequence == has.sequence)
            });
            names.extend(fits.map(|of| part.inputs[of].name.value.clone()));
        }
        let more = if names.len() > 5 { ", …" } else { "" };
        names.truncate(5);
        (!names.is_empty()).then(|| format!("fitting outputs in this graph: {}{more}", names.join(", ")))
    }

    /// Outputs of parts in `scope` that fit. What gives them is meant.
    fn of_parts(&mut self, scope: &str, target: Option<&str>, wanted: Wanted) -> Vec<String> {
        let mut names = vec![];
        for part in self
            .spec
            .parts
            .iter()
            .filter(|part| part.scope == scope && Some(part.id.value.as_str()) != target)
        {
            for output in &part.outputs {
                let Way::To { origin: Origin::Node(number), port: Some(port), .. } =
                    self.names.follow(&part.inside(), &output.from.value)
                else {
                    continue;
                };
                let draft = self.spec.inputs.len() + number;
                let contract = self.drafts[draft].contract.as_ref();
                if contract
                    .and_then(|contract| contract.find_output(port))
                    .is_some_and(|output| wanted.fits(output))
                {
                    self.meant.insert(draft);
                    let part = part.id.value.strip_prefix(scope).unwrap_or(&part.id.value);
                    names.push(format!("{part}.{}", output.name.value));
                }
            }
        }
        names
    }
}

fn output_names(contract: &Contract) -> Vec<&str> {
    contract.outputs.iter().map(|output| output.name.as_ref()).collect()
}

fn describe(Wanted { ty, sequence }: Wanted) -> String {
    if sequence { format!("a sequence of `{ty}`") } else { format!("one `{ty}`") }
}

/// A reference as it is written.
fn shown(reference: &Reference) -> String {
    let port = reference.port.as_ref().map(|port| format!(".{port}")).unwrap_or_default();
    format!("{}{port}", reference.node)
}

fn mismatch(wanted: Wanted, output: &Output, reference: &Reference) -> String {
    let found = Wanted { ty: output.ty, sequence: output.sequence.is_some() };
    format!("takes {}, `{}` is {}", describe(wanted), shown(reference), describe(found))
}
