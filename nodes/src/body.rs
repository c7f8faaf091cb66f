//! The bodies of node types and what the engine offers them.
//!
//! A body runs on a blocking thread. It reads its [`Inputs`], asks the [`Context`] for models, progress and
//! cancellation, and gives artifacts by port name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use talkgraph_cache::Digest;

use crate::{
    artifact::{Artifact, Audio, FileRef, Value},
    contract::{Contract, Rate},
    error::{NodeError, Result},
    models::Models,
    optimise::Watch,
    params::Params,
    tensor::Tensors,
};

/// A node type: its contract, what enters its key, and its body.
pub trait NodeType: Send + Sync {
    /// The general contract, as documented and as checked in graph files.
    fn contract(&self) -> &Contract;

    /// The contract of one node: which ports are connected and the parameters may settle how it treats time, its
    /// ports or its rate. The default is the general contract.
    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let _ = use_;
        Ok(self.contract().clone())
    }

    /// The roles whose model files enter the key and which the body may ask for. Optional roles that the pack lacks
    /// are left out.
    fn roles(&self, params: &Params, models: &Models) -> Result<Vec<String>> {
        let _ = (params, models);
        Ok(vec![])
    }

    /// Further facts that change the output, as (name, value): library versions, for example.
    fn facts(&self) -> Vec<(&'static str, String)> {
        vec![]
    }

    /// Makes the body for one run of one node. Nothing heavy: models are loaded when the body first needs them.
    fn body(&self, params: &Params, contract: &Contract) -> Result<Body>;
}

/// How a graph uses a node type.
#[derive(Debug)]
pub struct NodeUse<'a> {
    /// Parameters, defaults filled in.
    pub params: &'a Params,
    /// Names of the connected input ports.
    pub connected: &'a BTreeSet<String>,
    /// The folder that file parameters are relative to.
    pub folder: &'a Path,
}

/// A body by the way it treats time. Must agree with the resolved contract.
pub enum Body {
    /// See [`ValueBody`].
    Value(Box<dyn ValueBody>),
    /// See [`MapBody`].
    Map(Arc<dyn MapBody>),
    /// See [`ScanBody`].
    Scan(Box<dyn ScanBody>),
    /// See [`ReduceBody`].
    Reduce(Box<dyn ReduceBody>),
}

/// Runs once over whole inputs.
pub trait ValueBody: Send {
    /// Computes the outputs. Value outputs are given once, sequence outputs chunk by chunk in order.
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()>;
}

/// Gives output chunk k from input chunk k. Called from several threads at once.
pub trait MapBody: Send + Sync {
    /// Computes one chunk.
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs>;
}

/// Like [`MapBody`] with a state.
pub trait ScanBody: Send {
    /// Computes one chunk and the state after it. `state` is `None` before the first chunk.
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        ctx: &Context<'_>,
    ) -> Result<(Outputs, Tensors)>;
}

