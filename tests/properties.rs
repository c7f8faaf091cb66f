//! What holds for every graph file: order means nothing, and no text makes the checker panic.

mod support;

use petgraph::visit::{EdgeRef, IntoEdgeReferences};
use proptest::prelude::*;
use talkgraph::graph::Graph;

const GOOD: &str = include_str!("fixtures/good.yaml");
const WRONG: &str = include_str!("fixtures/ten_mistakes.yaml");

/// Everything a graph says but the order and places of its nodes.
fn content(graph: &Graph) -> String {
    let mut lines: Vec<String> = graph
        .dag
        .node_weights()
        .map(|node| {
            format!(
                "{} {:?} {:?} {:?} {:?} {:?}",
                node.id, node.contract, node.params, node.connected, node.cache, node.rate
            )
        })
        .collect();
    lines.extend(graph.dag.edge_references().map(|edge| {
        let (from, to) = (&graph.dag[edge.source()].id, &graph.dag[edge.target()].id);
        format!("{from}.{} -> {to}.{}", edge.weight().from, edge.weight().to)
    }));
    lines.extend(
        graph
            .outputs
            .iter()
            .map(|output| format!("{} {}.{}", output.name, graph.dag[output.node].id, output.port)),
    );
    lines.sort();
    lines.join("\n")
}

/// The good graph with its nodes, one text each, in another order.
fn reordered(order: &[usize]) -> String {
    let (head, rest) = GOOD.split_once("nodes:\n").expect("the fixture has nodes");
    let (nodes, tail) = rest.split_once("outputs:").expect("the fixture has outputs");
    let mut blocks: Vec<String> = vec![];
    for line in nodes.lines() {
        match blocks.last_mut() {
            Some(last) if line.starts_with("   ") => *last += &format!("{line}\n"),
            _ => blocks.push(format!("{line}\n")),
        }
    }
    let nodes: String = order.iter().map(|&index| format!("\n  # moved\n{}", blocks[index])).collect();
    format!("{head}nodes:\n{nodes}outputs:{tail}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_of_nodes_means_nothing(order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle()) {
        let expected = content(&support::check(GOOD).expect("no mistakes"));
        prop_assert_eq!(content(&support::check(&reordered(&order)).expect("no mistakes")), expected);
    }

    #[test]
    fn damaged_files_give_messages(
        from in 0.0..1.0f64,
        length in 0usize..12,
        insert in "[ \\n:{}\\[\\],.#&*!|>'\"a-z0-9-]{0,6}",
        wrong in any::<bool>(),
    ) {
        let text: Vec<char> = if wrong { WRONG } else { GOOD }.chars().collect();
        let from = (from * text.len() as f64) as usize;
        let end = (from + length).min(text.len());
        let damaged: String = text[..from].iter().copied().chain(insert.chars()).chain(text[end..].iter().copied()).collect();
        if let Err(found) = support::check(&damaged) {
            prop_assert!(found.has_errors());
            for one in &found.0 {
                let place = one.place.as_ref().expect("every mistake in a file has a place");
                prop_assert!((1..=damaged.lines().count() + 1).contains(&place.line), "{}", one);
            }
        }
    }

    #[test]
    fn any_text_gives_messages(text in "\\PC{0,60}") {
        prop_assert!(support::check(&text).is_err());
    }
}
