//! Failing, panicking and cancelled bodies; requests that cannot be met.

use std::{sync::atomic::Ordering, thread, time::Duration};

use talkgraph::{
    events::Events,
    failure::RunError,
    run::report::{NodeStatus, Status},
    run::{self, Stop},
};

use crate::{bench::Bench, reuse::CHAIN};

const FORK: &str = "
talkgraph: 1
name: fork
inputs: { n: json }
nodes:
  many: { type: count, in: { json: n } }
  bad: { type: picky, in: { sequence: many.sequence }, params: { by: 3 } }
  worse: { type: collect, in: { sequence: bad.sequence } }
  good: { type: add, in: { sequence: many.sequence } }
  fine: { type: collect, in: { sequence: good.sequence } }
outputs: { out: fine.json, bad: worse.json }
";

#[test]
fn a_failure_names_node_place_and_hint_and_keeps_what_was_done() {
    let bench = Bench::new();
    let graph = bench.graph(FORK);
    let mut request = bench.request("6");
    let outcome = bench.try_run(&graph, &request);
    assert_eq!((outcome.status(), outcome.report.status), (1, Status::Failed));
    let error = &outcome.errors[0];
    assert_eq!(error.to_string(), "test.yaml:7:3: node `bad`: 3 is not wanted");
    assert_eq!(error.hint().as_deref(), Some("ask for another number"));
    assert_eq!(outcome.report.node("bad").unwrap().status, NodeStatus::Failed);
    assert_eq!(outcome.report.node("worse").unwrap().status, NodeStatus::Skipped);

    request.keep_going = true;
    let outcome = bench.try_run(&graph, &request);
    assert_eq!(outcome.status(), 1);
    assert!(outcome.report.outputs.contains_key("out") && !outcome.report.outputs.contains_key("bad"));
    assert_eq!(outcome.report.node("fine").unwrap().status, NodeStatus::Ran);

    // Everything but the failing branch was kept.
    bench.probe.take();
    request.outputs.insert("out".into(), bench.path("out.json"));
    bench.run(&graph, &request);
    assert_eq!(bench.probe.total(), 0);
}

#[test]
fn a_panic_is_an_error_of_its_node() {
    let bench = Bench::new();
    let graph = bench.graph(&FORK.replace("picky", "panicky"));
    let outcome = bench.try_run(&graph, &bench.request("6"));
    let text = outcome.errors[0].to_string();
    assert!(text.contains("node `bad`: internal error") && text.contains("met 3"), "{text}");
}

#[test]
fn unequal_lengths_are_an_error_of_the_node_that_joins_them() {
    let yaml = "
talkgraph: 1
name: unequal
inputs: { n: json, m: json }
nodes:
  a: { type: count, in: { json: n } }
  b: { type: count, in: { json: m } }
  both: { type: add, in: { sequence: a.sequence, other: b.sequence } }
  all: { type: collect, in: { sequence: both.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let mut request = bench.request("5");
    std::fs::write(bench.path("m.json"), "4").unwrap();
    request.inputs.insert("m".into(), bench.path("m.json"));
    let outcome = bench.try_run(&bench.graph(yaml), &request);
    let text = outcome.errors[0].to_string();
    assert!(text.contains("node `both`: chunked inputs of unequal length"), "{text}");
}

#[test]
fn a_cancelled_run_goes_on_where_it_stopped() {
    let mut bench = Bench::new();
    let graph = bench.graph(&CHAIN.replace("type: add", "type: slow"));
    let request = bench.request("8");
    bench.probe.hang_after.store(4, Ordering::Relaxed);
    let (cancel, probe) = (bench.cancel.clone(), bench.probe.clone());
    let watcher = thread::spawn(move || {
        while probe.calls("slow") <= 4 {
            thread::sleep(Duration::from_millis(1));
        }
        cancel.stop();
    });
    let outcome = bench.try_run(&graph, &request);
    watcher.join().unwrap();
    assert!(matches!(outcome.errors[0], RunError::Interrupted));
    assert_eq!(outcome.status(), 130);
    assert_eq!(outcome.report.status, Status::Interrupted);

    bench.cancel = Stop::default();
    bench.probe.hang_after.store(0, Ordering::Relaxed);
    bench.probe.take();
    let done = outcome.report.node("plus").unwrap().chunks.ran;
    assert!(done >= 3, "{done}");
    let (_, value) = bench.run(&graph, &request);
    assert_eq!(value.as_array().unwrap().len(), 8);
    assert_eq!(bench.probe.take()["slow"], 8 - done);
}

#[test]
fn requests_that_cannot_be_met_end_before_any_work() {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let events = || Events::new(vec![]);
    let cases = [
        ("no input", {
            let mut request = bench.request("3");
            request.inputs.clear();
            request
        }),
        ("unknown input", {
            let mut request = bench.request("3");
            request.inputs.insert("m".into(), bench.path("n.json"));
            request
        }),
        ("unreadable input", {
            let mut request = bench.request("3");
            request.inputs.insert("n".into(), bench.path("nothing.json"));
            request
        }),
        ("unknown node", {
            let mut request = bench.request("3");
            request.refresh.insert("nobody".into());
            request
        }),
    ];
    for (name, request) in cases {
        let error = run::run(&graph, &bench.engine, &request, &events(), &Stop::default()).unwrap_err();
        assert_eq!(error.status(), 2, "{name}: {error}");
        assert!(error.hint().is_some(), "{name}");
    }
    let mut request = bench.request("3");
    request.outputs.insert("out".into(), bench.path("no/such/folder.json"));
    let error = run::run(&graph, &bench.engine, &request, &events(), &Stop::default()).unwrap_err();
    assert_eq!(error.status(), 3);
    assert_eq!(bench.probe.total(), 0);
}
