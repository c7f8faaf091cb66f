//! What can be written at a place: keys, node types, ports, references, parameters and their values.

use std::{collections::BTreeMap, path::Path};

use lsp_types::{
    CompletionItem, CompletionItemKind as Kind, CompletionTextEdit, Documentation, MarkupContent, MarkupKind,
    TextEdit,
};
use serde_json::Value;
use talkgraph_nodes::{
    artifact::ArtifactType,
    body::NodeType,
    contract::{Arity, Contract, ParamKind, ParamValue},
};

use super::{
    Look, context,
    document::{Document, range},
};
use crate::{
    check::Survey,
    docs, schema,
    spec::{GraphSpec, Names, Origin, PartSpec, Reference, SEPARATOR, SEQUENCE, Way},
};

/// One thing that can be written.
struct Choice {
    label: String,
    kind: Kind,
    detail: String,
    doc: String,
    /// What goes after it where it is a key.
    tail: &'static str,
    /// Those that fit come first.
    fits: bool,
}

impl Choice {
    fn new(label: impl Into<String>, kind: Kind, detail: impl Into<String>) -> Self {
        let (label, detail) = (label.into(), detail.into());
        Self { label, kind, detail, doc: String::new(), tail: "", fits: true }
    }

    fn key(label: impl Into<String>, kind: Kind, detail: impl Into<String>) -> Self {
        Self { tail: ": ", ..Self::new(label, kind, detail) }
    }

    fn doc(self, doc: impl Into<String>) -> Self {
        Self { doc: doc.into(), ..self }
    }
}

/// What can be written at byte `at`.
pub fn complete(look: &Look<'_>, document: &Document, at: usize) -> Option<Vec<CompletionItem>> {
    let text = &document.text;
    let writing = context::writing(text, at)?;
    let survey = look.survey(document, &writing.whole);
    let spec = survey.spec.as_ref()?;
    let scene = Scene { look, document, survey: &survey, spec, names: Names::new(spec) };
    let keys: Vec<&str> = writing.path.iter().map(String::as_str).collect();
    let mut choices = scene.choices(&keys, writing.is_key);
    if writing.is_key {
        choices.retain(|choice| !writing.others.contains(&choice.label));
    }
    let followed = text[writing.bytes.end..].trim_start_matches(' ').starts_with(':');
    let place = range(text, writing.bytes, look.encoding);
    let items = choices.into_iter().map(|choice| {
        let tail = if writing.is_key && !followed { choice.tail } else { "" };
        let new_text = format!("{}{tail}", choice.label);
        CompletionItem {
            sort_text: Some(format!("{}{}", u8::from(!choice.fits), choice.label)),
            filter_text: Some(choice.label.clone()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: place, new_text })),
            kind: Some(choice.kind),
            detail: (!choice.detail.is_empty()).then_some(choice.detail),
            documentation: (!choice.doc.is_empty()).then_some(Documentation::MarkupContent(MarkupContent {
                kind: MarkupKind::Markdown,
                value: choice.doc,
            })),
            label: choice.label,
            ..CompletionItem::default()
        }
    });
    Some(items.collect())
}

/// What there is to choose from.
struct Scene<'a> {
    look: &'a Look<'a>,
    document: &'a Document,
    survey: &'a Survey,
    spec: &'a GraphSpec,
    names: Names<'a>,
}

