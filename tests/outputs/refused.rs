//! Files of one run that would meet, and names that lead to them.

use std::{fs, process::Stdio, thread};

use crate::place::Place;

#[test]
fn two_files_of_a_run_may_not_be_one() {
    let place = Place::new();
    place.link("here", ".");
    fs::write(place.path("one.mp4"), "old").expect("a file");
    fs::hard_link(place.path("one.mp4"), place.path("two.mp4")).expect("a hard link");
    for (args, message) in [
        (
            &["-o", "picture=x.png", "-o", "photo=./x.png"][..],
            "output `photo`: ./x.png: the output `picture` goes there",
        ),
        (&["-o", "picture=x.png", "-o", "photo=here/x.png"], "goes there too"),
        (
            &["-o", "tensors=x.json", "--report", "here/x.json"],
            "report: here/x.json: the output `tensors` goes there",
        ),
        (&["--report", "x.json", "--trace", "x.json"], "trace: x.json: the report goes there too"),
        (&["-o", "picture=-", "-o", "video=-"], "goes there too"),
        (
            &["-o", "video=-", "--report", "/dev/stdout"],
            "report: /dev/stdout: the output `video` goes there too",
        ),
        (&["-o", "picture=x.png", "-o", "picture=y.png"], "output `picture` is given twice"),
        (
            &["--report", "x.txt"],
            "report: x.txt: the name's ending decides the format: expected .json, found .txt",
        ),
        (&["--trace", "graph.yaml"], "trace: graph.yaml: it is the same file as `graph.yaml` (the graph)"),
        (&["--report", "photo.png"], "report: photo.png: it is the same file as `photo.png` (input `photo`)"),
    ] {
        let said = place.ends(2, args);
        assert!(said.contains(message) && said.contains("hint:"), "{args:?}: {said}");
        assert!(!place.path("cache/v1/blobs").exists(), "{args:?}: work began");
    }
}

#[test]
fn a_hidden_file_and_a_folder_below_are_no_part_of_an_input() {
    let place = Place::new();
    fs::create_dir(place.path("driving/below")).expect("a folder");
    place.ends(0, &["-o", "picture=driving/below/x.png"]);
    place.ends(0, &["-o", "picture=driving/.x.png"]);
    // The frames are found: they are what they were.
    place.ends(0, &["-o", "tensors=x.npy"]);
    fs::write(place.path("driving/below/y.png"), "more").expect("a file");
    place.ends(0, &["-o", "tensors=x.npy", "--report", "r.json"]);
    let report = fs::read_to_string(place.path("r.json")).expect("a report");
    assert_eq!(report.matches("\"status\": \"cached\"").count(), 2, "{report}");
}

#[test]
fn what_appears_while_a_run_works_is_looked_at_again() {
    let place = Place::new();
    place.fifo("pipe");
    let mut command = place.command(&["-o", "picture=pipe", "-o", "video=late.mp4"]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the program");
    // Once the store has something, the names were checked; and the video waits for the FIFO's reader.
    while !place.path("cache/v1/blobs").exists() {
        assert!(child.try_wait().expect("a state").is_none(), "the run ended without its reader");
        thread::yield_now();
    }
    place.link("late.mp4", "driving/1.png");
    let before = place.inputs();
    let picture = fs::read(place.path("pipe")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"));
    let output = child.wait_with_output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("is the same file as") && said.contains("it is kept in the store"), "{said}");
    assert!(place.inputs() == before);
}

#[test]
fn files_of_parameters_and_of_the_pack_are_read_too() {
    let place = Place::new();
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny");
    fs::copy(format!("{models}/camera.onnx"), place.path("camera.onnx")).expect("a model");
    place.link("link.npy", "camera.onnx");
    let graph = fs::read_to_string(place.path("graph.yaml")).expect("a graph");
    let unused = "  camera: { type: onnx, params: { model: camera.onnx }, in: { pose: numbers } }\noutputs";
    let graph = graph
        .replace("driving: frames }", "driving: frames, numbers: tensors }")
        .replace("outputs: {", &format!("{unused}: {{"));
    fs::write(place.path("graph.yaml"), graph).expect("a graph");
    let before = fs::read(place.path("camera.onnx")).expect("a model");
    let said = place.ends(2, &["-o", "tensors=link.npy"]);
    assert!(
        said.contains("link.npy: it is the same file as")
            && said.contains("node `camera`, parameter `model`"),
        "{said}"
    );
    assert!(fs::read(place.path("camera.onnx")).expect("a model") == before);
    let said = place.ends(2, &["-o", &format!("video={models}/new.mp4"), "--pack", models]);
    assert!(said.contains("(the model pack)"), "{said}");
}

#[test]
fn a_terminal_gets_no_video() {
    let place = Place::new();
    let line = |output: &str| {
        let command = place.command(&["-q", "-o", output]);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let mut script = std::process::Command::new("script");
        script
            .args(["-qefc", &words.join(" "), "/dev/null"])
            .current_dir(place.path(""))
            .stdin(Stdio::null());
        script.output()
    };
    let Ok(refused) = line("video=-") else {
        eprintln!("skipped: the program `script`, which gives a terminal, is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&refused.stdout);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("output `video`: -: a terminal cannot show"), "{said}");
}

#[test]
fn what_a_pattern_finds_and_what_would_fit_it_is_not_written() {
    let place = Place::new();
    let pattern = ["-i", "driving=driving/*.png"];
    let ends = |status, output: &str| place.ends(status, &[&pattern[..], &["-o", output]].concat());
    assert!(ends(2, "picture=driving/2.png").contains("it is the same file as"));
    let said = ends(2, "picture=driving/new.png");
    assert!(said.contains("it would become a part of input `driving`"), "{said}");
    ends(0, "video=driving/new.mp4");
    assert!(place.path("driving/new.mp4").exists());
}
