//! What enters a key, and what does not.

use proptest::prelude::*;

use crate::bench::Bench;

/// The same graph with other names, another order and comments.
fn written(names: &[String; 3], reverse: bool, comment: &str) -> String {
    let [a, b, c] = names;
    let mut nodes = [
        format!("  n{a}: {{ type: count, in: {{ json: n }}, params: {{ start: 2 }} }}"),
        format!("  n{b}: {{ type: add, in: {{ sequence: n{a}.sequence }} }}"),
        format!("  n{c}: {{ type: collect, in: {{ sequence: n{b}.sequence }} }}"),
    ];
    if reverse {
        nodes.reverse();
    }
    let mut parts = vec!["talkgraph: 1".to_owned(), "name: g".into(), "inputs: { n: json }".into()];
    parts.push(format!("nodes:\n  # {comment}\n{}", nodes.join("\n")));
    parts.push(format!("outputs: {{ out: n{c}.json }}"));
    parts.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn names_order_and_comments_are_no_part_of_it(
        names in prop::array::uniform3("[a-z]{1,6}"),
        reverse in any::<bool>(),
        comment in "[a-zA-Z0-9 ]{0,20}",
    ) {
        prop_assume!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
        let bench = Bench::new();
        let request = bench.request("3");
        let plain = written(&["a".into(), "b".into(), "c".into()], false, "");
        bench.run(&bench.graph(&plain), &request);
        bench.probe.take();
        let graph = bench.graph(&written(&names, reverse, &comment));
        bench.run(&graph, &request);
        prop_assert_eq!(bench.probe.total(), 0);
    }
}

#[test]
fn defaults_written_out_are_the_same_key() {
    let bench = Bench::new();
    let request = bench.request("3");
    let plain = written(&["a".into(), "b".into(), "c".into()], false, "");
    bench.run(&bench.graph(&plain), &request);
    bench.probe.take();
    bench.run(&bench.graph_with(&plain, &["nb.by=1.0"]), &request);
    bench.run(&bench.graph_with(&plain, &["nb.by=1"]), &request);
    assert_eq!(bench.probe.total(), 0);
}

#[test]
fn nodes_that_move_into_a_part_keep_their_keys() {
    let bench = Bench::new();
    let request = bench.request("3");
    bench.run(&bench.graph(&written(&["a".into(), "b".into(), "c".into()], false, "")), &request);
    bench.probe.take();
    let part = bench.path("counted.yaml");
    let text = "talkgraph: 1\ninputs: { from: json }\nnodes:
  more: { type: count, in: { json: from }, params: { start: 3 } }
  then: { type: add, in: { sequence: more.sequence } }
outputs: { sequence: then.sequence }\n";
    std::fs::write(&part, text).unwrap();
    let graph = format!(
        "talkgraph: 1\ninputs: {{ n: json }}\nnodes:
  counted: {{ graph: {}, in: {{ from: n }}, params: {{ more.start: 2 }} }}
  all: {{ type: collect, in: {{ sequence: counted.sequence }} }}
outputs: {{ out: all.json }}\n",
        part.display()
    );
    bench.run(&bench.graph(&graph), &request);
    assert_eq!(bench.probe.total(), 0);

    // A part is refreshed as a whole.
    let request = talkgraph::engine::Request { refresh: ["counted".to_owned()].into(), ..request };
    bench.run(&bench.graph(&graph), &request);
    assert!(bench.probe.total() > 0);
}
