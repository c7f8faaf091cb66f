//! What runs, and what does not.

use talkgraph::{plan::Verdict, run::report::NodeStatus};

use crate::bench::Bench;

pub const CHAIN: &str = "
talkgraph: 1
name: chain
inputs: { n: json }
nodes:
  many: { type: count, in: { json: n } }
  plus: { type: add, in: { sequence: many.sequence } }
  picture: { type: render, in: { sequence: plus.sequence } }
  sums: { type: sum, in: { sequence: picture.sequence } }
  all: { type: collect, in: { sequence: sums.sequence } }
outputs: { out: all.json }
";

#[test]
fn computes_then_repeats_nothing() {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let request = bench.request("5");
    let (outcome, value) = bench.run(&graph, &request);
    assert_eq!(value, serde_json::json!([2.0, 5.0, 9.0, 14.0, 20.0]));
    assert!(outcome.report.nodes.iter().all(|node| node.status == NodeStatus::Ran), "{:#?}", outcome.report);
    let calls = bench.probe.take();
    assert_eq!((calls["add"], calls["render"], calls["sum"], calls["push"], calls["count"]), (5, 5, 5, 5, 1));

    assert!(bench.plan(&graph, &request).is_cached());
    let (outcome, again) = bench.run(&graph, &request);
    assert_eq!((bench.probe.total(), again), (0, value));
    for node in &outcome.report.nodes {
        assert_eq!((node.status, node.chunks.ran), (NodeStatus::Cached, 0), "{}", node.id);
        assert!(node.key.is_some() && !node.outputs.is_empty());
    }
    assert_eq!(outcome.report.node("plus").unwrap().notes["made"], 5);
    assert_eq!(outcome.report.node("many").unwrap().notes["counted"], 5);
}

#[test]
fn a_plan_says_what_a_run_does() {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let plan = bench.plan(&graph, &talkgraph::engine::Request::default());
    assert!(plan.nodes.iter().all(|node| node.verdict == Verdict::Unknown));
    assert_eq!(plan.node("n").unwrap().waits_for[0].as_ref(), "n");
    let request = bench.request("3");
    let plan = bench.plan(&graph, &request);
    assert_eq!(plan.node("n").unwrap().verdict, Verdict::Run);
    assert_eq!(plan.node("n").unwrap().why["no action of this key"], 1);
    assert_eq!(bench.probe.total(), 0);
}

#[test]
fn a_longer_input_runs_only_new_chunks() {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    bench.run(&graph, &bench.request("5"));
    bench.probe.take();
    let request = bench.request("7");
    let (outcome, value) = bench.run(&graph, &request);
    assert_eq!(value.as_array().unwrap().len(), 7);
    let calls = bench.probe.take();
    assert_eq!((calls["add"], calls["render"], calls["sum"], calls["push"]), (2, 2, 2, 7));
    let sums = outcome.report.node("sums").unwrap();
    assert_eq!((sums.chunks.cached, sums.chunks.ran), (5, 2));
}

#[test]
fn unstored_chunks_are_made_again_only_for_consumers_that_miss() {
    let yaml = CHAIN.replace("type: sum,", "type: add,");
    let bench = Bench::new();
    let request = bench.request("4");
    bench.run(&bench.graph(&yaml), &request);
    bench.probe.take();
    // The consumer of the unstored chunks changes: they are rendered again, nothing before them is.
    let graph = bench.graph_with(&yaml, &["sums.by=2"]);
    bench.run(&graph, &request);
    let calls = bench.probe.take();
    assert_eq!((calls.get("count"), calls["render"], calls["add"]), (None, 4, 4));
}

#[test]
fn unstored_streams_and_scans_run_again_whole() {
    let yaml = "
talkgraph: 1
name: flow
inputs: { n: json }
nodes:
  many: { type: stream, in: { json: n } }
  sums: { type: flow, in: { sequence: many.sequence } }
  more: { type: add, in: { sequence: sums.sequence } }
  all: { type: collect, in: { sequence: more.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let request = bench.request("6");
    let (_, value) = bench.run(&bench.graph(yaml), &request);
    assert_eq!(value, serde_json::json!([1.0, 2.0, 4.0, 7.0, 11.0, 16.0]));
    bench.probe.take();
    let (outcome, value) = bench.run(&bench.graph_with(yaml, &["more.by=2"]), &request);
    assert_eq!(value, serde_json::json!([2.0, 3.0, 5.0, 8.0, 12.0, 17.0]));
    let calls = bench.probe.take();
    assert_eq!((calls["stream"], calls["flow"], calls["add"]), (1, 6, 6));
    assert_eq!(outcome.report.node("n").unwrap().status, NodeStatus::Cached);
}

#[test]
fn equal_contents_stop_the_work_early() {
    let yaml = "
talkgraph: 1
name: early
inputs: { n: json }
nodes:
  numbers: { type: list, in: { json: n } }
  rough: { type: floor, in: { sequence: numbers.sequence } }
  sums: { type: sum, in: { sequence: rough.sequence } }
  all: { type: collect, in: { sequence: sums.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let graph = bench.graph(yaml);
    bench.run(&graph, &bench.request("[1.1, 2.2, 3.3]"));
    bench.probe.take();
    let (outcome, _) = bench.run(&graph, &bench.request("[1.1, 2.5, 3.3]"));
    let calls = bench.probe.take();
    assert_eq!((calls["floor"], calls.get("sum"), calls.get("collect")), (1, None, None));
    assert_eq!(outcome.report.node("sums").unwrap().status, NodeStatus::Cached);
}

#[test]
fn refresh_runs_one_node_again() {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let mut request = bench.request("3");
    bench.run(&graph, &request);
    bench.probe.take();
    request.refresh.insert("plus".into());
    let (outcome, _) = bench.run(&graph, &request);
    assert_eq!(bench.probe.take(), [("add".to_owned(), 3)].into());
    assert_eq!(outcome.report.node("plus").unwrap().chunks.ran, 3);
}

#[test]
fn whole_sequences_and_several_consumers_are_stored() {
    let yaml = "
talkgraph: 1
name: shared
inputs: { n: json }
nodes:
  many: { type: stream, in: { json: n } }
  total: { type: whole, in: { sequence: many.sequence } }
  plus: { type: add, in: { sequence: many.sequence, json: total.json } }
  all: { type: collect, in: { sequence: plus.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let graph = bench.graph(yaml);
    let request = bench.request("30");
    let (_, value) = bench.run(&graph, &request);
    assert_eq!(value[29], 435.0 + 29.0 + 1.0);
    bench.probe.take();
    bench.run(&graph, &request);
    assert_eq!(bench.probe.total(), 0);
}

#[test]
fn an_empty_sequence_is_a_sequence() {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let request = bench.request("0");
    let (_, value) = bench.run(&graph, &request);
    assert_eq!(value, serde_json::json!([]));
    bench.probe.take();
    bench.run(&graph, &request);
    assert_eq!(bench.probe.total(), 0);
}

#[test]
fn outputs_are_written_where_asked() {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let mut request = bench.request("2");
    let target = bench.path("out.json");
    request.outputs.insert("out".into(), target.clone());
    let (outcome, _) = bench.run(&graph, &request);
    assert_eq!(outcome.report.outputs["out"].path.as_deref(), Some(target.as_path()));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "[2.0,5.0]");
    std::fs::remove_file(&target).unwrap();
    bench.run(&graph, &request);
    assert!(target.is_file());
}
