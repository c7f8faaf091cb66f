//! The contract of a node type: what it takes, gives, reads and how it treats time. The engine knows nothing else of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use talkgraph_models::param::ParamValue;

use crate::artifact::ArtifactType;
pub use crate::rate::Rate;

/// Text that is mostly static.
pub type Text = Cow<'static, str>;

/// How a node type treats time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Time {
    /// Needs whole inputs, runs once. Its sequence outputs are emitted chunk by chunk while it runs.
    Value,
    /// Output chunk k needs chunk k of its chunked inputs and whole values: any order, in parallel.
    Map,
    /// Like `Map`, with a state carried from chunk to chunk.
    Scan,
    /// Eats its chunked inputs in order and gives values.
    Reduce,
}

/// Which pool of threads a body runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Computes on the CPU without ONNX Runtime, or is quick.
    Cpu,
    /// Runs models: the device's pool (`gpu:N`, else `cpu`).
    Model,
    /// Waits for disks and codecs.
    Io,
}

/// How the store treats the outputs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheMode {
    /// What the node type's contract says.
    Auto,
    /// Store the outputs.
    Always,
    /// Do not store them: identify them by their action.
    Never,
    /// Run again, then store.
    Refresh,
}

/// How an input port wants a sequence, or that it wants a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arity {
    /// One value.
    Value,
    /// A sequence, one chunk at a time, in step with the node's other chunked ports.
    Chunk,
    /// A sequence as a whole (read lazily, chunk by chunk, once it is complete).
    Sequence,
}

/// An input port.
#[derive(Clone, Debug, Serialize)]
pub struct Input {
    /// Name in graph files.
    pub name: Text,
    /// What it takes.
    #[serde(rename = "type")]
    pub ty: ArtifactType,
    /// Value, chunk or sequence.
    pub arity: Arity,
    /// Whether it must be connected.
    pub required: bool,
    /// One line.
    pub doc: Text,
}

/// An output port.
#[derive(Clone, Debug, Serialize)]
pub struct Output {
    /// Name in graph files.
    pub name: Text,
    /// What it gives.
    #[serde(rename = "type")]
    pub ty: ArtifactType,
    /// `None`: a value. `Some`: a sequence.
    pub sequence: Option<SequenceRate>,
    /// Whether `cache: auto` stores it.
    pub stored: bool,
    /// How the name of the user's file decides what kind of file this is; `None`: its type says it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named: Option<Named>,
    /// One line.
    pub doc: Text,
}

impl Output {
    /// Endings of the names that this output's file may have; none: any name.
    pub fn endings(&self) -> Vec<&str> {
        match &self.named {
            Some(named) => named.endings.iter().map(|(ending, _)| ending.as_ref()).collect(),
            None => self.ty.endings().to_vec(),
        }
    }
}

/// A parameter that follows the ending of the file's name: `-o video=me.webm` asks for WebM. What the graph or `--set`
/// says comes first.
#[derive(Clone, Debug, Serialize)]
pub struct Named {
    /// The parameter, a choice.
    pub param: Text,
    /// Endings in lower case, without the dot, with the value that each stands for.
    pub endings: Vec<(Text, Text)>,
    /// The value where the file has no name: standard output and pipes. `None`: the parameter's default.
    pub stream: Option<Text>,
}

impl Named {
    /// The value that `ending` stands for.
    pub fn value(&self, ending: &str) -> Option<&str> {
        self.endings.iter().find(|(one, _)| one == ending).map(|(_, value)| value.as_ref())
    }
}

/// Where a sequence output's frame rate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SequenceRate {
    /// This rate.
    Fixed(Rate),
    /// That of the chunked inputs.
    Inherited,
}

/// The values that a parameter takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ParamKind {
    /// `true` or `false`.
    Bool,
    /// A whole number within bounds, both included.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A number within bounds, both included.
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// Frames a second, within [`Rate::BOUNDS`]: a whole number, a decimal or a fraction. Its value is [`Rate::param`].
    Rate,
    /// One of these words.
    Choice {
        /// The words.
        options: Vec<Text>,
    },
    /// Any text.
    Text,
    /// A file, relative to the graph file; its content enters the key, not its path.
    File,
}

/// A parameter.
#[derive(Clone, Debug, Serialize)]
pub struct Param {
    /// Name in graph files.
    pub name: Text,
    /// What it takes.
    #[serde(flatten)]
    pub kind: ParamKind,
    /// Value when neither the graph nor the pack gives one; `None`: required.
    pub default: Option<ParamValue>,
    /// One or two lines, with the unit.
    pub doc: Text,
}

