//! Graph files as nodes: what they become, what is wrong with them, and parameters through them.

mod support;

use std::{collections::BTreeSet, fs, path::Path};

use insta::assert_snapshot;
use petgraph::visit::{EdgeRef, IntoEdgeReferences};
use talkgraph::{
    check::{self, Settings},
    error::Diagnostics,
    graph::{Graph, NodeId},
};
use talkgraph_nodes::contract::{CacheMode, ParamValue};

/// Graph files in a folder of their own; `main.yaml` is the graph.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Self(folder)
    }

    fn check_with(&self, set: &[&str]) -> Result<Graph, Diagnostics> {
        let set = set.iter().map(|one| one.parse().expect("an assignment")).collect();
        let settings = Settings { set, ..Settings::default() };
        check::load(&self.0.path().join("main.yaml"), &support::registry(), &settings)
    }

    fn check(&self) -> Graph {
        self.check_with(&[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    fn messages(&self, set: &[&str]) -> String {
        let found = match self.check_with(set) {
            Ok(graph) => format!("no mistakes; warnings:\n{}", Diagnostics(graph.warnings)),
            Err(diagnostics) => diagnostics.to_string(),
        };
        found.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Everything of a graph that a run depends on, without names of nodes: types with their parameters, and connections between them.
fn shape(graph: &Graph) -> (BTreeSet<String>, BTreeSet<String>) {
    let node = |id: NodeId| {
        let node = &graph.dag[id];
        format!(
            "{} {:?} {:?} {:?} {:?}",
            node.contract.name, node.params, node.connected, node.cache, node.rate
        )
    };
    let nodes = graph.dag.node_indices().map(node).collect();
    let edges = graph.dag.edge_references();
    let edges = edges
        .map(|edge| format!("{} {:?} {}", node(edge.source()), edge.weight(), node(edge.target())))
        .collect();
    (nodes, edges)
}

const HEAD: &str =
    "talkgraph: 1\nname: head\ninputs: { photo: image }\nparams: { margin: face.margin }\nnodes:
  face: { type: align, in: { image: photo } }\noutputs: { face: face.image, landmarks: face.landmarks }\n";

const TALK: &str = "talkgraph: 1\nname: talk\ninputs:\n  face: image\n  sound: audio\n  driving: { type: sequence of frames, optional: true }
params: { window: talk.window, both: [talk.window, mel.rate] }\nnodes:\n  mel: { type: mel, in: { audio: sound } }
  talk: { type: talk, in: { mel: mel.mel, face: face, driving: driving }, params: { window: 5 } }\noutputs: { frames: talk.frames }\n";

const MAIN: &str = "talkgraph: 1\nname: main\ninputs: { portrait: image, speech: audio }\nparams: { window: talk.window }\nnodes:
  head: { graph: parts/head.yaml, in: { photo: portrait }, params: { margin: 0.5 } }
  talk: { graph: parts/talk.yaml, in: { face: head.face, sound: speech }, cache: always, params: { talk.mode: fast } }
  mux: { type: mux, in: { frames: talk.frames, audio: speech } }\noutputs: { video: mux.video }\n";

fn whole() -> Files {
    Files::new(&[("main.yaml", MAIN), ("parts/head.yaml", HEAD), ("parts/talk.yaml", TALK)])
}

#[test]
fn parts_are_what_is_in_them() {
    let flat = "talkgraph: 1\nname: main\ninputs: { portrait: image, speech: audio }\nnodes:
  face: { type: align, in: { image: portrait }, params: { margin: 0.5 } }
  mel: { type: mel, in: { audio: speech }, cache: always }
  talk: { type: talk, in: { mel: mel.mel, face: face.image }, params: { window: 5, mode: fast }, cache: always }
  mux: { type: mux, in: { frames: talk.frames, audio: speech } }\noutputs: { video: mux.video }\n";
    let parts = whole().check();
    assert_eq!(shape(&parts), shape(&Files::new(&[("main.yaml", flat)]).check()));
    assert_eq!(parts.warnings, vec![]);
    let names: Vec<&str> = parts.dag.node_weights().map(|node| node.id.as_str()).collect();
    assert_eq!(names, ["portrait", "speech", "head/face", "talk/mel", "talk/talk", "mux"]);
    let place = &parts.dag[parts.find("talk/mel").expect("a node")].place;
    assert!(place.file.ends_with("parts/talk.yaml") && place.line == 9, "{place}");
    let inside: Vec<&str> = parts.find_all("talk").map(|node| parts.dag[node].id.as_str()).collect();
    assert_eq!(inside, ["talk/mel", "talk/talk"]);
}

#[test]
fn parts_in_parts_hand_on_what_they_are_given() {
    let outer = "talkgraph: 1\ninputs: { photo: image, sound: audio, driving: { type: frames, optional: true } }\nparams: { mode: inner.window }\nnodes:
  inner: { graph: talk.yaml, in: { face: photo, sound: sound, driving: driving } }
outputs: { frames: inner.frames, photo: photo }\n";
    let main = "talkgraph: 1\ninputs: { portrait: image, speech: audio }\nnodes:
  outer: { graph: parts/outer.yaml, in: { photo: portrait, sound: speech }, params: { mode: 9 } }
  face: { type: align, in: { image: outer.photo } }
  other: { type: talk, in: { mel: mel.mel, face: face.image, driving: outer.frames } }
  mel: { type: mel, in: { audio: speech } }
  mux: { type: mux, in: { frames: other.frames, audio: speech } }\noutputs: { video: mux.video }\n";
    let graph =
        Files::new(&[("main.yaml", main), ("parts/outer.yaml", outer), ("parts/talk.yaml", TALK)]).check();
    let talk = &graph.dag[graph.find("outer/inner/talk").expect("a node")];
    assert_eq!(talk.params.int("window").ok(), Some(9));
    assert!(!talk.connected.contains("driving"), "what is not given is not connected");
    let portrait = graph.find("portrait").expect("a node");
    assert!(graph.dag.contains_edge(portrait, graph.find("face").expect("a node")));
}

#[test]
fn the_outermost_says_what_a_parameter_is() {
    let window = |set: &[&str]| {
        let graph = whole().check_with(set).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        graph.dag[graph.find("talk/talk").expect("a node")].params.0["window"].clone()
    };
    assert_eq!(window(&[]), ParamValue::Int(5));
    assert_eq!(window(&["window=7"]), ParamValue::Int(7));
    assert_eq!(window(&["talk.window=8"]), ParamValue::Int(8));
    assert_eq!(window(&["talk/talk.window=9"]), ParamValue::Int(9));
    assert_eq!(window(&["window=7", "talk.both=3"]), ParamValue::Int(3));
    let graph = whole().check_with(&["talk.both=30"]).expect("no mistakes");
    assert_eq!(graph.dag[graph.find("talk/mel").expect("a node")].params.int("rate").ok(), Some(30));
    assert_eq!(graph.dag[graph.find("mux").expect("a node")].cache, CacheMode::Auto);
}

#[test]
fn mistakes_are_told_where_they_are() {
    let main = "talkgraph: 1
inputs: { portrait: image, speech: audio }
nodes:
  head: { graph: parts/head.yaml, in: { photo: speech }, params: { margn: 0.5, fase.margin: 1, face.margin: 2 } }
  bare: { graph: parts/head.yaml }
  extra: { graph: parts/head.yaml, in: { photo: portrait, phto: portrait } }
  talk: { graph: parts/talk.yaml, in: { face: head.face, sound: speech, driving: portrait } }
  gone: { graph: parts/gone.yaml }
  both: { type: mel, graph: parts/head.yaml }
  mux: { type: mux, in: { frames: talk.frame, audio: head } }
  more: { type: mux, in: { frames: talk.talk, audio: talks.sound } }
outputs: { video: mux.video, more: more.video, face: extra.fce, bare: bare.face }
";
    let files = Files::new(&[("main.yaml", main), ("parts/head.yaml", HEAD), ("parts/talk.yaml", TALK)]);
    let set = ["head.margn=1", "head/fce.margin=1", "windw=2"];
    assert_snapshot!(files.messages(&set));
}

#[test]
fn mistakes_in_a_part_are_told_once_in_its_file() {
    let broken = "talkgraph: 1\ninputs: { photo: image }\nnodes:
  face: { type: algin, in: { image: photo } }
  again: { type: align, in: { image: phto.image } }
  photo: { type: align, in: { image: photo } }
outputs: { face: again.image, none: nobody.image }\n";
    let main = "talkgraph: 1\ninputs: { portrait: image }\nnodes:
  a: { graph: broken.yaml, in: { photo: portrait } }
  b: { graph: broken.yaml, in: { photo: portrait } }
outputs: { a: a.face, b: b.face }\n";
    assert_snapshot!(Files::new(&[("main.yaml", main), ("broken.yaml", broken)]).messages(&[]));
}

#[test]
fn a_graph_is_no_part_of_itself() {
    let part = |of: &str| {
        format!(
            "talkgraph: 1\ninputs: {{ photo: image }}\nnodes: {{ in: {{ graph: {of}, in: {{ photo: photo }} }} }}\noutputs: {{ photo: in.photo }}\n"
        )
    };
    let main = "talkgraph: 1\ninputs: { portrait: image }\nnodes: { a: { graph: a.yaml, in: { photo: portrait } } }\noutputs: { photo: a.photo }\n";
    let around = Files::new(&[
        ("main.yaml", main),
        ("a.yaml", &part("sub/../b.yaml")),
        ("b.yaml", &part("a.yaml")),
        ("sub/x", ""),
    ]);
    let itself = Files::new(&[("main.yaml", &part("main.yaml"))]);
    let deep: Vec<(String, String)> =
        (0..40).map(|n| (format!("{n}.yaml"), part(&format!("{}.yaml", n + 1)))).collect();
    let mut deep: Vec<(&str, &str)> =
        deep.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let first = main.replace("a.yaml", "0.yaml");
    deep.push(("main.yaml", &first));
    let loops = "talkgraph: 1\ninputs: { portrait: image }\nnodes: { a: { graph: b.yaml, in: { photo: a.photo } } }\noutputs: { photo: a.photo }\n";
    let through = "talkgraph: 1\ninputs: { photo: image }\nnodes: {}\noutputs: { photo: photo }\n";
    let loops = Files::new(&[("main.yaml", loops), ("b.yaml", through)]);
    let all = [around, itself, Files::new(&deep), loops].map(|files| files.messages(&[]));
    assert_snapshot!(all.join("\n"));
}

#[test]
fn parts_do_not_multiply_without_end() {
    let part = |of: &str| {
        let of = format!("{{ graph: {of}, in: {{ photo: photo }} }}");
        format!(
            "talkgraph: 1\ninputs: {{ photo: image }}\nnodes: {{ a: {of}, b: {of}, c: {of}, d: {of}, e: {of}, f: {of} }}\noutputs: {{ face: a.face, b: b.face, c: c.face, d: d.face, e: e.face, f: f.face }}\n"
        )
    };
    let mut files: Vec<(String, String)> =
        (0..10).map(|n| (format!("{n}.yaml"), part(&format!("{}.yaml", n + 1)))).collect();
    files.push(("10.yaml".into(), HEAD.into()));
    files.push(("main.yaml".into(), part("0.yaml")));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let said = Files::new(&files).messages(&[]);
    assert!(said.contains("more than 20000 nodes"), "{said}");
}

#[test]
fn a_part_alone_is_checked_and_says_what_it_lacks() {
    let part = "talkgraph: 1\ninputs: { mel: sequence of mel, face: image }\nnodes:
  talk: { type: talk, in: { mel: mel, face: face } }\noutputs: { frames: talk.frames }\n";
    let graph = Files::new(&[("main.yaml", part)]).check();
    let unfed = graph.unfed.to_string();
    assert!(unfed.contains("input `mel`: a sequence of `mel` cannot come from a file"), "{unfed}");
    assert!(!unfed.contains("face"), "{unfed}");
}

#[test]
fn files_in_parts_lie_beside_their_own_file() {
    let part = "talkgraph: 1\ninputs: { photo: image }\nnodes: { run: { type: custom, params: { model: weights.onnx } }, face: { type: align, in: { image: photo } } }
outputs: { face: face.image }\n";
    let main = "talkgraph: 1\ninputs: { portrait: image }\nnodes:
  a: { graph: sub/part.yaml, in: { photo: portrait } }
  b: { graph: sub/part.yaml, in: { photo: portrait }, params: { run.model: other.onnx } }
outputs: { a: a.face, b: b.face }\n";
    let files = Files::new(&[
        ("main.yaml", main),
        ("sub/part.yaml", part),
        ("sub/weights.onnx", ""),
        ("other.onnx", ""),
    ]);
    let graph = files.check();
    let model = |id: &str| {
        graph.dag[graph.find(id).expect("a node")].params.text("model").expect("a text").to_owned()
    };
    assert!(Path::new(&model("a/run")).ends_with("sub/weights.onnx"));
    assert!(Path::new(&model("b/run")).ends_with("other.onnx") && !model("b/run").contains("sub"));
}

/// The graphs in docs/make-a-mode.md are right as they are written there, in the repository's own folder.
#[test]
fn the_guide_is_true() {
    let guide = include_str!("../docs/make-a-mode.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root.join("graphs"), folder.path().join("graphs")).expect("a link");
    let blocks: Vec<(&str, &str)> = guide
        .split("```yaml")
        .skip(1)
        .filter_map(|rest| rest.split("```").next()?.split_once('\n'))
        .collect();
    assert_eq!(blocks.len(), 3);
    let registry = talkgraph_nodes::registry::Registry::builtin();
    for (head, text) in blocks {
        let name = head.trim().strip_prefix("part=").unwrap_or("mine.yaml");
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        let graph = check::load(&path, &registry, &Settings::default())
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(graph.warnings, vec![]);
    }
}
