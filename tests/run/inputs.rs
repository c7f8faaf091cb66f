//! Files as people have them: graphs in other encodings, pipes in place of files.

use super::*;

fn mkfifo(path: &Path) {
    let status = Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(status.success());
}

#[test]
fn a_pipe_as_input_is_refused_at_once_with_a_hint() {
    let place = Place::new();
    mkfifo(&place.path("pipe"));
    for command in ["run", "plan"] {
        let output = place.talkgraph(&[command, "graph.yaml", "-i", "photo=pipe"]);
        let told = ends_with(&output, 2);
        assert!(told.contains("input `photo`: pipe: expected a file, found a pipe"), "{told}");
        assert!(told.contains("hint: save what it gives in a file first"), "{told}");
    }
}

#[test]
fn files_of_a_folder_that_are_no_pictures_do_not_count() {
    let place = Place::new();
    let graph = "
talkgraph: 1
inputs: { clip: frames }
nodes:
  file: { type: write_tensors, in: { sequence: clip.frames } }
outputs: { picture: file.file }
";
    fs::write(place.path("graph.yaml"), graph).expect("a graph");
    fs::create_dir(place.path("clip")).expect("a folder");
    let picture = |name: &str| {
        let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/graphs/media/portrait.png");
        fs::copy(photo, place.path("clip").join(name)).expect("a photo");
    };
    picture("1.png");
    let run = || {
        let args = ["run", "graph.yaml", "-i", "clip=clip", "--report", "r.json"];
        ends_with(&place.talkgraph(&args), 0);
        place.statuses()
    };
    let key = || place.report()["nodes"][0]["key"].clone();
    run();
    let first = key();
    fs::write(place.path("clip/Thumbs.db"), "first").expect("another file");
    run();
    assert_eq!((key(), place.all("cached")), (first.clone(), true));
    fs::write(place.path("clip/Thumbs.db"), "second").expect("another file");
    run();
    assert_eq!((key(), place.all("cached")), (first.clone(), true));
    picture("2.PNG");
    run();
    assert_ne!(key(), first);
}

#[test]
fn graphs_in_utf_16_are_read() {
    let place = Place::new();
    let wide: Vec<u8> =
        [&[0xff, 0xfe][..], &GRAPH.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat();
    fs::write(place.path("graph.yaml"), wide).expect("a graph");
    ends_with(&place.run(&[]), 0);
    fs::write(place.path("graph.yaml"), b"talkgraph: 1 # \xe4").expect("a graph");
    let told = ends_with(&place.run(&[]), 2);
    assert!(told.contains("graph.yaml: expected text in UTF-8, found other bytes from byte 15 on"), "{told}");
    assert!(told.contains("hint: save the graph as UTF-8"), "{told}");
}

#[test]
fn merge_keys_take_what_a_mapping_lacks() {
    let place = Place::new();
    let merged = GRAPH
        .replace(
            "small: { type: write_image, in: { image: photo }",
            "small: &s { type: write_image, in: { image: photo }",
        )
        .replace(
            "smaller: { type: write_image, in: { image: again.image }",
            "smaller: { <<: [*s], in: { image: again.image }",
        );
    assert!(merged.contains("*s"));
    ends_with(&place.run(&[]), 0);
    fs::write(place.path("graph.yaml"), merged).expect("a graph");
    ends_with(&place.run(&[]), 0);
    assert!(place.all("cached"));
}

#[test]
fn numbers_as_people_write_them_work_or_say_what_to_write() {
    let place = Place::new();
    let with = |width: &str| {
        let graph = GRAPH.replace("width: 8", &format!("width: {width}"));
        fs::write(place.path("graph.yaml"), graph).expect("a graph");
        place.talkgraph(&["plan", "graph.yaml"])
    };
    for works in ["1e1", "0x19", "8.0"] {
        ends_with(&with(works), 0);
    }
    for (wrong, hint) in [
        ("025", "hint: write `25`"),
        ("1_000", "hint: write `1000`"),
        (".nan", "hint: write a finite number"),
        ("NaN", "hint: write a finite number"),
        ("\"8\"", "hint: take the quotes away"),
    ] {
        let told = ends_with(&with(wrong), 2);
        assert!(told.contains("parameter `width`: expected a whole number") && told.contains(hint), "{told}");
    }
}

#[test]
fn a_mermaid_drawing_that_viewers_refuse_is_told() {
    let place = Place::new();
    let draw = |pairs: usize| {
        let mut graph = "talkgraph: 1\ninputs: { photo: image }\nnodes:\n".to_owned();
        for k in 0..pairs {
            let from = if k == 0 { "photo".to_owned() } else { format!("d{}.image", k - 1) };
            graph += &format!("  w{k}: {{ type: write_image, in: {{ image: {from} }} }}\n");
            graph += &format!("  d{k}: {{ type: image_decode, in: {{ file: w{k}.file }} }}\n");
        }
        graph += &format!("outputs: {{ picture: w{}.file, last: d{}.image }}\n", pairs - 1, pairs - 1);
        fs::write(place.path("graph.yaml"), graph).expect("a graph");
        let output = Command::new(env!("CARGO_BIN_EXE_talkgraph"))
            .args(["dot", "graph.yaml", "--format", "mermaid"])
            .current_dir(place.0.path())
            .output()
            .expect("the program");
        (text(&output.stdout).starts_with("flowchart"), ends_with(&output, 0))
    };
    assert_eq!(draw(249), (true, String::new()));
    let (drawn, told) = draw(250);
    assert!(drawn && told.contains("502 edges: viewers refuse Mermaid drawings of more than 500"), "{told}");
}
