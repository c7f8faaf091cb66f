//! Drawings, reference and schema of a fixed set of node types.

mod support;

use insta::{assert_json_snapshot, assert_snapshot};
use talkgraph::{
    docs,
    dot::{self, Mark, Marks, Picture},
    graph::Graph,
    schema,
};

fn graph() -> Graph {
    support::check(include_str!("fixtures/good.yaml")).expect("no mistakes")
}

fn marks(graph: &Graph) -> Marks {
    let marks = [("face", Mark::Cached), ("talk", Mark::Partial), ("mel", Mark::Run), ("mux", Mark::Unknown)];
    marks.into_iter().filter_map(|(id, mark)| Some((graph.find(id)?, mark))).collect()
}

#[test]
fn graphviz() {
    let graph = graph();
    assert_snapshot!("dot_plain", dot::dot(&Picture::new(&graph, &Marks::new(), false)));
    assert_snapshot!("dot_planned", dot::dot(&Picture::new(&graph, &marks(&graph), false)));
}

#[test]
fn mermaid() {
    let graph = graph();
    assert_snapshot!(dot::mermaid(&Picture::new(&graph, &marks(&graph), false)));
}

#[test]
fn json() {
    let graph = graph();
    assert_json_snapshot!(dot::json(&Picture::new(&graph, &marks(&graph), false)));
}

#[test]
fn reference() {
    let registry = support::registry();
    assert_snapshot!("list", docs::list(&registry));
    assert_snapshot!("one_type", docs::describe(registry.get("talk").expect("a type").contract()));
    assert_snapshot!("markdown", docs::markdown(&registry));
}

#[test]
fn schema_of_graph_files() {
    assert_json_snapshot!(schema::schema(&support::registry()));
}
