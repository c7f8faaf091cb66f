//! A job: one unit of work on a blocking thread, from single flight to the recorded action.

use std::{
    any::Any,
    cell::Cell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use talkgraph_cache::{ActionRecord, Key, OutputRecord, Store};
use talkgraph_nodes::{
    artifact::{Artifact, ArtifactType, Value},
    body::{Context, Host, Input, Inputs, MapBody, Outputs, ReduceBody, ScanBody, ValueBody},
    contract::{Rate, Time},
    error::{ErrorKind, NodeError},
    models::Models,
    tensor::Tensors,
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    emit::{Emitter, Outbox, store_value},
    host::UnitHost,
    message::{Ending, Failure, KeptBody, Message},
};
use crate::{
    events::Event,
    plan::{
        board::PortSpec,
        lazy::{Lazy, StoredSequence, Trouble},
        resolve::{STATE, pack_notes, usable},
        unit::UnitRef,
    },
};

/// One unit of work, with everything that it needs.
pub struct Job {
    pub unit: UnitRef,
    pub ty: Arc<str>,
    pub time: Time,
    /// Absent for chunks of a reduce.
    pub key: Option<Arc<Key>>,
    /// The action is recorded; only artifacts that are not stored are needed.
    pub recorded: bool,
    /// A record that appears meanwhile does not do.
    pub forced: bool,
    pub specs: Arc<Vec<PortSpec>>,
    pub inputs: Vec<(Arc<str>, Supply)>,
    pub rate: Option<Rate>,
    /// Index of the chunk, for messages.
    pub chunk: usize,
    pub work: Work,
    pub host: Arc<UnitHost>,
    pub models: Arc<Models>,
    /// The device, where several share the work.
    pub device: Option<Arc<str>>,
    pub trouble: Arc<Trouble>,
    pub out: UnboundedSender<Message>,
}

/// Where an input comes from.
pub enum Supply {
    /// A file of the user's.
    File(Artifact),
    /// An artifact.
    One(Arc<Lazy>),
    /// A whole sequence.
    Whole(Vec<Arc<Lazy>>),
}

/// The body and what to do with it.
pub enum Work {
    Value(Box<dyn ValueBody>),
    Map(Arc<dyn MapBody>),
    Scan(Box<dyn ScanBody>, Option<Arc<Lazy>>),
    Push(Box<dyn ReduceBody>),
    Finish(Box<dyn ReduceBody>),
}

static LANES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static LANE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// A small number for the current thread.
fn lane() -> usize {
    LANE.with(|lane| {
        lane.get().unwrap_or_else(|| {
            let next = LANES.fetch_add(1, Ordering::Relaxed);
            lane.set(Some(next));
            next
        })
    })
}

impl Job {
    /// Does the job and tells the scheduler.
    pub fn run(mut self) {
        let (unit, out) = (self.unit, self.out.clone());
        let result = self.guarded();
        let body = match self.work {
            Work::Scan(body, _) => Some(KeptBody::Scan(body)),
            Work::Push(body) => Some(KeptBody::Reduce(body)),
            Work::Value(_) | Work::Map(_) | Work::Finish(_) => None,
        };
        // The scheduler counts them as gone as soon as it hears of the end.
        self.inputs.clear();
        // Without a scheduler there is no one left to tell.
        let _ = out.send(Message::Ended { unit, body, result });
    }

    fn guarded(&mut self) -> Result<Ending, Failure> {
        let result = catch_unwind(AssertUnwindSafe(|| self.in_flight()));
        match result {
            Ok(Err(failure)) => {
                if let Some(lost) = self.trouble.lost() {
                    return Err(Failure::Lost(lost));
                }
                match (self.trouble.take_store_error(), failure) {
                    (Some(error), _) => Err(Failure::Store(error)),
                    (None, Failure::Node(error)) if error.kind() == ErrorKind::Cancelled => {
                        Err(Failure::Cancelled)
                    }
                    (None, failure) => Err(failure),
                }
            }
            Ok(done) => done,
            Err(panic) => Err(Failure::Panic(panic_text(&*panic))),
        }
    }

    /// Does the job once no one else does the same action.
    fn in_flight(&mut self) -> Result<Ending, Failure> {
        let store = self.host.store.clone();
        let key = match &self.key {
            Some(key) if !matches!(self.work, Work::Push(_)) => key.clone(),
            _ => return self.timed(None),
        };
        let flight = match store.flight(&key.digest, || true).map_err(Failure::Store)? {
            Some(flight) => flight,
            None => {
                // Without a scheduler there is no one left to tell.
                let _ = self.out.send(Message::Waiting);
                self.host.events.send(&Event::Waiting { node: self.host.node.clone() });
                let flight = store.flight(&key.digest, || self.host.cancelled());
                let _ = self.out.send(Message::Resumed);
                flight.map_err(Failure::Store)?.ok_or(Failure::Cancelled)?
            }
        };
        if !self.recorded
            && !self.forced
            && let Some(record) = store.action(&key.digest).map_err(Failure::Store)?
            && usable(&record, &self.specs, self.time)
        {
            return Ok(Ending::Found(Box::new(record)));
        }
        let ending = self.timed(Some(&key));
        drop(flight);
        ending
    }

    fn timed(&mut self, key: Option<&Key>) -> Result<Ending, Failure> {
        if self.host.cancelled() {
            return Err(Failure::Cancelled);
        }
        let chunk = matches!(self.time, Time::Map | Time::Scan).then_some(self.unit.1);
        let (node, lane) = (self.host.node.clone(), lane());
        // A reduce's chunks are no work of their own to people.
        let told = !matches!(self.work, Work::Push(_));
        if told {
            let device = self.device.clone();
            self.host.events.send(&Event::Started { node: node.clone(), chunk, lane, device });
        }
        let start = Instant::now();
        let mut ending = self.body(key, start);
        let seconds = start.elapsed().as_secs_f64();
        if let Ok(Ending::Ran { seconds: taken, .. } | Ending::Eaten { seconds: taken }) = &mut ending {
            *taken = seconds;
        }
        if told && ending.is_ok() {
            let device = self.device.clone();
            self.host.events.send(&Event::Finished { node, chunk, lane, device, seconds });
        }
        ending
    }

    fn body(&mut self, key: Option<&Key>, start: Instant) -> Result<Ending, Failure> {
        let inputs = self.gather().map_err(Failure::Node)?;
        let host = self.host.clone();
        let context = Context { host: &*host, models: &self.models };
        let mut outbox = Outbox::new(self.unit, &self.specs, self.recorded, &host, &self.trouble, &self.out);
        let mut state = None;
        let (outputs, emitted) = match &mut self.work {
            Work::Value(body) => {
                let mut emitter = Emitter { outbox: &mut outbox };
                body.run(&inputs, &context, &mut emitter).map_err(Failure::Node)?;
                (Outputs::new(), true)
            }
            Work::Map(body) => (body.chunk(&inputs, &context).map_err(Failure::Node)?, false),
            Work::Scan(body, before) => {
                let before = match before {
                    Some(lazy) => Some(lazy.get(&host.store, &self.trouble).map_err(Failure::Node)?),
                    None => None,
                };
                let before = before.as_deref().map(Value::tensors).transpose().map_err(Failure::Node)?;
                let (outputs, after) = body.chunk(before, &inputs, &context).map_err(Failure::Node)?;
                state = Some(after);
                (outputs, false)
            }
            Work::Push(body) => {
                body.push(&inputs, &context).map_err(Failure::Node)?;
                return Ok(Ending::Eaten { seconds: 0.0 });
            }
            Work::Finish(body) => (body.finish(&context).map_err(Failure::Node)?, false),
        };
        let mut made = vec![];
        for (name, value) in outputs {
            made.push(outbox.make(&name, value).map_err(Failure::Node)?);
        }
        let lengths = outbox.finish(emitted).map_err(Failure::Node)?;
        let mut records = outbox.outputs;
        let state = state.map(|state| self.keep_state(state, &mut records)).transpose()?;
        let notes = host.take_notes();
        if let Some(key) = key
            && !self.recorded
        {
            let record = ActionRecord {
                key: key.digest,
                manifest: key.text.clone(),
                node_type: self.ty.to_string(),
                outputs: records,
                notes: pack_notes(notes.clone(), &lengths),
                seconds: start.elapsed().as_secs_f64(),
                created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            };
            host.store.record(&record).map_err(Failure::Store)?;
            host.store.drop_checkpoint(&key.digest).map_err(Failure::Store)?;
        }
        Ok(Ending::Ran { made, state, notes, seconds: 0.0 })
    }

    /// Stores the state after a chunk of a scan.
    fn keep_state(
        &self,
        state: Tensors,
        records: &mut BTreeMap<String, OutputRecord>,
    ) -> Result<(talkgraph_cache::Digest, Artifact), Failure> {
        let host = &self.host;
        let scratch = || host.scratch().to_owned();
        let (digest, bytes, artifact) =
            store_value(&host.store, scratch, Value::Tensors(state), ArtifactType::Tensors, &self.trouble)
                .map_err(Failure::Node)?;
        records.insert(STATE.into(), OutputRecord { blobs: vec![digest], sequence: false, bytes });
        Ok((digest, artifact))
    }

    fn gather(&self) -> Result<Inputs, NodeError> {
        let store: &Store = &self.host.store;
        let mut ports = BTreeMap::new();
        for (name, supply) in &self.inputs {
            let input = match supply {
                Supply::File(artifact) => Input::Value(artifact.clone()),
                Supply::One(lazy) => {
                    Input::Value(lazy.get(store, &self.trouble).map_err(|error| error.at_port(name))?)
                }
                Supply::Whole(chunks) => Input::Sequence(Arc::new(StoredSequence {
                    chunks: chunks.clone(),
                    store: store.clone(),
                    trouble: self.trouble.clone(),
                })),
            };
            ports.insert(name.to_string(), input);
        }
        Ok(Inputs::new(ports, self.chunk, self.rate))
    }
}

/// What a panic said.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
