//! Frame rates in graphs: how they are written, where they come from, and that they agree.

use std::path::Path;

use insta::assert_snapshot;
use talkgraph::{
    check::{self, Settings},
    error::Diagnostics,
    graph::Graph,
};
use talkgraph_nodes::{contract::ParamValue, registry::Registry};

const GRAPH: &str = "talkgraph: 1
inputs: { speech: audio, driving: frames }
nodes:
  mel: { type: mel, in: { audio: speech } }
  blink: { type: blink, in: { timeline: mel.mel } }
  ratio: { type: write_tensors, in: { sequence: blink.ratio } }
  mux: { type: mux, in: { frames: driving } }
outputs: { ratio: ratio.file, video: mux.video }
";

fn load(text: &str, set: &[&str], pack: Option<ParamValue>) -> Result<Graph, Diagnostics> {
    let lookup = |ty: &str, param: &str| pack.clone().filter(|_| (ty, param) == ("mel", "fps"));
    let settings = Settings {
        set: set.iter().map(|one| one.parse().expect("an assignment")).collect(),
        pack_default: Some(&lookup),
        ..Settings::default()
    };
    check::check(Path::new("test.yaml"), text, &Registry::builtin(), &settings)
}

fn rate_of(graph: &Graph, node: &str) -> String {
    graph.dag[graph.find(node).expect("a node")].rate.expect("a rate").to_string()
}

/// Rates of `mel` and `driving`.
fn rates(text: &str, set: &[&str], pack: Option<ParamValue>) -> [String; 2] {
    let graph = load(text, set, pack).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(graph.warnings, vec![]);
    assert_eq!(rate_of(&graph, "mel"), rate_of(&graph, "blink"));
    assert_eq!(rate_of(&graph, "driving"), rate_of(&graph, "mux"));
    ["mel", "driving"].map(|node| rate_of(&graph, node))
}

fn with(line: &str) -> String {
    GRAPH.replacen("inputs:", &format!("{line}\ninputs:"), 1)
}

fn messages(text: &str, set: &[&str]) -> String {
    match load(text, set, None) {
        Ok(graph) => format!("warnings:\n{}", Diagnostics(graph.warnings)),
        Err(found) => found.to_string(),
    }
}

#[test]
fn every_spelling_means_one_rate() {
    for (given, rate) in [
        ("25", "25"),
        ("25.0", "25"),
        ("50/2", "25"),
        ("12.5", "25/2"),
        ("29.97", "30000/1001"),
        ("\"29.97\"", "30000/1001"),
        ("30000/1001", "30000/1001"),
        ("23.976", "24000/1001"),
        ("119.88", "120000/1001"),
        ("120", "120"),
    ] {
        assert_eq!(rates(&with(&format!("fps: {given}")), &[], None), [rate, rate], "fps: {given}");
        let set = format!("fps={}", given.trim_matches('"'));
        assert_eq!(rates(GRAPH, &[&set], None), [rate, rate], "--set {set}");
        let set = format!("mel.fps={}", given.trim_matches('"'));
        assert_eq!(rates(GRAPH, &[&set], None), [rate, "25"], "--set {set}");
    }
}

#[test]
fn the_node_comes_before_the_graph_and_the_graph_before_the_pack() {
    let pack = || Some(ParamValue::Int(50));
    let node = |text: &str| text.replacen("mel, in", "mel, params: { fps: 60 }, in", 1);
    assert_eq!(rates(GRAPH, &[], None), ["25", "25"]);
    assert_eq!(rates(GRAPH, &[], pack()), ["50", "25"]);
    assert_eq!(rates(&with("fps: 30"), &[], pack()), ["30", "30"]);
    assert_eq!(rates(&with("fps: 30"), &["fps=24"], pack()), ["24", "24"]);
    assert_eq!(rates(&node(&with("fps: 30")), &["fps=24"], pack()), ["60", "24"]);
    assert_eq!(rates(&node(&with("fps: 30")), &["mel.fps=48", "fps=24"], pack()), ["48", "24"]);
    assert_eq!(rates(GRAPH, &["fps=24", "fps=29.97"], pack()), ["30000/1001", "30000/1001"]);
}

#[test]
fn wrong_rates_say_where() {
    let mut all = vec![];
    for line in ["fps: 0", "fps: 120.5", "fps: quick", "fps: [25]", "fps:", "fps: true", "fps: 25.0000001"] {
        all.push(format!("{line}\n{}", messages(&with(line), &[])));
    }
    for set in ["fps=fast", "fps=1/0", "mel.fps=29,97", "rate=25", "talk.fps=25"] {
        all.push(format!("--set {set}\n{}", messages(GRAPH, &[set])));
    }
    // A wrong rate in the file is told also where the command line has another.
    all.push(format!("fps: 0, --set fps=25\n{}", messages(&with("fps: 0"), &["fps=25"])));
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn a_rate_that_no_node_takes_is_told() {
    let text = "talkgraph: 1
fps: 25
nodes:
  head: { type: sample }
  picture: { type: write_image, in: { image: head.image } }
outputs: { picture: picture.file }
";
    assert_snapshot!(format!(
        "{}\n\n{}",
        messages(text, &[]),
        messages(&text.replace("fps: 25\n", ""), &["fps=25"])
    ));
}

#[test]
fn rates_that_meet_must_agree() {
    let text = "talkgraph: 1
inputs: { speech: audio, portrait: image, curve: tensors, driving: frames }
nodes:
  guess: { type: deep3d, in: { image: portrait } }
  mel: { type: mel, in: { audio: speech }, params: { fps: 29.97 } }
  ratio: { type: sequence, in: { tensors: curve }, params: { of: ratio } }
  talk: { type: audio2exp, in: { mel: mel.mel, reference: guess.coefficients, ratio: ratio.sequence } }
  motion: { type: deep3d, in: { frames: driving } }
  drive: { type: fuse, in: { expression: talk.expression, driving: motion.coefficients, reference: guess.coefficients } }
  file: { type: write_tensors, in: { sequence: drive.expression } }
outputs: { expression: file.file }
";
    assert_snapshot!(messages(text, &[]));
    let agree = text.replacen("inputs:", "fps: 29.97\ninputs:", 1);
    assert_eq!(messages(&agree, &[]), "warnings:\n");
    assert_eq!(messages(text, &["fps=30000/1001"]), "warnings:\n");
}
