//! Graph files used as nodes: reads them, and lays what is in them beside the nodes of the graph.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use talkgraph_nodes::contract::CacheMode;

use super::{
    At, Entry, FileSpec, GraphSpec, Kind, Mistakes, NodeSpec, ParamSpec, PartSpec, SEPARATOR, Scalar, Spot,
    decode, read,
};
use crate::{error::Diagnostic, suggest};

/// Most parts inside one another.
const MOST_DEEP: usize = 16;
/// Most nodes with those of all parts: parts in parts multiply.
const MOST_NODES: usize = 20_000;

/// Gives the text of a file that is being edited and not saved, by its name on disk.
pub(crate) type Unsaved<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// The graph with all its parts, whose files are read here unless `unsaved` has them. Mistakes on the way are reported; what they are of is
/// left out.
pub(crate) fn expand(root: FileSpec, mistakes: &mut Mistakes, unsaved: Unsaved<'_>) -> GraphSpec {
    let FileSpec { file, name, fps, inputs, params, nodes, outputs } = root;
    let graph =
        GraphSpec { file, name, fps, inputs, params, nodes: vec![], parts: vec![], unread: vec![], outputs };
    let around = vec![(canonical(&graph.file), graph.file.clone())];
    let mut expander = Expander { graph, mistakes, read: HashMap::new(), around, is_full: false, unsaved };
    expander.entries(nodes, &Around { scope: String::new(), cache: CacheMode::Auto, fps: None });
    expander.graph
}

/// What the graphs around some nodes say of all of them.
struct Around {
    scope: String,
    cache: CacheMode,
    fps: Option<At<Scalar>>,
}

struct Expander<'m> {
    graph: GraphSpec,
    mistakes: &'m mut Mistakes,
    /// Files read so far; `None`: one that has no graph.
    read: HashMap<PathBuf, Option<FileSpec>>,
    /// The file that is being expanded behind those that it is in: what it is on disk, and as it was named.
    around: Vec<(PathBuf, PathBuf)>,
    is_full: bool,
    unsaved: Unsaved<'m>,
}

impl Expander<'_> {
    fn entries(&mut self, entries: Vec<Entry>, around: &Around) {
        for Entry { mut id, kind, inputs, params, cache } in entries {
            // However many nodes the graph itself has, its file is bounded.
            if self.around.len() > 1 && self.graph.nodes.len() >= MOST_NODES {
                if !std::mem::replace(&mut self.is_full, true) {
                    let message =
                        format!("the graph has more than {MOST_NODES} nodes, those of parts included");
                    self.mistakes.error(id.spot, message);
                }
                return;
            }
            id.value.insert_str(0, &around.scope);
            let cache = if cache == CacheMode::Auto { around.cache } else { cache };
            let (scope, fps) = (around.scope.clone(), around.fps.clone());
            match kind {
                Kind::Type(ty) => {
                    self.graph.nodes.push(NodeSpec { id, scope, ty, inputs, params, cache, fps });
                }
                Kind::Part(path) => {
                    let Some(file) = self.open(&id.value, &path) else {
                        self.graph.unread.push(id.value);
                        continue;
                    };
                    let part = PartSpec {
                        id,
                        scope,
                        file: file.file,
                        connections: inputs,
                        inputs: file.inputs,
                        outputs: file.outputs,
                        params: file.params,
                        fps: file.fps,
                    };
                    let inside =
                        Around { scope: part.inside(), cache, fps: fps.or_else(|| part.fps.clone()) };
                    let owner = format!("node `{}`", part.id.value);
                    self.graph.parts.push(part);
                    self.entries(file.nodes, &inside);
                    self.around.pop();
                    params.into_iter().for_each(|param| self.set(&owner, &inside.scope, param));
                }
            }
        }
    }

    /// The graph in the file that `path` names, which is then the innermost.
    fn open(&mut self, id: &str, path: &At<String>) -> Option<FileSpec> {
        let shown = joined(self.mistakes.folder(path.spot), &path.value);
        let file = canonical(&shown);
        if let Some(first) = self.around.iter().position(|(around, _)| *around == file) {
            let way = self.around[first..].iter().map(|(_, shown)| shown.display().to_string());
            let way: Vec<_> = way.chain([shown.display().to_string()]).collect();
            let message = format!("node `{id}`: a graph cannot be a part of itself: {}", way.join(" → "));
            self.mistakes.error(path.spot, message);
            return None;
        }
        if self.around.len() > MOST_DEEP {
            let message = format!("node `{id}`: more than {MOST_DEEP} parts inside one another");
            self.mistakes.error(path.spot, message);
            return None;
        }
        let spec = match self.read.get(&file) {
            Some(known) => known.clone(),
            None => {
                let spec = self.load(id, path.spot, &shown);
                self.read.insert(file.clone(), spec.clone());
                spec
            }
        }?;
        self.around.push((file, shown));
        Some(spec)
    }

    fn load(&mut self, id: &str, spot: Spot, file: &Path) -> Option<FileSpec> {
        let place = self.mistakes.place(spot);
        let mut refused = |diagnostic: Diagnostic| {
            self.mistakes.push(diagnostic.at(place.clone()));
        };
        if let Some(text) = (self.unsaved)(&canonical(file)) {
            self.mistakes.open(file);
            return read(file, &text, self.mistakes);
        }
        let bytes = match talkgraph_yaml::read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("node `{id}`: cannot read the part {}", file.display());
                refused(
                    Diagnostic::error(message)
                        .caused_by(&error)
                        .hint("parts are relative to the file that names them"),
                );
                return None;
            }
        };
        let text = match decode(bytes) {
            Ok(text) => text,
            Err(found) => {
                refused(Diagnostic::error(format!("node `{id}`: part {}: {found}", file.display())));
                return None;
            }
        };
        self.mistakes.open(file);
        read(file, &text, self.mistakes)
    }

    /// Sets parameters of nodes in a part to what the graph around it says.
    fn set(&mut self, owner: &str, scope: &str, param: ParamSpec) {
        let targets = match self.graph.targets(scope, &param.name.value) {
            Ok(targets) => targets,
            Err(hint) => {
                let message = format!("{owner}: the part has no parameter `{}`", param.name.value);
                self.mistakes.error(param.name.spot, message).hint = Some(hint);
                return;
            }
        };
        for (node, name) in targets {
            let Some(node) = self.graph.nodes.iter_mut().find(|known| known.id.value == node) else {
                continue;
            };
            let given =
                ParamSpec { name: At { value: name, spot: param.name.spot }, value: param.value.clone() };
            match node.params.iter_mut().find(|known| known.name.value == given.name.value) {
                Some(known) => *known = given,
                None => node.params.push(given),
            }
        }
    }
}

