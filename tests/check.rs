//! Messages about wrong graph files, and what a right one becomes.

mod support;

use insta::assert_snapshot;
use support::{check, check_with, messages};
use talkgraph::check::Settings;
use talkgraph_nodes::contract::{CacheMode, ParamValue, Rate};

const GOOD: &str = include_str!("fixtures/good.yaml");

/// The good graph with one text replaced by another.
fn broken(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the fixture has no `{from}`");
    messages(&GOOD.replacen(from, to, 1))
}

fn set(assignments: &[&str]) -> Settings<'static> {
    let set = assignments.iter().map(|one| one.parse().expect("an assignment")).collect();
    Settings { set, ..Settings::default() }
}

#[test]
fn good_graph() {
    let graph = check(GOOD).expect("no mistakes");
    assert_eq!(graph.warnings, vec![]);
    assert_eq!(graph.dag.node_count(), 8);
    let talk = &graph.dag[graph.find("talk").expect("a node")];
    assert_eq!(talk.params.int("window").ok(), Some(5));
    assert_eq!(talk.params.bool("mirror").ok(), Some(false));
    assert_eq!((talk.cache, talk.rate), (CacheMode::Always, Some(Rate::new(25, 1))));
    assert_eq!(talk.place.to_string(), "test.yaml:11:3");
    assert!(graph.dag[graph.find("portrait").expect("a node")].is_input);
}

#[test]
fn ten_mistakes() {
    assert_snapshot!(messages(include_str!("fixtures/ten_mistakes.yaml")));
}

#[test]
fn cycle() {
    let text = "talkgraph: 1
nodes:
  a: { type: align, in: { frames: c.frames } }
  b: { type: align, in: { frames: a.frames } }
  c: { type: align, in: { frames: b.frames } }
  d: { type: align, in: { frames: d.frames } }
outputs: { frames: c.frames, other: d.frames }
";
    assert_snapshot!(messages(text));
}

#[test]
fn duplicate_keys() {
    let text = "talkgraph: 1
inputs: { speech: audio }
nodes:
  mel: { type: mel, in: { audio: speech } }
  mel: { type: mel, in: { audio: speech, audio: speech }, params: { rate: 25, rate: 30 } }
outputs: { mel: mel.mel }
outputs: { mel: mel.mel }
";
    assert_snapshot!(messages(text));
}

#[test]
fn shape_of_the_file() {
    let texts =
        ["", "42", "- a\n- b", "nodes: [", "talkgraph: 2\nanything: 1", "talkgraph: 1", "a: 1\n---\nb: 2"];
    let all: Vec<String> = texts.iter().map(|text| format!("{text:?}\n{}", messages(text))).collect();
    assert_snapshot!("shape", all.join("\n\n"));
    assert_snapshot!(
        "shape_of_parts",
        messages(
            "talkgraph: 1
nmae: x
inputs: { a: [1], b: { tpye: audio }, c: { type: audio, params: 3 } }
nodes:
  one: align
  two: { in: { image: [a] } }
  a.b: { type: 5, cache: allways }
outputs: { 7: one.image }
"
        )
    );
    assert_snapshot!(
        "shape_of_names_and_references",
        messages(
            "talkgraph: 1
inputs: { a: audio, b: mask, c: sound }
nodes:
  a: { type: mel, in: { audio: a } }
  m l: { type: mel, in: { audio: a.b.c }, cache: allways }
  mel: { type: mel, in: { audio: .audio } }
outputs: { mel: mel, b: b }
"
        )
    );
}

#[test]
fn references() {
    assert_snapshot!("unknown_node", broken("mel: mel.mel", "mel: mal.mel"));
    assert_snapshot!("unknown_output", broken("face: face.image", "face: face.img"));
    assert_snapshot!("no_output_name", broken("face: face.image", "face: face"));
    assert_snapshot!("unknown_input", broken("face: face.image", "fcae: face.image"));
    assert_snapshot!("missing_input", broken("mel: mel.mel, face: face.image, ", ""));
    assert_snapshot!("wrong_type", broken("face: face.image", "face: speech"));
    assert_snapshot!("value_for_sequence", broken("frames: talk.frames", "frames: face.image"));
    assert_snapshot!("sequence_for_value", broken("face: face.image", "face: track.frames"));
    assert_snapshot!("neither_still_nor_moving", broken("in: { image: portrait }", "in: {}"));
    assert_snapshot!("both", broken("in: { image: portrait }", "in: { image: portrait, frames: driving }"));
    assert_snapshot!("other_rate", broken("rate: 25", "rate: 30"));
    assert_snapshot!("unused", broken(", driving: track.frames", ""));
}

#[test]
fn parameters() {
    let cases = [
        "widnow: 5",
        "window: 100",
        "window: 5.5",
        "window: \"5\"",
        "window: fast",
        "window: [5]",
        "window:",
        "mode: fsat",
        "mode: 3",
        "mirror: yes",
        "mirror: 1",
        "window: .nan",
        "window: 99999999999999999999",
    ];
    let all: Vec<String> =
        cases.iter().map(|case| format!("{case}\n{}", broken("window: 5", case))).collect();
    assert_snapshot!(all.join("\n\n"));
    assert_snapshot!(
        "file_parameters",
        messages(
            "talkgraph: 1
nodes:
  a: { type: custom }
  b: { type: custom, params: { model: no/such.onnx } }
outputs: { a: a.x, b: b.y }
"
        )
    );
    let graph = check(&GOOD.replace("window: 5", "window: 5.0")).expect("a whole number");
    assert_eq!(graph.dag[graph.find("talk").expect("a node")].params.int("window").ok(), Some(5));
}

#[test]
fn settings_override_the_graph() {
    let graph =
        check_with(GOOD, &set(&["talk.window=9", "talk.window=11", "driving.rate=25"])).expect("no mistakes");
    assert_eq!(graph.dag[graph.find("talk").expect("a node")].params.int("window").ok(), Some(11));
    let mut wrong = set(&["tlak.window=9", "talk.widnow=9", "talk.window=x", "talk.window=100", "talk=1"]);
    wrong.refresh = vec!["mux".into(), "mucks".into()];
    assert_snapshot!(check_with(GOOD, &wrong).expect_err("mistakes").to_string());
}

#[test]
fn defaults_come_from_the_pack_before_the_contract() {
    let lookup = |ty: &str, param: &str| match (ty, param) {
        ("talk", "window" | "mirror") => Some(ParamValue::Int(3)),
        _ => None,
    };
    let settings = Settings { pack_default: Some(&lookup), ..Settings::default() };
    assert_snapshot!(check_with(GOOD, &settings).expect_err("mirror is no number").to_string());
    let lookup = |_: &str, param: &str| (param == "margin").then_some(ParamValue::Int(1));
    let settings = Settings { pack_default: Some(&lookup), ..Settings::default() };
    let graph = check_with(GOOD, &settings).expect("no mistakes");
    assert_eq!(graph.dag[graph.find("face").expect("a node")].params.float("margin").ok(), Some(1.0));
}

#[test]
fn anchors_are_followed() {
    let text = GOOD
        .replace(
            "face: { type: align, in: { image: portrait } }",
            "face: &face { type: align, in: { image: portrait } }",
        )
        .replace("outputs:\n", "outputs:\n  face: again.image\n")
        .replace("  mux:", "  again: *face\n  mux:");
    let graph = check(&text).expect("no mistakes");
    assert_eq!(graph.dag[graph.find("again").expect("a node")].contract.name, "align");
}