/// What a node type promises.
#[derive(Clone, Debug, Serialize)]
pub struct Contract {
    /// Type name in graph files.
    pub name: Text,
    /// Raised whenever the same inputs may give other outputs.
    pub version: u32,
    /// How it treats time.
    pub time: Time,
    /// Where it runs.
    pub pool: Pool,
    /// One line.
    pub summary: Text,
    /// A few lines of Markdown: what it computes, units, sources.
    pub doc: Text,
    /// Input ports.
    pub inputs: Vec<Input>,
    /// Output ports.
    pub outputs: Vec<Output>,
    /// Parameters.
    pub params: Vec<Param>,
    /// For a type that turns a graph input's file into an artifact: the type of graph input it serves.
    pub decodes: Option<ArtifactType>,
    /// Where its file may be a folder: endings, in lower case and without the dot, of the names of files that count there; none: all
    /// files do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folder: Vec<Text>,
}

/// A contract under construction; every method is one line of a contract.
impl Contract {
    /// A contract with no ports and no parameters.
    pub fn new(name: &'static str, version: u32, time: Time, pool: Pool, summary: &'static str) -> Self {
        Self {
            name: name.into(),
            version,
            time,
            pool,
            summary: summary.into(),
            doc: "".into(),
            inputs: vec![],
            outputs: vec![],
            params: vec![],
            decodes: None,
            folder: vec![],
        }
    }

    /// Adds the long documentation.
    #[must_use]
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc.into();
        self
    }

    /// Adds an input port.
    #[must_use]
    pub fn input(
        mut self,
        name: impl Into<Text>,
        ty: ArtifactType,
        arity: Arity,
        doc: impl Into<Text>,
    ) -> Self {
        self.inputs.push(Input { name: name.into(), ty, arity, required: true, doc: doc.into() });
        self
    }

    /// Adds an input port that may stay unconnected.
    #[must_use]
    pub fn optional(
        mut self,
        name: impl Into<Text>,
        ty: ArtifactType,
        arity: Arity,
        doc: impl Into<Text>,
    ) -> Self {
        self.inputs.push(Input { name: name.into(), ty, arity, required: false, doc: doc.into() });
        self
    }

    /// Adds a stored value output.
    #[must_use]
    pub fn output(mut self, name: impl Into<Text>, ty: ArtifactType, doc: impl Into<Text>) -> Self {
        self.outputs.push(Output {
            name: name.into(),
            ty,
            sequence: None,
            stored: true,
            named: None,
            doc: doc.into(),
        });
        self
    }

    /// Adds a stored sequence output.
    #[must_use]
    pub fn sequence(
        mut self,
        name: impl Into<Text>,
        ty: ArtifactType,
        rate: SequenceRate,
        doc: impl Into<Text>,
    ) -> Self {
        let output = Output {
            name: name.into(),
            ty,
            sequence: Some(rate),
            stored: true,
            named: None,
            doc: doc.into(),
        };
        self.outputs.push(output);
        self
    }

    /// Marks the last output as too bulky to store under `cache: auto`.
    #[must_use]
    pub fn unstored(mut self) -> Self {
        if let Some(output) = self.outputs.last_mut() {
            output.stored = false;
        }
        self
    }

    /// Says that the name of the last output's file decides the choice `param`; see [`Named`].
    #[must_use]
    pub fn named(
        mut self,
        param: &'static str,
        endings: &[(&'static str, &'static str)],
        stream: Option<&'static str>,
    ) -> Self {
        let endings = endings.iter().map(|&(ending, value)| (ending.into(), value.into())).collect();
        if let Some(output) = self.outputs.last_mut() {
            output.named = Some(Named { param: param.into(), endings, stream: stream.map(Into::into) });
        }
        self
    }

    /// Adds a parameter with a default.
    #[must_use]
    pub fn param(
        mut self,
        name: impl Into<Text>,
        kind: ParamKind,
        default: ParamValue,
        doc: impl Into<Text>,
    ) -> Self {
        self.params.push(Param { name: name.into(), kind, default: Some(default), doc: doc.into() });
        self
    }

    /// Adds a parameter that must be given.
    #[must_use]
    pub fn required_param(mut self, name: impl Into<Text>, kind: ParamKind, doc: impl Into<Text>) -> Self {
        self.params.push(Param { name: name.into(), kind, default: None, doc: doc.into() });
        self
    }

    /// Says that this type decodes graph inputs of type `ty`; its input port is called `file`.
    #[must_use]
    pub fn decodes(mut self, ty: ArtifactType) -> Self {
        self.decodes = Some(ty);
        self
    }

    /// Says which of a folder's files count, by the endings of their names; see [`Contract::folder`].
    #[must_use]
    pub fn folder(mut self, endings: &[&'static str]) -> Self {
        self.folder = endings.iter().map(|&ending| ending.into()).collect();
        self
    }

    /// The input port called `name`.
    pub fn find_input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// The output port called `name`.
    pub fn find_output(&self, name: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// The parameter called `name`.
    pub fn find_param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }
}
