//! The command line as scripts see it: exit status, and what goes to which stream.

use std::process::{Command, Output};

fn talkgraph(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_talkgraph")).args(args).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn mistakes_go_to_standard_error_without_colour() {
    let output = talkgraph(&["check", "tests/fixtures/ten_mistakes.yaml", "no/such.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = text(&output.stderr);
    assert!(
        said.contains("tests/fixtures/ten_mistakes.yaml:3:1: error: unknown top-level key `imputs`"),
        "{said}"
    );
    assert!(
        said.contains("error: no/such.yaml: cannot read the graph\n  caused by: no such file or directory"),
        "{said}"
    );
    assert!(!said.contains('\x1b'), "{said}");
}

#[test]
fn wrong_usage_is_status_two() {
    for args in
        [&["no-such-command"][..], &[], &["check"], &["nodes", "no_such_type"], &["dot", "no/such.yaml"]]
    {
        let output = talkgraph(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn every_graph_of_the_repository_is_sound() {
    let graphs = ["from_z", "from_image", "given_poses", "video_driven", "examples/mel", "examples/still"];
    let paths: Vec<String> = graphs.iter().map(|name| format!("graphs/{name}.yaml")).collect();
    let mut args = vec!["check"];
    args.extend(paths.iter().map(String::as_str));
    let output = talkgraph(&args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn every_format_draws() {
    for (format, start) in [
        ("dot", "digraph \"from_image\""),
        ("mermaid", "flowchart LR"),
        ("json", "{\n  \"name\": \"from_image\""),
    ] {
        let output = talkgraph(&["dot", "graphs/from_image.yaml", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).starts_with(start), "{}", text(&output.stdout));
    }
}

#[test]
fn contracts_as_json() {
    let output = talkgraph(&["nodes", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let contracts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mel = contracts.as_array().and_then(|all| all.iter().find(|contract| contract["name"] == "mel"));
    assert_eq!(mel.expect("a type `mel`")["time"], "value");
}
