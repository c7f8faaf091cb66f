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