impl GraphSpec {
    /// The parameters, each with its node, that `text` sets in the graph or part whose scope is `scope`: `node.param`, or the name of a
    /// parameter of the whole graph or part. Fails with a hint when there is no such thing; whether nodes have the parameters is
    /// not looked at.
    pub(crate) fn targets(&self, scope: &str, text: &str) -> Result<Vec<(String, String)>, String> {
        let Some((node, param)) = text.split_once('.') else {
            let aliases = match scope.is_empty() {
                true => &self.params,
                false => self
                    .parts
                    .iter()
                    .find(|part| part.inside() == scope)
                    .map_or(&self.params, |part| &part.params),
            };
            let found = aliases.iter().find(|alias| alias.name.value == text);
            let alias = found.ok_or_else(|| {
                let names = aliases.iter().map(|alias| alias.name.value.as_str());
                suggest::hint(text, names, "write `node.param`: it names no parameters of its own")
            })?;
            let targets = alias.targets.iter().map(|target| self.targets(scope, &target.value));
            return Ok(targets.collect::<Result<Vec<_>, _>>()?.concat());
        };
        let full = format!("{scope}{node}");
        if self.parts.iter().any(|part| part.id.value == full) {
            return self.targets(&format!("{full}{SEPARATOR}"), param);
        }
        if self.nodes.iter().any(|known| known.id.value == full)
            || (scope.is_empty() && self.inputs.iter().any(|input| input.name.value == node))
        {
            return Ok(vec![(full, param.to_owned())]);
        }
        Err(suggest::hint(node, self.names(scope), "it has no nodes"))
    }

    /// Names of inputs, nodes and parts that references in `scope` can begin with, and of nodes in those parts.
    pub(crate) fn names<'s>(&'s self, scope: &'s str) -> impl Iterator<Item = &'s str> {
        let inputs =
            self.inputs.iter().filter(move |_| scope.is_empty()).map(|input| input.name.value.as_str());
        let nodes = self.nodes.iter().map(|node| node.id.value.as_str());
        let parts = self.parts.iter().map(|part| part.id.value.as_str());
        inputs.chain(nodes.chain(parts).filter_map(move |id| id.strip_prefix(scope)))
    }
}

/// `path` seen from `folder`, without needless dots.
fn joined(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.strip_prefix("./").unwrap_or(path))
}

/// What a file is on disk, to tell whether two names are of one file.
pub(crate) fn canonical(file: &Path) -> PathBuf {
    file.canonicalize().or_else(|_| std::path::absolute(file)).unwrap_or_else(|_| file.to_owned())
}
