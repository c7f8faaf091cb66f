//! What people expect of any tool: events as JSON, a dry run, folders made, a cache that keeps to its size.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use super::{Place, text};

#[test]
fn progress_as_json_is_nothing_but_json() {
    let place = Place::new();
    let output = place.run(&["--progress", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut lines = vec![];
    for line in text(&output.stderr).lines() {
        let mut event: Value = serde_json::from_str(line).expect(line);
        // What another run tells otherwise.
        for name in ["at", "seconds", "lane"] {
            if let Some(value) = event.get_mut(name) {
                assert!(value.is_number(), "{line}");
                *value = 0.into();
            }
        }
        lines.push(event.to_string());
    }
    assert!(lines.first().is_some_and(|line| line.contains("planned")), "{lines:?}");
    assert!(lines.last().is_some_and(|line| line.contains("ended")), "{lines:?}");
    // Bodies start and finish side by side.
    lines.sort();
    assert_snapshot!("progress_as_json", lines.join("\n"));

    let output = place.talkgraph(&["run", "graph.yaml", "--progress", "json", "-i", "photo=none.png"]);
    assert_eq!(output.status.code(), Some(2));
    let last: Value =
        serde_json::from_str(text(&output.stderr).lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["event"], &last["severity"]), (&"message".into(), &"error".into()));
    assert!(last["message"].as_str().is_some_and(|message| message.contains("none.png")), "{last}");
}

#[test]
fn a_dry_run_is_the_plan() {
    let place = Place::new();
    let dry = place.run(&["--dry-run", "--quiet"]);
    let plan = place.talkgraph(&["plan", "graph.yaml", "-i", "photo=photo.png", "-o", "picture=out.png"]);
    assert!(dry.status.success() && !dry.stdout.is_empty());
    assert_eq!(text(&dry.stdout), text(&plan.stdout));
    assert!(!place.path("out.png").exists());
}

#[test]
fn folders_are_made_where_that_is_asked_for() {
    let place = Place::new();
    let run = |more: &[&str]| {
        let args = [
            "run",
            "graph.yaml",
            "-i",
            "photo=photo.png",
            "-o",
            "picture=a/b/out.png",
            "--report",
            "c/r.json",
        ];
        place.talkgraph(&[&args, more].concat())
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("have it made with --parents"), "{}", text(&output.stderr));
    assert!(!place.path("a").exists());
    let output = run(&["--parents"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(place.path("a/b/out.png").is_file() && place.path("c/r.json").is_file());
    // A file where a folder should be stays one.
    fs::write(place.path("file"), "kept").expect("a file");
    let output = place.run(&["--parents", "-o", "picture=file/out.png"]);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(fs::read(place.path("file")).expect("a file"), b"kept");
}

#[test]
fn no_folder_is_made_for_a_run_that_is_refused() {
    let place = Place::new();
    for (more, message) in [
        (&["--report", "graph.yaml"][..], "report: graph.yaml: it is the same file as"),
        (&["--report", "a/b/../c/../r.txt"], "the name's ending decides the format: expected .json"),
        (&["--report", "a/b/r.json", "--trace", "a/c/../b/r.json"], "the report goes there too"),
        (&["--report", "photo.png/below/r.json"], "the folder `photo.png/below` cannot be made"),
        (&["-o", "nothing=a/x.png"], "`nothing`"),
    ] {
        let args = ["run", "graph.yaml", "-i", "photo=photo.png", "--parents", "-o", "picture=a/b/out.png"];
        let output = place.talkgraph(&[&args, more].concat());
        assert_ne!(output.status.code(), Some(0), "{more:?}");
        let said = text(&output.stderr);
        assert!(said.contains(message), "{more:?}: {said}");
        assert!(!place.path("a").exists(), "{more:?}");
    }
}

#[test]
fn a_cache_keeps_to_its_size_but_keeps_what_was_just_made() {
    let place = Place::new();
    let output = place.run(&["--cache-size", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("more than its 1 B: this run used it all"),
        "{}",
        text(&output.stderr)
    );
    let again = place.run(&[]);
    assert!(text(&again.stderr).contains("4 cached"), "{}", text(&again.stderr));
}
