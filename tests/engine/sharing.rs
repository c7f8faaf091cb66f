//! Several runs over one store.

use std::{sync::Arc, thread};

use talkgraph::{engine::Engine, events::Events, run};
use talkgraph_cache::{Durability, Store};

use crate::{bench::Bench, reuse::CHAIN};

#[test]
fn two_runs_at_once_compute_once() {
    let bench = Arc::new(Bench::new());
    let request = bench.request("40");
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let (bench, request) = (bench.clone(), request.clone());
            thread::spawn(move || {
                // Each with the store opened anew, as two processes have it.
                let store = Store::open(&bench.path("cache"), Durability::Fast).unwrap();
                let engine = Engine { store, ..bench.engine.clone() };
                let graph = bench.graph(CHAIN);
                run::run(&graph, &engine, &request, &Events::new(vec![]), &bench.cancel).unwrap()
            })
        })
        .collect();
    for run in runs {
        let outcome = run.join().unwrap();
        assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    }
    let calls = bench.probe.take();
    assert_eq!((calls["read"], calls["count"], calls["add"], calls["collect"]), (1, 1, 40, 1), "{calls:?}");
}

#[test]
fn equal_nodes_of_one_graph_compute_once() {
    let yaml = "
talkgraph: 1
name: equal
inputs: { n: json }
nodes:
  many: { type: count, in: { json: n } }
  a: { type: add, in: { sequence: many.sequence } }
  b: { type: add, in: { sequence: many.sequence } }
  both: { type: add, in: { sequence: a.sequence, other: b.sequence }, params: { by: 0 } }
  all: { type: collect, in: { sequence: both.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let (_, value) = bench.run(&bench.graph(yaml), &bench.request("20"));
    assert_eq!(value[19], 40.0);
    assert_eq!(bench.probe.take()["add"], 40);
}
