//! What the bodies' tests share: a host that records what a body says, a collector of its outputs, and short ways to
//! make inputs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use ffmpeg_next::{Packet, format, media};
use talkgraph_cache::Digest;
use talkgraph_media::{AudioReader, Session};
pub(crate) use talkgraph_models::testing::{tiny_models, tiny_models_in, tiny_models_on};
use tempfile::TempDir;

use crate::{
    artifact::{Artifact, ArtifactType, FileRef, Value},
    body::{Body, Context, Emit, Host, Input, Inputs, NodeType, NodeUse, Outputs, Sequence},
    contract::{Contract, ParamValue, Rate},
    error::Result,
    models::Models,
    params::Params,
    registry::Registry,
};

/// Records notes, warnings and the last progress; never cancels unless told to.
pub(crate) struct TestHost {
    pub(crate) notes: Mutex<BTreeMap<String, serde_json::Value>>,
    pub(crate) warnings: Mutex<Vec<String>>,
    pub(crate) done: Mutex<(u64, Option<u64>)>,
    pub(crate) cancel: AtomicBool,
    checkpoint: Mutex<Option<Vec<u8>>>,
    scratch: TempDir,
}

impl TestHost {
    pub(crate) fn new() -> Self {
        Self {
            notes: Mutex::default(),
            warnings: Mutex::default(),
            done: Mutex::default(),
            cancel: AtomicBool::new(false),
            checkpoint: Mutex::default(),
            scratch: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn noted(&self, name: &str) -> Option<serde_json::Value> {
        self.notes.lock().unwrap().get(name).cloned()
    }
}

impl Host for TestHost {
    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        *self.done.lock().unwrap() = (done, total);
    }

    fn note(&self, name: &str, value: serde_json::Value) {
        self.notes.lock().unwrap().insert(name.to_owned(), value);
    }

    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.checkpoint.lock().unwrap().clone())
    }

    fn save_checkpoint(&self, bytes: &[u8]) -> Result<()> {
        *self.checkpoint.lock().unwrap() = Some(bytes.to_vec());
        Ok(())
    }

    fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn action(&self) -> Digest {
        Digest::of(b"test")
    }
}

/// Keeps what a value body emits.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) values: BTreeMap<String, Artifact>,
    pub(crate) chunks: BTreeMap<String, Vec<Artifact>>,
}

impl Emit for Collected {
    fn value(&mut self, port: &str, value: Value) -> Result<()> {
        self.values.insert(port.to_owned(), Arc::new(value));
        Ok(())
    }

    fn chunk(&mut self, port: &str, value: Value) -> Result<()> {
        self.chunks.entry(port.to_owned()).or_default().push(Arc::new(value));
        Ok(())
    }
}

/// A sequence in memory.
pub(crate) struct InMemory(pub(crate) Vec<Artifact>);

impl Sequence for InMemory {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn chunk(&self, k: usize) -> Result<Artifact> {
        Ok(Arc::clone(&self.0[k]))
    }
}

