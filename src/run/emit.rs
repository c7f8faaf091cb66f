//! Where the outputs of a value body go: into the store and to the scheduler, one by one.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, mpsc},
};

use talkgraph_cache::{Digest, OutputRecord, Store};
use talkgraph_nodes::{
    artifact::{Artifact, ArtifactType, FileRef, Value},
    body::{Emit, Host},
    codec::{self, Encoded},
    error::{NodeError, Result},
};
use tokio::sync::mpsc::UnboundedSender;

use super::{host::UnitHost, message::Message};
use crate::plan::{board::PortSpec, lazy::Trouble, unit::UnitRef};

/// An output that was made.
pub struct Made {
    /// Output port.
    pub port: usize,
    /// Index in the port.
    pub index: usize,
    /// Digest of its blob, where it was stored now.
    pub digest: Option<Digest>,
    /// The artifact.
    pub artifact: Artifact,
}

/// Puts `value` into the store. Gives its digest, its size, and the artifact as consumers see it from now on.
pub fn store_value(
    store: &Store,
    scratch: impl FnOnce() -> std::path::PathBuf,
    value: Value,
    ty: ArtifactType,
    trouble: &Trouble,
) -> Result<(Digest, u64, Artifact)> {
    match codec::encode(&value, ty)? {
        Encoded::Bytes(bytes) => {
            let digest = store.put(&bytes).map_err(|error| trouble.store_error(error))?;
            Ok((digest, bytes.len() as u64, Arc::new(value)))
        }
        Encoded::File(file) => {
            let scratch = scratch();
            let path = if file.path.starts_with(&scratch) {
                file.path
            } else {
                let copy = scratch.join("taken");
                fs::copy(&file.path, &copy).map_err(|error| {
                    NodeError::io(format!("{}: cannot be copied into the store", file.path.display()))
                        .caused_by(error)
                })?;
                copy
            };
            let size = size_of(&path)?;
            let digest = store.put_file(&path).map_err(|error| trouble.store_error(error))?;
            let file = FileRef { path: store.path(&digest), digest: Some(digest) };
            Ok((digest, size, Arc::new(Value::File(file))))
        }
    }
}

fn size_of(path: &Path) -> Result<u64> {
    fs::metadata(path).map(|meta| meta.len()).map_err(|error| {
        NodeError::io(format!("{}: the finished file cannot be read", path.display())).caused_by(error)
    })
}

/// The outputs of one unit on their way into the store.
pub struct Outbox<'a> {
    pub unit: UnitRef,
    pub specs: &'a [PortSpec],
    /// The action is recorded already: only what is not stored is needed.
    pub recorded: bool,
    pub host: &'a UnitHost,
    pub trouble: &'a Trouble,
    pub out: &'a UnboundedSender<Message>,
    /// What the record will say.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// How many artifacts each port has given.
    pub counts: Vec<usize>,
}

impl<'a> Outbox<'a> {
    /// An empty outbox.
    pub fn new(
        unit: UnitRef,
        specs: &'a [PortSpec],
        recorded: bool,
        host: &'a UnitHost,
        trouble: &'a Trouble,
        out: &'a UnboundedSender<Message>,
    ) -> Self {
        let counts = vec![0; specs.len()];
        Self { unit, specs, recorded, host, trouble, out, outputs: BTreeMap::new(), counts }
    }

    /// Stores an output if it is to be stored.
    pub fn make(&mut self, name: &str, value: Value) -> Result<Made> {
        let port = self.specs.iter().position(|spec| spec.name == name).ok_or_else(|| {
            NodeError::input(format!("the node gave the output `{name}`, which its contract does not have"))
        })?;
        self.host.ensure_unchanged()?;
        let spec = &self.specs[port];
        let index = self.counts[port];
        self.counts[port] += 1;
        if !spec.stored || self.recorded {
            return Ok(Made { port, index, digest: None, artifact: Arc::new(value) });
        }
        let scratch = || self.host.scratch().to_owned();
        let (digest, bytes, artifact) = store_value(&self.host.store, scratch, value, spec.ty, self.trouble)
            .map_err(|error| error.at_port(name))?;
        let record = self.outputs.entry(name.to_owned()).or_insert_with(|| OutputRecord {
            blobs: vec![],
            sequence: spec.sequence,
            bytes: 0,
        });
        record.blobs.push(digest);
        record.bytes += bytes;
        Ok(Made { port, index, digest: Some(digest), artifact })
    }

    /// Fails unless every value output was given once; gives the lengths of the sequences that are not stored.
    pub fn finish(&mut self, emitted: bool) -> Result<Vec<(String, usize)>> {
        let mut lengths = vec![];
        for (spec, count) in self.specs.iter().zip(&self.counts) {
            if spec.sequence && emitted {
                if spec.stored {
                    self.outputs.entry(spec.name.clone()).or_insert_with(|| OutputRecord {
                        blobs: vec![],
                        sequence: true,
                        bytes: 0,
                    });
                } else {
                    lengths.push((spec.name.clone(), *count));
                }
            } else if *count != 1 {
                return Err(NodeError::input(format!(
                    "the node gave the output `{}` {count} times, expected once",
                    spec.name
                )));
            }
        }
        Ok(lengths)
    }
}

/// Sends each output to the scheduler as soon as it is made, and waits while its consumers are far behind.
pub struct Emitter<'a, 'b> {
    pub outbox: &'b mut Outbox<'a>,
}

impl Emitter<'_, '_> {
    fn send(&mut self, port: &str, value: Value, sequence: bool) -> Result<()> {
        if self.outbox.host.cancelled() {
            return Err(NodeError::cancelled());
        }
        let made = self.outbox.make(port, value)?;
        if self.outbox.specs[made.port].sequence != sequence {
            let (expected, found) = if sequence { ("a value", "a chunk") } else { ("a chunk", "a value") };
            return Err(NodeError::input(format!("output `{port}`: expected {expected}, found {found}")));
        }
        let (go_on, wait) = mpsc::sync_channel(1);
        let message = Message::Emitted { unit: self.outbox.unit, made, go_on };
        self.outbox.out.send(message).map_err(|_| NodeError::cancelled())?;
        wait.recv().map_err(|_| NodeError::cancelled())
    }
}

impl Emit for Emitter<'_, '_> {
    fn value(&mut self, port: &str, value: Value) -> Result<()> {
        self.send(port, value, false)
    }

    fn chunk(&mut self, port: &str, value: Value) -> Result<()> {
        self.send(port, value, true)
    }
}
