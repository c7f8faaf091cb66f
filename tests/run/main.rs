//! The program itself on a small real graph: runs, plans, reports, exit statuses, the cache.

mod habits;
mod inputs;
mod replaced;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

const GRAPH: &str = "
talkgraph: 1
name: small
inputs: { photo: image }
nodes:
  small: { type: write_image, in: { image: photo }, params: { width: 8 } }
  again: { type: image_decode, in: { file: small.file } }
  smaller: { type: write_image, in: { image: again.image }, params: { width: 4 } }
outputs: { picture: smaller.file }
";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::write(place.path("graph.yaml"), GRAPH).expect("a graph");
        let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/graphs/media/portrait.png");
        fs::copy(photo, place.path("photo.png")).expect("a photo");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn talkgraph(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_talkgraph"))
            .args(args)
            .args(["--cache", "cache"])
            .current_dir(self.0.path())
            .env_remove("TALKGRAPH_PACK")
            .env_remove("TALKGRAPH_HOME")
            .env_remove("TALKGRAPH_CACHE_SIZE")
            .env_remove("TALKGRAPH_CONFIG")
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .output()
            .expect("the program")
    }

    fn run(&self, more: &[&str]) -> Output {
        let args =
            ["run", "graph.yaml", "-i", "photo=photo.png", "-o", "picture=out.png", "--report", "r.json"];
        self.talkgraph(&[&args, more].concat())
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("r.json")).expect("a report")).expect("JSON")
    }

    fn statuses(&self) -> Vec<(String, String)> {
        let report = self.report();
        let nodes = report["nodes"].as_array().expect("nodes").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        nodes.map(|node| (text(&node["id"]), text(&node["status"]))).collect()
    }

    fn all(&self, status: &str) -> bool {
        self.statuses().iter().all(|(_, found)| found == status)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn ends_with(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn the_second_run_is_cached_and_says_so() {
    let place = Place::new();
    let first = place.run(&[]);
    ends_with(&first, 0);
    assert_eq!(text(&first.stdout), "picture\tout.png\n");
    assert!(place.all("ran"), "{:?}", place.statuses());
    let picture = fs::read(place.path("out.png")).expect("a picture");

    fs::remove_file(place.path("out.png")).expect("removed");
    ends_with(&place.run(&[]), 0);
    assert!(place.all("cached"), "{:?}", place.statuses());
    assert_eq!(fs::read(place.path("out.png")).expect("a picture"), picture);
    let report = place.report();
    assert_eq!((&report["status"], &report["graph"]), (&"done".into(), &"small".into()));
    assert_eq!(report["outputs"]["picture"]["path"], "out.png");
    assert!(report["wall_seconds"].as_f64() > Some(0.0) && report["peak_rss_bytes"].as_u64() > Some(1 << 20));
    assert!(report["versions"]["talkgraph"].is_string());
    for node in report["nodes"].as_array().expect("nodes") {
        assert_eq!(node["chunks"], serde_json::json!({ "cached": 1, "ran": 0 }));
        assert!(
            node["key"].is_string() && node["outputs"].as_object().is_some_and(|ports| !ports.is_empty())
        );
    }
}

#[test]
fn names_and_comments_change_nothing_and_a_parameter_runs_what_it_reaches() {
    let place = Place::new();
    ends_with(&place.run(&[]), 0);
    let renamed = GRAPH.replace("again", "second") + "# a comment\n";
    fs::write(place.path("graph.yaml"), renamed).expect("a graph");
    ends_with(&place.run(&[]), 0);
    assert!(place.all("cached"), "{:?}", place.statuses());
    ends_with(&place.run(&["--set", "smaller.width=5"]), 0);
    let ran: Vec<_> = place.statuses().into_iter().filter(|(_, status)| status == "ran").collect();
    assert_eq!(ran, [("smaller".to_owned(), "ran".to_owned())]);
}

#[test]
fn a_flipped_byte_is_noticed_mended_and_reported() {
    let place = Place::new();
    ends_with(&place.run(&[]), 0);
    let digest = place.report()["outputs"]["picture"]["digest"].as_str().expect("a digest").to_owned();
    let blob = place.path(&format!("cache/v1/blobs/{}/{digest}", &digest[..2]));
    let mut bytes = fs::read(&blob).expect("a blob");
    bytes[20] ^= 1;
    fs::write(&blob, bytes).expect("damage");
    let said = ends_with(&place.run(&[]), 0);
    assert!(said.contains("smaller: warning: blob") && said.contains("damaged"), "{said}");
    assert_eq!(place.report()["lost"][0]["node"], "smaller");
    let verify = place.talkgraph(&["cache", "verify"]);
    ends_with(&verify, 0);
}

#[test]
fn a_plan_says_why() {
    let place = Place::new();
    let plan = |more: &[&str]| {
        let output = place.talkgraph(&[&["plan", "graph.yaml"], more].concat());
        ends_with(&output, 0);
        text(&output.stdout)
    };
    assert!(plan(&[]).contains("input not given"), "{}", plan(&[]));
    let input = ["-i", "photo=photo.png"];
    let cold = plan(&input);
    assert!(cold.contains("no action of this key") && cold.contains("depends on `photo`"), "{cold}");
    ends_with(&place.run(&[]), 0);
    assert!(plan(&input).lines().all(|line| line.ends_with("cached")), "{}", plan(&input));
    let refresh = plan(&[&input[..], &["--refresh", "again"]].concat());
    assert!(refresh.lines().any(|line| line.starts_with("again") && line.ends_with("refresh")), "{refresh}");
}

#[test]
fn exit_statuses_tell_what_went_wrong() {
    let place = Place::new();
    fs::write(place.path("photo.txt"), "no picture at all").expect("a text");
    let run = |args: &[&str], status| {
        let said = ends_with(&place.talkgraph(&[&["run", "graph.yaml"], args].concat()), status);
        assert!(said.contains("error:"), "{said}");
        said
    };
    let said = run(&["-i", "photo=photo.txt"], 1);
    assert!(said.contains("graph.yaml:4:11: error: node `photo`"), "{said}");
    assert!(run(&[], 2).contains("-i photo=PATH"));
    assert!(run(&["-i", "photo=nothing.png"], 2).contains("nothing.png"));
    assert!(run(&["-i", "photo=photo.png", "-o", "film=x.mp4"], 2).contains("known outputs: picture"));
    assert!(run(&["-i", "photo=photo.png", "-o", "picture=no/such/x.png"], 3).contains("no/such"));
    assert!(run(&["-i", "photo=photo.png", "--refresh", "nobody"], 2).contains("nobody"));
    assert!(!Path::new(&place.path("no")).exists());
}

#[test]
fn the_cache_can_be_looked_at_and_shrunk() {
    let place = Place::new();
    ends_with(&place.run(&[]), 0);
    let cache = |args: &[&str]| {
        let output = place.talkgraph(&[&["cache"], args].concat());
        ends_with(&output, 0);
        text(&output.stdout)
    };
    assert!(cache(&["stats"]).contains("write_image"));
    let records: Value = serde_json::from_str(&cache(&["ls", "--json"])).expect("JSON");
    assert_eq!(records.as_array().map(Vec::len), Some(4));
    let key = records[0]["key"].as_str().expect("a key");
    assert!(cache(&["show", &key[..12]]).contains("talkgraph-action 1"));
    assert!(cache(&["gc", "--max-size", "0", "--dry-run"]).starts_with("would remove 4 actions"));
    assert!(cache(&["gc", "--max-size", "0"]).starts_with("removed 4 actions"));
    ends_with(&place.run(&[]), 0);
    assert!(place.all("ran"), "{:?}", place.statuses());
    let missing = place.talkgraph(&["cache", "show", "ffff"]);
    assert!(ends_with(&missing, 2).contains("not in the cache"));
}