/// Eats chunks in order, then gives values.
pub trait ReduceBody: Send {
    /// Takes one chunk; value inputs are present every time.
    fn push(&mut self, inputs: &Inputs, ctx: &Context<'_>) -> Result<()>;
    /// Gives the outputs after the last chunk.
    fn finish(&mut self, ctx: &Context<'_>) -> Result<Outputs>;
}

/// Where a [`ValueBody`] puts its outputs.
pub trait Emit {
    /// Gives a value output.
    fn value(&mut self, port: &str, value: Value) -> Result<()>;
    /// Gives the next chunk of a sequence output. Waits while consumers are far behind; fails when cancelled.
    fn chunk(&mut self, port: &str, value: Value) -> Result<()>;
}

/// Outputs by port.
pub type Outputs = BTreeMap<String, Value>;

/// A sequence that is read chunk by chunk.
pub trait Sequence: Send + Sync {
    /// Number of chunks.
    fn len(&self) -> usize;
    /// Whether there are no chunks.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Chunk `k`.
    fn chunk(&self, k: usize) -> Result<Artifact>;
}

/// One input port's content.
#[derive(Clone)]
pub enum Input {
    /// A value, or the current chunk.
    Value(Artifact),
    /// A whole sequence.
    Sequence(Arc<dyn Sequence>),
}

/// A node's inputs.
#[derive(Clone, Default)]
pub struct Inputs {
    ports: BTreeMap<String, Input>,
    chunk: usize,
    rate: Option<Rate>,
}

impl Inputs {
    /// Inputs by port. `chunk` is the index of the current chunk, `rate` the frame rate of the chunked ports.
    pub fn new(ports: BTreeMap<String, Input>, chunk: usize, rate: Option<Rate>) -> Self {
        Self { ports, chunk, rate }
    }

    /// Index of the current chunk. For messages only: it is no part of the key.
    pub fn chunk_index(&self) -> usize {
        self.chunk
    }

    /// Frame rate of the chunked ports; without any, of the whole sequences.
    pub fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Whether `port` is connected.
    pub fn has(&self, port: &str) -> bool {
        self.ports.contains_key(port)
    }

    /// The value or current chunk at `port`.
    pub fn value(&self, port: &str) -> Result<&Artifact> {
        match self.ports.get(port) {
            Some(Input::Value(value)) => Ok(value),
            Some(Input::Sequence(_)) => {
                Err(NodeError::input(format!("port `{port}`: expected a value, found a sequence")))
            }
            None => Err(NodeError::input(format!("port `{port}` is not connected"))),
        }
    }

    /// The whole sequence at `port`.
    pub fn sequence(&self, port: &str) -> Result<&Arc<dyn Sequence>> {
        match self.ports.get(port) {
            Some(Input::Sequence(sequence)) => Ok(sequence),
            Some(Input::Value(_)) => {
                Err(NodeError::input(format!("port `{port}`: expected a sequence, found a value")))
            }
            None => Err(NodeError::input(format!("port `{port}` is not connected"))),
        }
    }

    /// The tensors at `port`.
    pub fn tensors(&self, port: &str) -> Result<&Tensors> {
        self.value(port)?.tensors().map_err(|error| error.at_port(port))
    }

    /// The picture at `port`.
    pub fn image(&self, port: &str) -> Result<&image::RgbImage> {
        self.value(port)?.image().map_err(|error| error.at_port(port))
    }

    /// The sound at `port`.
    pub fn audio(&self, port: &str) -> Result<&Audio> {
        self.value(port)?.audio().map_err(|error| error.at_port(port))
    }

    /// The file at `port`.
    pub fn file(&self, port: &str) -> Result<&FileRef> {
        self.value(port)?.file().map_err(|error| error.at_port(port))
    }

    /// The JSON at `port`.
    pub fn json(&self, port: &str) -> Result<&serde_json::Value> {
        self.value(port)?.json().map_err(|error| error.at_port(port))
    }
}

/// What the engine does for a running body.
pub trait Host: Send + Sync {
    /// Whether the run was cancelled; bodies ask between chunks and steps.
    fn cancelled(&self) -> bool;
    /// Tells how far the body is, in units of its own.
    fn progress(&self, done: u64, total: Option<u64>);
    /// A fact for the run report, stored with the action so that cached runs report it too.
    fn note(&self, name: &str, value: serde_json::Value);
    /// A warning for the user.
    fn warn(&self, message: &str);
    /// The checkpoint that an earlier, killed run of the same action left.
    fn checkpoint(&self) -> Result<Option<Vec<u8>>>;
    /// Replaces the checkpoint; it is dropped once the action is recorded.
    fn save_checkpoint(&self, bytes: &[u8]) -> Result<()>;
    /// A folder for unfinished files, on the store's file system, removed after the node has ended.
    fn scratch(&self) -> &Path;
    /// Digest of the action being run.
    fn action(&self) -> Digest;
}

/// What a body can ask for.
pub struct Context<'a> {
    /// The engine.
    pub host: &'a dyn Host,
    /// The pack and the ONNX Runtime sessions.
    pub models: &'a Models,
}

impl Context<'_> {
    /// Fails with [`NodeError::cancelled`] once the run was cancelled.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.host.cancelled() { Err(NodeError::cancelled()) } else { Ok(()) }
    }
}

impl Watch for Context<'_> {
    fn cancelled(&self) -> bool {
        self.host.cancelled()
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.host.progress(done, total);
    }

    fn warn(&self, message: &str) {
        self.host.warn(message);
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        self.host.checkpoint()
    }

    fn save_checkpoint(&self, bytes: &[u8]) -> Result<()> {
        self.host.save_checkpoint(bytes)
    }
}

macro_rules! payload {
    ($name:ident, $variant:ident, $type:ty, $word:literal) => {
        #[doc = concat!("The payload as ", $word, "; an error for another kind of value.")]
        pub fn $name(&self) -> Result<&$type> {
            match self {
                Value::$variant(payload) => Ok(payload),
                other => {
                    Err(NodeError::input(format!(concat!("expected ", $word, ", found {}"), other.kind())))
                }
            }
        }
    };
}

impl Value {
    payload!(tensors, Tensors, Tensors, "tensors");
    payload!(image, Image, image::RgbImage, "an image");
    payload!(audio, Audio, Audio, "audio");
    payload!(file, File, FileRef, "a file");
    payload!(json, Json, serde_json::Value, "JSON");

    /// The kind of value in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Image(_) => "an image",
            Self::Audio(_) => "audio",
            Self::Tensors(_) => "tensors",
            Self::Json(_) => "JSON",
            Self::File(_) => "a file",
        }
    }
}
