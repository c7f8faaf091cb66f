//! References between nodes: they name an output that exists, of a type and arity that the input takes.

use std::collections::{BTreeSet, HashMap};

use talkgraph_nodes::contract::{Arity, Contract, Input, Output};

use super::nodes::Draft;
use crate::{
    graph::Edge,
    spec::{At, GraphSpec, Mistakes, Reference, Spot},
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

/// Follows every reference of nodes and graph outputs.
pub(super) fn connect(spec: &GraphSpec, drafts: &[Draft<'_>], mistakes: &mut Mistakes) -> Wiring {
    let mut index = HashMap::new();
    for (number, draft) in drafts.iter().enumerate() {
        index.entry(draft.id.value.as_str()).or_insert(number);
    }
    let mut resolver = Resolver { drafts, index, meant: BTreeSet::new() };
    let mut links = vec![];
    for (to, draft) in drafts.iter().enumerate() {
        let mut ports: Vec<_> = draft.links.iter().collect();
        ports.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        for (port, reference) in ports {
            let input = draft.contract.as_ref().and_then(|contract| contract.find_input(&port.value));
            let Some(reference) = reference else {
                resolver.fitting(draft, input, mistakes);
                continue;
            };
            let owner = format!("{}: input `{}`", draft.owner, port.value);
            let Some(source) = resolver.follow(reference, &owner, mistakes) else { continue };
            if let Some((output, input)) =
                source.output.zip(input).filter(|(output, input)| !fits(input, output))
            {
                let message = format!("{owner} {}", mismatch(input, output, &reference.value));
                let hint = resolver.fitting(draft, Some(input), mistakes);
                mistakes.error(reference.spot, message).hint = hint;
            }
            let edge = source
                .output
                .zip(input)
                .map(|(output, input)| Edge { from: output.name.to_string(), to: input.name.to_string() });
            links.push(Link { from: source.draft, to, edge, spot: reference.spot });
        }
        resolver.missing(draft, mistakes);
    }
    let mut wanted = vec![];
    for output in &spec.outputs {
        let owner = format!("output `{}`", output.name.value);
        let source = resolver.follow(&output.from, &owner, mistakes);
        wanted.push(source.map(|source| {
            let port = source.output.map(|output| output.name.to_string());
            (source.draft, port.unwrap_or_default())
        }));
    }
    Wiring { links, wanted, meant: resolver.meant }
}

/// What a reference leads to. The output is unknown where the node's contract is.
struct Source<'a> {
    draft: usize,
    output: Option<&'a Output>,
}

struct Resolver<'a> {
    drafts: &'a [Draft<'a>],
    index: HashMap<&'a str, usize>,
    meant: BTreeSet<usize>,
}

impl<'a> Resolver<'a> {
    fn follow(
        &mut self,
        reference: &At<Reference>,
        owner: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Source<'a>> {
        let At { value: Reference { node, port }, spot } = reference;
        let Some(&draft) = self.index.get(node.as_str()) else {
            let message = format!("{owner}: there is no node or input `{node}`");
            if mistakes.is_full() {
                mistakes.error(*spot, message);
                return None;
            }
            let names = || self.drafts.iter().map(|draft| draft.id.value.as_str());
            let near = suggest::nearest(node, names());
            self.meant.extend(near.map(|near| self.index[near]));
            mistakes.error(*spot, message).hint = Some(suggest::hint(node, names(), ""));
            return None;
        };
        let source = &self.drafts[draft];
        let Some(contract) = &source.contract else { return Some(Source { draft, output: None }) };
        let output = match port {
            Some(port) => contract.find_output(port),
            None if source.is_input => contract.outputs.first(),
            None => {
                let hint = match contract.outputs.as_slice() {
                    [only] => format!("write `{node}.{}`", only.name),
                    _ => format!("add one of its outputs: {}", output_names(contract).join(", ")),
                };
                let message = format!("{owner}: bad reference `{node}`: a node's output needs its name");
                mistakes.error(*spot, message).hint = Some(hint);
                return Some(Source { draft, output: None });
            }
        };
        if output.is_none() {
            let port = port.as_deref().unwrap_or_default();
            let hint = suggest::hint(port, output_names(contract), "it has no outputs");
            let message = format!("{owner}: {} (`{}`) has no output `{port}`", source.owner, contract.name);
            mistakes.error(*spot, message).hint = Some(hint);
        }
        Some(Source { draft, output })
    }

    /// Reports required inputs without a connection, unless a misspelt one is meant for them.
    fn missing(&mut self, draft: &Draft<'_>, mistakes: &mut Mistakes) {
        let Some(contract) = &draft.contract else { return };
        if !draft.resolved {
            for input in contract.inputs.iter().filter(|input| !draft.connected.contains(input.name.as_ref()))
            {
                self.fitting(draft, Some(input), mistakes);
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
            let message = format!(
                "{}: `{}` needs the input `{name}` ({})",
                draft.owner,
                contract.name,
                describe(input.ty.name(), input.arity != Arity::Value)
            );
            let hint = self.fitting(draft, Some(input), mistakes);
            mistakes.error(draft.id.spot, message).hint = hint;
        }
    }

    /// A hint that names outputs which fit the input, unless there are none. One of them is meant.
    fn fitting(&mut self, target: &Draft<'_>, input: Option<&Input>, mistakes: &Mistakes) -> Option<String> {
        let input = input.filter(|_| !mistakes.is_full())?;
        let mut names = vec![];
        for (number, draft) in self.drafts.iter().enumerate() {
            if draft.id.value == target.id.value {
                continue;
            }
            let outputs = draft.contract.iter().flat_map(|contract| &contract.outputs);
            for output in outputs.filter(|output| fits(input, output)) {
                self.meant.insert(number);
                names.push(match draft.is_input {
                    true => draft.id.value.clone(),
                    false => format!("{}.{}", draft.id.value, output.name),
                });
            }
        }
        let more = if names.len() > 5 { ", …" } else { "" };
        names.truncate(5);
        (!names.is_empty()).then(|| format!("fitting outputs in this graph: {}{more}", names.join(", ")))
    }
}

fn output_names(contract: &Contract) -> Vec<&str> {
    contract.outputs.iter().map(|output| output.name.as_ref()).collect()
}

fn fits(input: &Input, output: &Output) -> bool {
    input.ty.accepts(output.ty) && (input.arity != Arity::Value) == output.sequence.is_some()
}

fn describe(ty: &str, sequence: bool) -> String {
    if sequence { format!("a sequence of `{ty}`") } else { format!("one `{ty}`") }
}

fn mismatch(input: &Input, output: &Output, reference: &Reference) -> String {
    let port = reference.port.as_ref().map(|port| format!(".{port}")).unwrap_or_default();
    format!(
        "takes {}, `{}{port}` is {}",
        describe(input.ty.name(), input.arity != Arity::Value),
        reference.node,
        describe(output.ty.name(), output.sequence.is_some()),
    )
}
