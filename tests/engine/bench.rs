//! A store, a registry and an input file to run graphs on.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use talkgraph::{
    check::{self, Assignment, Settings},
    engine::{Engine, Request, Slots},
    events::{Event, Events, Listener},
    graph::Graph,
    plan::{self, Plan},
    run::{self, Outcome, Stop},
};
use talkgraph_cache::{Durability, Store};
use talkgraph_nodes::models::Models;
use tempfile::TempDir;

use crate::types::{Probe, registry};

/// Everything that a test needs.
pub struct Bench {
    pub probe: Arc<Probe>,
    pub engine: Engine,
    pub folder: TempDir,
    pub log: Arc<Mutex<Vec<Event>>>,
    pub cancel: Stop,
}

struct Log(Arc<Mutex<Vec<Event>>>);

impl Listener for Log {
    fn event(&self, _: Duration, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Slots { cpu: 2, model: 1, io: 2 })
    }

    pub fn with(slots: Slots) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let probe = Arc::new(Probe::default());
        let engine = Engine {
            others: vec![],
            registry: Arc::new(registry(&probe)),
            store: Store::open(&folder.path().join("cache"), Durability::Fast).unwrap(),
            models: Arc::new(Models::none()),
            slots,
        };
        Self { probe, engine, folder, log: Arc::default(), cancel: Stop::default() }
    }

    /// The store opened anew, as another process would: nothing is remembered as verified.
    pub fn reopen(&mut self) {
        self.engine.store = Store::open(&self.folder.path().join("cache"), Durability::Fast).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn graph(&self, yaml: &str) -> Graph {
        self.graph_with(yaml, &[])
    }

    pub fn graph_with(&self, yaml: &str, set: &[&str]) -> Graph {
        let set = set.iter().map(|text| text.parse::<Assignment>().unwrap()).collect();
        let settings = Settings { set, ..Settings::default() };
        check::check(Path::new("test.yaml"), yaml, &self.engine.registry, &settings)
            .unwrap_or_else(|mistakes| panic!("{mistakes}\n{yaml}"))
    }

    /// A request whose input `n` is `json`.
    pub fn request(&self, json: &str) -> Request {
        let path = self.path("n.json");
        fs::write(&path, json).unwrap();
        Request { inputs: [("n".to_owned(), path)].into(), ..Request::default() }
    }

    pub fn plan(&self, graph: &Graph, request: &Request) -> Plan {
        plan::plan(graph, &self.engine, request).unwrap()
    }

    pub fn try_run(&self, graph: &Graph, request: &Request) -> Outcome {
        self.log.lock().unwrap().clear();
        let events = Events::new(vec![Box::new(Log(self.log.clone()))]);
        run::run(graph, &self.engine, request, &events, &self.cancel).unwrap()
    }

    /// A run that must succeed; gives the JSON of the output `out`.
    pub fn run(&self, graph: &Graph, request: &Request) -> (Outcome, serde_json::Value) {
        let outcome = self.try_run(graph, request);
        assert!(outcome.errors.is_empty(), "{:#?}", outcome.errors);
        let path = outcome.report.outputs["out"].path.clone().unwrap();
        let value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        (outcome, value)
    }
}
