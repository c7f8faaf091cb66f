//! The command line as scripts see it: exit status, and what goes to which stream.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

/// The program without the settings and variables of whoever runs the tests.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
    command.args(args).env("XDG_CONFIG_HOME", "/nonexistent");
    for name in ["PACK", "DEVICE", "CACHE", "CACHE_SIZE", "CONFIG", "SHARE"] {
        command.env_remove(format!("TALKGRAPH_{name}"));
    }
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn talkgraph(args: &[&str]) -> Output {
    command(args).output().expect("the program runs")
}

fn in_folder(folder: &Path, args: &[&str]) -> Output {
    command(args).current_dir(folder).output().expect("the program runs")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
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
    let graphs = [
        "from_z",
        "from_image",
        "given_poses",
        "video_driven",
        "reenact",
        "in_photo",
        "examples/mel",
        "examples/still",
        "examples/alive",
        "examples/arkit_driven",
        "examples/track_to_arkit",
        "examples/upscale",
        "published/from_z",
        "published/from_image",
        "published/given_poses",
        "published/video_driven",
    ];
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

#[test]
fn help_lists_statuses_and_variables() {
    let said = text(&talkgraph(&["--help"]).stdout);
    for part in ["\n  130  interrupted", "TALKGRAPH_CACHE_SIZE ", "TALKGRAPH_SHARE ", "--color <WHEN>"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn colour_follows_the_flag_and_the_variables() {
    let wrong = ["check", "tests/fixtures/ten_mistakes.yaml"];
    let coloured = |args: &[&str], name: &str| {
        let output = command(&[&wrong, args].concat()).env(name, "1").output().expect("the program runs");
        text(&output.stderr).contains('\x1b')
    };
    assert!(coloured(&["--color=always"], "NO_COLOR") && coloured(&[], "CLICOLOR_FORCE"));
    assert!(!coloured(&["--color", "never"], "CLICOLOR_FORCE") && !coloured(&[], "NO_COLOR"));
    let usage = text(&talkgraph(&["--color", "always", "no-such-command"]).stderr);
    assert!(usage.contains('\x1b'), "{usage}");
}

#[test]
fn completions_and_manual_pages_come_from_the_command_line() {
    for (shell, part) in [("bash", "--progress"), ("zsh", "#compdef talkgraph"), ("fish", "-l progress")] {
        let output = talkgraph(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(text(&output.stdout).contains(part), "{shell}");
    }
    assert!(text(&talkgraph(&["man"]).stdout).contains(".TH talkgraph 1"));
    let folder = folder();
    let to = folder.path().join("man");
    assert!(talkgraph(&["man", "--to", to.to_str().expect("a path")]).status.success());
    let page = fs::read_to_string(to.join("talkgraph-run.1")).expect("a page");
    assert!(page.contains("\\-\\-progress"), "{page}");
    let pages = fs::read_dir(&to).expect("a folder").map(|page| page.expect("a page").file_name());
    let pages: Vec<_> = pages.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(pages.iter().any(|name| name == "talkgraph-cache-gc.1"), "{pages:?}");
    assert!(pages.iter().all(|name| !name.contains("help")), "{pages:?}");
}

#[test]
fn graphs_are_found_by_name() {
    let folder = folder();
    // The checkout's graphs, seen from the program.
    assert!(in_folder(folder.path(), &["check", "from_image", "from_z.yaml", "alive"]).status.success());
    let output = in_folder(folder.path(), &["check", "from_imaeg"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("from_imaeg: no such file, and no graph of that name"), "{said}");
    assert!(said.contains("hint: did you mean `from_image`?"), "{said}");
    // What is nearer comes first.
    fs::create_dir(folder.path().join("graphs")).expect("a folder");
    fs::write(folder.path().join("graphs/from_image.yaml"), "talkgraph: 2").expect("a graph");
    let output = in_folder(folder.path(), &["check", "from_image"]);
    assert!(
        text(&output.stderr).starts_with("graphs/from_image.yaml:1:12: error"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn new_graphs_are_sound_and_nothing_is_written_over() {
    let folder = folder();
    for from in ["from_image", "video_driven", "mel"] {
        let name = format!("my_{from}");
        let output = in_folder(folder.path(), &["new", &name, "--from", from]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), format!("{name}.yaml\n"));
        let output = in_folder(folder.path(), &["check", &format!("{name}.yaml")]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let graph = fs::read_to_string(folder.path().join("my_from_image.yaml")).expect("a graph");
    for part in [
        "#   talkgraph run my_from_image.yaml -i portrait=… -i speech=… -o video=…\n",
        "\nname: my_from_image\n",
        "\n  # `mux` ",
    ] {
        assert!(graph.contains(part), "{part}: {graph}");
    }
    let output = in_folder(folder.path(), &["new", "my_mel.yaml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("my_mel.yaml: cannot be made\n  caused by: file exists"));
}

#[test]
fn settings_have_places_and_an_order() {
    let folder = folder();
    let file = folder.path().join("config.toml");
    let config = |content: &str, args: &[&str], name: &str, value: &str| {
        fs::write(&file, content).expect("a file");
        let mut command = command(args);
        command.env("TALKGRAPH_CONFIG", &file).env(name, value).output().expect("the program runs")
    };
    let wrong = config("[cache]\nmax_sise = '1 GB'\n", &["plan", "from_image"], "X", "");
    assert_eq!(wrong.status.code(), Some(2));
    let said = text(&wrong.stderr);
    assert!(said.contains("config.toml:2:1: error: unknown field `max_sise`"), "{said}");

    let settings = "device = 'cpu'\n[cache]\nfolder = 'store'\nmax_size = '1 GiB'\n";
    let shown = config(settings, &["config", "--json"], "TALKGRAPH_CACHE_SIZE", "2GB");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    let store = folder.path().join("store");
    assert_eq!(shown["cache.folder"]["value"], store.to_str().expect("a path"));
    assert_eq!(shown["cache.folder"]["from"], file.to_str().expect("a path"));
    assert_eq!(shown["device"]["value"], "cpu");
    assert_eq!(
        shown["cache.max_size"],
        serde_json::json!({ "value": "2GB", "from": "$TALKGRAPH_CACHE_SIZE" })
    );
    assert_eq!(shown["pack"]["from"], "default");

    // The file's folder, a variable, a flag.
    let root = |args: &[&str], value: &str| {
        let args = [&["cache", "stats", "--json"], args].concat();
        let output = config(settings, &args, "TALKGRAPH_CACHE", value);
        let stats: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        stats["folder"].as_str().expect("a folder").to_owned()
    };
    let [variable, flag] = ["variable", "flag"].map(|name| folder.path().join(name).display().to_string());
    assert!(root(&[], "").starts_with(store.to_str().expect("a path")));
    assert!(root(&[], &variable).starts_with(&variable));
    assert!(root(&["--cache", &flag], &variable).starts_with(&flag));
}

/// What would take others seconds or all memory is refused with its place.
#[test]
fn hostile_graphs_are_refused() {
    let folder = folder();
    let laughs: String = (1..12)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", ")))
        .collect();
    let references: String =
        (0..5_000).map(|k| format!("  k{k}: {{ type: mel, in: {{ audio: x{k}.y }} }}\n")).collect();
    for (text_of_graph, said) in [
        (
            format!("talkgraph: 1\nnodes: {}", "[".repeat(100_000)),
            "g.yaml:2:263: error: not readable as YAML: more than 64",
        ),
        ("{a: ".repeat(100_000), "more than 64 lists and mappings inside one another\n  hint: close some"),
        (format!("a0: &a0 [x, x]\n{laughs}"), "more than 524288 values"),
        (
            "x".repeat(5 << 20),
            "g.yaml: cannot read the graph\n  caused by: expected at most 4 MiB, found more",
        ),
        (
            format!("talkgraph: 1\nnodes:\n{references}outputs: {{ x: k0.mel }}\n"),
            "more mistakes are not shown",
        ),
    ] {
        fs::write(folder.path().join("g.yaml"), text_of_graph).expect("a graph");
        let output = in_folder(folder.path(), &["check", "g.yaml"]);
        assert_eq!(output.status.code(), Some(2), "{said}");
        let found = text(&output.stderr);
        assert!(found.contains(said), "{said}: {}", found.chars().take(2000).collect::<String>());
    }
}

#[test]
fn defaults_of_a_pack_are_verified() {
    let folder = folder();
    let verify = |defaults: &str| {
        let yaml = format!(
            "talkgraph_pack: 1\nname: bare\nversion: 1\nlicence: CC0-1.0\nresolution: 32\n\
             coefficients: {{ size: 8, identity: [0, 1], expression: [1, 2], rotation: [2, 5], translation: [5, 8] }}\n\
             expression: [jaw]\ndefaults: {defaults}\nroles: {{}}\n"
        );
        fs::write(folder.path().join("pack.yaml"), yaml).expect("written");
        let output = talkgraph(&["pack", "verify", folder.path().to_str().expect("UTF-8")]);
        (output.status.code(), text(&output.stderr))
    };
    let sound = "{ align: { side: 1024 }, lipaint: { mask: parse, eyes: false }, nerf_render: { core: 0.01, radius: 0.03 } }";
    assert_eq!(verify(sound), (Some(0), String::new()));
    let (status, said) =
        verify("{ algin: { side: 1024 }, lipaint: { masks: parse }, nerf_render: { core: -1 } }");
    assert_eq!(status, Some(2));
    assert!(
        said.contains("pack.yaml: defaults.algin: unknown node type\n  hint: did you mean `align`?"),
        "{said}"
    );
    assert!(
        said.contains("defaults.lipaint.masks: unknown parameter\n  hint: did you mean `mask`?"),
        "{said}"
    );
    assert!(said.contains("defaults.nerf_render.core: expected a number from 0 to 10, found -1"), "{said}");
}