impl Scene<'_> {
    fn choices(&self, keys: &[&str], is_key: bool) -> Vec<Choice> {
        match (keys, is_key) {
            ([], _) => self.described(&["properties"]),
            (["inputs", _], false) | (["inputs", _, "type"], false) => self.artifacts(),
            (["inputs", _], true) => self.described(&["$defs", "input", "anyOf", "1", "properties"]),
            (["inputs", input, "params"], true) => {
                self.params(self.survey.contracts.get(*input).or_else(|| self.decoder(input)))
            }
            (["inputs", input, "params", param], false) => {
                self.values(self.survey.contracts.get(*input).or_else(|| self.decoder(input)), param)
            }
            (["inputs", _, "optional"], false) => words(&["true", "false"]),
            (["params", _], false) => self.targets(""),
            (["nodes", _], _) => self.described(&["$defs", "node", "properties"]),
            (["nodes", _, "type"], false) => self.types(),
            (["nodes", _, "graph"], false) => self.files(),
            (["nodes", _, "cache"] | ["inputs", _, "cache"], false) => {
                words(&["auto", "always", "never", "refresh"])
            }
            (["nodes", node, "in"], true) => self.ports(node),
            (["nodes", node, "in", port], false) => self.references(self.wanted(node, port), Some(node)),
            (["nodes", node, "params"], true) => match self.part(node) {
                Some(part) => self.targets(&part.inside()),
                None => self.params(self.contract(node)),
            },
            (["nodes", node, "params", param], false) => self.param_values(node, param),
            (["outputs", _], false) => self.references(None, None),
            _ => vec![],
        }
    }

    /// Keys with what the editor's schema says of them.
    fn described(&self, at: &[&str]) -> Vec<Choice> {
        let schema = schema::schema(self.look.registry);
        let found = at.iter().try_fold(&schema, |value, key| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            value => value.get(key),
        });
        let entries = found.and_then(Value::as_object).into_iter().flatten();
        let choices = entries.map(|(key, value)| {
            let doc = value["description"].as_str().unwrap_or_default();
            Choice::key(key, Kind::KEYWORD, "").doc(doc)
        });
        choices.collect()
    }

    fn artifacts(&self) -> Vec<Choice> {
        let types = ArtifactType::ALL.iter().flat_map(|ty| {
            let file = self.look.registry.decoder(*ty).is_some();
            let whose = if file { "a file" } else { "of a part" };
            let one = Choice { fits: file, ..Choice::new(ty.name(), Kind::CLASS, whose) };
            let many = Choice::new(format!("{SEQUENCE}{ty}"), Kind::CLASS, "along time, of a part");
            [one.doc(ty.doc()), Choice { fits: false, ..many.doc(ty.doc()) }]
        });
        types.collect()
    }

    fn types(&self) -> Vec<Choice> {
        let contracts = self.look.registry.iter().map(NodeType::contract);
        let choice = |contract: &Contract| {
            Choice::new(&*contract.name, Kind::CLASS, &*contract.summary).doc(docs::page(contract))
        };
        contracts.map(choice).collect()
    }

    /// Graph files beside this one and in folders below.
    fn files(&self) -> Vec<Choice> {
        let Some(folder) = self.document.path.parent() else { return vec![] };
        let folders = folder.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let below: Vec<_> = folders.filter(|path| path.is_dir()).collect();
        let mut found = vec![];
        for around in below.iter().map(AsRef::as_ref).chain([folder]) {
            let files = around.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
            let is_graph = |path: &std::path::PathBuf| {
                path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
                    && *path != self.document.path
            };
            for file in files.filter(is_graph) {
                let name = file.strip_prefix(folder).ok().and_then(Path::to_str).map(str::to_owned);
                found.extend(name.map(|name| Choice::new(name, Kind::FILE, "a part")));
            }
        }
        found
    }

    fn part(&self, node: &str) -> Option<&PartSpec> {
        self.spec.parts.iter().find(|part| part.id.value == node)
    }

    /// The contract of a node's use, or of its type where the node is not whole yet.
    fn contract(&self, node: &str) -> Option<&Contract> {
        self.survey.contracts.get(node).or_else(|| {
            let ty = &self.spec.nodes.iter().find(|known| known.id.value == node)?.ty.value;
            Some(self.look.registry.get(ty)?.contract())
        })
    }

    fn general(&self, node: &str) -> Option<&Contract> {
        let ty = &self.spec.nodes.iter().find(|known| known.id.value == node)?.ty.value;
        Some(self.look.registry.get(ty)?.contract())
    }

    fn decoder(&self, input: &str) -> Option<&Contract> {
        let input = self.spec.inputs.iter().find(|known| known.name.value == input)?;
        let ty = ArtifactType::ALL.iter().find(|ty| ty.name() == input.ty.value)?;
        Some(self.look.registry.decoder(*ty)?.contract())
    }

    fn ports(&self, node: &str) -> Vec<Choice> {
        if let Some(part) = self.part(node) {
            let inputs = part.inputs.iter().map(|input| {
                let along = if input.sequence { SEQUENCE } else { "" };
                let optional = if input.optional { ", optional" } else { "" };
                let detail = format!("{along}{}{optional}", input.ty.value);
                Choice::key(&input.name.value, Kind::FIELD, detail)
            });
            return inputs.collect();
        }
        // The contract of this use has only the ports that go together with those that are connected: all that there are are offered.
        let mut ports = BTreeMap::new();
        for contract in [self.general(node), self.contract(node)].into_iter().flatten() {
            for input in &contract.inputs {
                ports.insert(input.name.to_string(), input);
            }
        }
        let ports = ports.into_values();
        let choice = |input: &talkgraph_nodes::contract::Input| Choice {
            fits: input.required,
            ..Choice::key(&*input.name, Kind::FIELD, docs::takes_input(input)).doc(&*input.doc)
        };
        ports.map(choice).collect()
    }

    /// What a port takes: type and whether along time.
    fn wanted(&self, node: &str, port: &str) -> Option<(ArtifactType, bool)> {
        if let Some(part) = self.part(node) {
            let input = part.inputs.iter().find(|input| input.name.value == port)?;
            let ty = ArtifactType::ALL.iter().find(|ty| ty.name() == input.ty.value)?;
            let decoder = self.look.registry.decoder(*ty).filter(|_| !input.sequence);
            let decoded = decoder.and_then(|decoder| decoder.contract().outputs.first());
            return Some(decoded.map_or((*ty, input.sequence), |out| (out.ty, out.sequence.is_some())));
        }
        let contracts = [self.contract(node), self.general(node)];
        let input = contracts.into_iter().flatten().find_map(|contract| contract.find_input(port))?;
        Some((input.ty, input.arity != Arity::Value))
    }

    /// References to all outputs and inputs, those that fit first.
    fn references(&self, wanted: Option<(ArtifactType, bool)>, own: Option<&str>) -> Vec<Choice> {
        let mut references = vec![];
        for input in &self.spec.inputs {
            references.push((Reference { node: input.name.value.clone(), port: None }, Kind::VARIABLE));
            let more = self.survey.contracts.get(&input.name.value).map(|contract| &contract.outputs);
            for output in more.into_iter().flatten().skip(1) {
                let port = Some(output.name.to_string());
                references.push((Reference { node: input.name.value.clone(), port }, Kind::VARIABLE));
            }
        }
        let local = |id: &str| !id.contains(SEPARATOR) && Some(id) != own;
        for part in self.spec.parts.iter().filter(|part| local(&part.id.value)) {
            for output in &part.outputs {
                let port = Some(output.name.value.clone());
                references.push((Reference { node: part.id.value.clone(), port }, Kind::MODULE));
            }
        }
        for node in self.spec.nodes.iter().filter(|node| local(&node.id.value)) {
            for output in self.contract(&node.id.value).iter().flat_map(|contract| &contract.outputs) {
                let port = Some(output.name.to_string());
                references.push((Reference { node: node.id.value.clone(), port }, Kind::METHOD));
            }
        }
        let choice = |(reference, kind): &(Reference, Kind)| {
            let output = self.output(reference);
            let fits = wanted.zip(output).is_none_or(|((ty, sequence), output)| {
                ty.accepts(output.ty) && sequence == output.sequence.is_some()
            });
            let label = super::hover::written(reference);
            let detail = output.map(docs::gives).unwrap_or_default();
            let doc = output.map(|output| output.doc.to_string()).unwrap_or_default();
            Choice { fits, ..Choice::new(label, *kind, detail).doc(doc) }
        };
        references.iter().map(choice).collect()
    }

    fn output(&self, reference: &Reference) -> Option<&talkgraph_nodes::contract::Output> {
        super::hover::output(self.survey, self.spec, &self.names, "", reference)
    }

    fn params(&self, contract: Option<&Contract>) -> Vec<Choice> {
        let params = contract.into_iter().flat_map(|contract| &contract.params);
        let choice = |param: &talkgraph_nodes::contract::Param| {
            let doc = format!("{}; {}", param.doc, crate::check::params::takes(&param.kind));
            let detail = format!("= {}", docs::default(param));
            Choice {
                fits: param.default.is_none(),
                ..Choice::key(&*param.name, Kind::PROPERTY, detail).doc(doc)
            }
        };
        params.map(choice).collect()
    }

    /// Parameters that can be set in the graph or part whose scope this is.
    fn targets(&self, scope: &str) -> Vec<Choice> {
        let mut found: Vec<Choice> = vec![];
        let part = self.spec.parts.iter().find(|part| part.inside() == scope);
        if let Some(part) = part {
            let targets = |alias: &crate::spec::AliasSpec| {
                alias.targets.iter().map(|target| target.value.clone()).collect::<Vec<_>>().join(", ")
            };
            let own = part.params.iter();
            found.extend(own.map(|alias| Choice::key(&alias.name.value, Kind::PROPERTY, targets(alias))));
        }
        for inner in self.spec.parts.iter().filter(|part| part.scope == scope) {
            let local = inner.id.value.strip_prefix(scope).unwrap_or(&inner.id.value);
            let aliases = inner.params.iter();
            found.extend(aliases.map(|alias| {
                Choice::key(format!("{local}.{}", alias.name.value), Kind::PROPERTY, "of the part")
            }));
        }
        for node in &self.spec.nodes {
            let Some(local) = node.id.value.strip_prefix(scope) else { continue };
            for param in self.contract(&node.id.value).iter().flat_map(|contract| &contract.params) {
                let doc = format!("{}; {}", param.doc, crate::check::params::takes(&param.kind));
                let detail = format!("= {}", docs::default(param));
                let label = format!("{local}.{}", param.name);
                let fits = !local.contains(SEPARATOR);
                found.push(Choice { fits, ..Choice::key(label, Kind::PROPERTY, detail).doc(doc) });
            }
        }
        found
    }

    fn param_values(&self, node: &str, param: &str) -> Vec<Choice> {
        let Some(part) = self.part(node) else { return self.values(self.contract(node), param) };
        let targets = self.spec.targets(&part.inside(), param).unwrap_or_default();
        let first = targets.first();
        first.map(|(node, param)| self.values(self.contract(node), param)).unwrap_or_default()
    }

    /// Values of a parameter: those that it has by name, and its default.
    fn values(&self, contract: Option<&Contract>, param: &str) -> Vec<Choice> {
        let Some(param) = contract.and_then(|contract| contract.find_param(param)) else { return vec![] };
        let mut choices = match &param.kind {
            ParamKind::Bool => words(&["true", "false"]),
            ParamKind::Choice { options } => {
                options.iter().map(|option| Choice::new(&**option, Kind::ENUM_MEMBER, "")).collect()
            }
            _ => vec![],
        };
        let default = param
            .default
            .as_ref()
            .filter(|default| !matches!(default, ParamValue::Text(text) if text.is_empty()));
        if default.is_some() {
            let label = docs::default(param);
            match choices.iter_mut().find(|choice| choice.label == label) {
                Some(choice) => choice.detail = "the default".into(),
                None => choices.push(Choice::new(label, Kind::VALUE, "the default")),
            }
        }
        choices.into_iter().map(|choice| choice.doc(&*param.doc)).collect()
    }
}

fn words(words: &[&str]) -> Vec<Choice> {
    words.iter().map(|word| Choice::new(*word, Kind::VALUE, "")).collect()
}

/// The output that a way through parts leads to.
pub fn output_of<'s>(
    survey: &'s Survey,
    spec: &'s GraphSpec,
    way: &Way<'_>,
) -> Option<&'s talkgraph_nodes::contract::Output> {
    let Way::To { origin, port, .. } = way else { return None };
    let (name, is_input) = match origin {
        Origin::Input(number) => (&spec.inputs[*number].name.value, true),
        Origin::Node(number) => (&spec.nodes[*number].id.value, false),
    };
    let contract = survey.contracts.get(name)?;
    match port {
        Some(port) => contract.find_output(port),
        None if is_input => contract.outputs.first(),
        None => None,
    }
}
