//! Random graphs: order of work, reuse, and what a changed parameter reaches.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use talkgraph::{events::Event, run::report::NodeStatus};

use crate::bench::Bench;

/// A random graph of map and scan nodes: for each node its type and the nodes that feed it.
pub fn graphs() -> impl Strategy<Value = Vec<(usize, usize, Option<usize>)>> {
    prop::collection::vec(
        (0..5usize, any::<prop::sample::Index>(), any::<Option<prop::sample::Index>>()),
        1..9,
    )
    .prop_map(|nodes| {
        let nodes = nodes.into_iter().enumerate();
        nodes
            .map(|(i, (ty, first, second))| {
                (ty, first.index(i + 1), second.filter(|_| ty < 3).map(|second| second.index(i + 1)))
            })
            .collect()
    })
}

/// Writes the graph: node 0 counts, the others follow; a collector takes every node that no other takes.
pub fn written(nodes: &[(usize, usize, Option<usize>)]) -> (String, BTreeMap<String, BTreeSet<String>>) {
    let mut yaml = "talkgraph: 1\nname: random\ninputs: { n: json }\nnodes:\n".to_owned();
    yaml += "  v0: { type: count, in: { json: n } }\n";
    let mut feeds = BTreeMap::from([("v0".to_owned(), BTreeSet::from(["n".to_owned()]))]);
    let mut free: BTreeSet<usize> = [0].into();
    for (i, (ty, first, second)) in nodes.iter().enumerate() {
        let name = ["add", "render", "slow", "sum", "flow"][*ty];
        let other = second.map(|second| format!(", other: v{second}.sequence")).unwrap_or_default();
        yaml += &format!("  v{}: {{ type: {name}, in: {{ sequence: v{first}.sequence{other} }} }}\n", i + 1);
        let from = [Some(*first), *second].into_iter().flatten().map(|from| format!("v{from}")).collect();
        feeds.insert(format!("v{}", i + 1), from);
        free.remove(first);
        second.map(|second| free.remove(&second));
        free.insert(i + 1);
    }
    let mut outputs = vec![];
    for node in free {
        yaml += &format!("  c{node}: {{ type: collect, in: {{ sequence: v{node}.sequence }} }}\n");
        feeds.insert(format!("c{node}"), [format!("v{node}")].into());
        let name = if outputs.is_empty() { "out".to_owned() } else { format!("out{node}") };
        outputs.push(format!("{name}: c{node}.json"));
    }
    yaml += &format!("outputs: {{ {} }}\n", outputs.join(", "));
    (yaml, feeds)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn work_follows_the_edges_and_is_done_once(nodes in graphs(), length in 0..6usize) {
        let bench = Bench::new();
        let (yaml, feeds) = written(&nodes);
        let graph = bench.graph(&yaml);
        let request = bench.request(&length.to_string());
        let (outcome, value) = bench.run(&graph, &request);
        // Nodes that do the very same as another find its results.
        let ran: Vec<_> =
            outcome.report.nodes.iter().filter(|node| node.status != NodeStatus::Cached).collect();
        prop_assert!(ran.len() >= 3 && ran.iter().all(|node| node.status == NodeStatus::Ran));

        // No chunk starts before that chunk of every node that feeds it has ended, or was emitted.
        let mut ended: BTreeSet<(String, usize)> = BTreeSet::new();
        for event in bench.log.lock().unwrap().iter() {
            match event {
                Event::Started { node, chunk: Some(k), .. } => {
                    for from in feeds[node.as_ref()].iter().filter(|from| *from != "v0") {
                        prop_assert!(ended.contains(&(from.clone(), *k)), "{node} {k} before {from}");
                    }
                }
                Event::Finished { node, chunk: Some(k), .. } | Event::Found { node, chunk: Some(k) } => {
                    ended.insert((node.to_string(), *k));
                }
                _ => {}
            }
        }

        bench.probe.take();
        let (outcome, again) = bench.run(&graph, &request);
        prop_assert_eq!(bench.probe.total(), 0);
        prop_assert_eq!(again, value);
        prop_assert!(outcome.report.nodes.iter().all(|node| node.status == NodeStatus::Cached));
    }

    #[test]
    fn a_changed_parameter_runs_exactly_what_it_reaches(
        nodes in graphs(),
        pick in any::<prop::sample::Index>(),
    ) {
        let bench = Bench::new();
        let (yaml, feeds) = written(&nodes);
        let request = bench.request("3");
        bench.run(&bench.graph(&yaml), &request);
        bench.probe.take();

        let changeable: Vec<_> = (1..=nodes.len()).filter(|i| nodes[i - 1].0 < 3).collect();
        prop_assume!(!changeable.is_empty());
        let changed = format!("v{}", changeable[pick.index(changeable.len())]);
        let mut reached = BTreeSet::from([changed.clone()]);
        // Node names grow along edges, so one pass over nodes, then collectors, suffices.
        for i in 1..=nodes.len() {
            let name = format!("v{i}");
            if feeds[&name].iter().any(|from| reached.contains(from)) {
                reached.insert(name);
            }
        }
        for (name, from) in feeds.iter().filter(|(name, _)| name.starts_with('c')) {
            if from.iter().any(|from| reached.contains(from)) {
                reached.insert(name.clone());
            }
        }
        let graph = bench.graph_with(&yaml, &[&format!("{changed}.by=1000")]);
        let (outcome, _) = bench.run(&graph, &request);
        for node in &outcome.report.nodes {
            let ran = node.status == NodeStatus::Ran;
            // What is not stored runs again for a consumer that runs.
            let unstored = &*node.ty == "render" || &*node.ty == "flow";
            // Another node may have done the very same action already.
            if !reached.contains(node.id.as_ref()) {
                prop_assert!(!ran || unstored, "{} ran", node.id);
            }
        }
        prop_assert_eq!(outcome.report.node(&changed).unwrap().status, NodeStatus::Ran);
    }
}