/// The contract's defaults with `set` on top.
pub(crate) fn params(contract: &Contract, set: &[(&str, ParamValue)]) -> Params {
    let mut params = BTreeMap::new();
    for param in &contract.params {
        params.extend(param.default.clone().map(|value| (param.name.to_string(), value)));
    }
    params.extend(set.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Params(params)
}

/// Value inputs by port, as chunk `k` of a 25 frames a second sequence.
pub(crate) fn inputs(k: usize, ports: Vec<(&str, Value)>) -> Inputs {
    let ports = ports.into_iter().map(|(name, value)| (name.to_owned(), Input::Value(Arc::new(value))));
    Inputs::new(ports.collect(), k, Some(Rate::new(25, 1)))
}

/// A graph input's file as a decoder gets it.
pub(crate) fn file(path: &Path) -> Inputs {
    inputs(0, vec![("file", Value::File(FileRef { path: path.to_owned(), digest: None }))])
}

/// The body of one use of a node type: `connected` names its connected input ports.
pub(crate) fn body(node: &dyn NodeType, set: &[(&str, ParamValue)], connected: &[&str]) -> Result<Body> {
    let params = params(node.contract(), set);
    let connected: BTreeSet<String> = connected.iter().map(|&port| port.to_owned()).collect();
    let contract =
        node.resolve(&NodeUse { params: &params, connected: &connected, folder: Path::new("") })?;
    node.body(&params, &contract)
}

/// Runs a value body once.
pub(crate) fn run_value(
    node: &dyn NodeType,
    set: &[(&str, ParamValue)],
    inputs: &Inputs,
    host: &TestHost,
    models: &Models,
) -> Result<Collected> {
    let connected: Vec<&str> = node.contract().inputs.iter().map(|port| &*port.name).collect();
    let connected: Vec<&str> = connected.into_iter().filter(|port| inputs.has(port)).collect();
    let Body::Value(mut body) = body(node, set, &connected)? else { panic!("not a value body") };
    let mut out = Collected::default();
    body.run(inputs, &Context { host, models }, &mut out)?;
    Ok(out)
}

/// Runs a scan or map body over chunks of inputs.
pub(crate) fn run_chunks(
    node: &dyn NodeType,
    set: &[(&str, ParamValue)],
    chunks: &[Inputs],
    host: &TestHost,
    models: &Models,
) -> Result<Vec<Outputs>> {
    let ctx = Context { host, models };
    match body(node, set, &[])? {
        Body::Map(body) => chunks.iter().map(|inputs| body.chunk(inputs, &ctx)).collect(),
        Body::Scan(mut body) => {
            let mut state = None;
            let mut outputs = vec![];
            for inputs in chunks {
                let (chunk, next) = body.chunk(state.as_ref(), inputs, &ctx)?;
                outputs.push(chunk);
                state = Some(next);
            }
            Ok(outputs)
        }
        _ => panic!("not a map or scan body"),
    }
}

/// A file of the shared test media, or `None` with a printed reason. The folder is `TALKGRAPH_SHARED`, else `shared`
/// beside the workspace.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TALKGRAPH_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "skipped: {} is missing; set TALKGRAPH_SHARED to the folder with the shared media",
        path.display()
    );
    None
}

/// Converts a file with the ffmpeg program to one of the name `to` beside it; `None`, with a printed reason, where it is not
/// installed.
pub(crate) fn converted(from: &Path, to: &str, options: &[&str]) -> Option<PathBuf> {
    let to = from.with_file_name(to);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(from).args(options).arg(&to);
    match command.status() {
        Ok(status) => {
            assert!(status.success(), "{command:?}");
            Some(to)
        }
        Err(error) => {
            eprintln!("skipped: the ffmpeg program is not installed ({error})");
            None
        }
    }
}

/// The file of the track that `audio_decode` gives for the file at `path`.
pub(crate) fn track_of(path: &Path, host: &TestHost) -> PathBuf {
    let registry = Registry::builtin();
    let decoder = registry.decoder(ArtifactType::Audio).unwrap();
    let out = run_value(decoder, &[], &file(path), host, &no_models()).unwrap();
    out.values["track"].file().unwrap().path.clone()
}

/// What the packets of a file's audio hold.
pub(crate) fn payloads(path: &Path) -> Vec<Vec<u8>> {
    ffmpeg_next::init().unwrap();
    let mut input = format::input(path).unwrap();
    let track = input.streams().best(media::Type::Audio).unwrap().index();
    let mut packet = Packet::empty();
    let mut payloads = vec![];
    while packet.read(&mut input).is_ok() {
        if packet.stream() == track {
            payloads.push(packet.data().unwrap_or_default().to_vec());
        }
    }
    payloads
}

/// The audio of a file, decoded in a process of its own.
pub(crate) fn listen(path: &Path) -> AudioReader {
    AudioReader::open(&Session::start().unwrap(), path, 0).unwrap()
}

/// Models of an empty pack, for bodies that ask for none.
pub(crate) fn no_models() -> Models {
    Models::none()
}
