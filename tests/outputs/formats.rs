//! Endings and formats: what the name says is what is in the file, and equals are not made twice.

use std::fs;

use serde_json::Value;

use crate::place::Place;

#[test]
fn what_is_in_a_file_is_what_its_name_says() {
    let place = Place::new();
    for (output, name, at, magic) in [
        ("video", "x.mp4", 4, &b"ftypisom"[..]),
        ("video", "x.mov", 4, b"ftypqt"),
        ("video", "x.mkv", 0, b"\x1a\x45\xdf\xa3"),
        ("video", "x.webm", 0, b"\x1a\x45\xdf\xa3"),
        ("video", "x.gif", 0, b"GIF89a"),
        ("video", "x.webp", 8, b"WEBPVP8X"),
        ("picture", "x.png", 0, b"\x89PNG"),
        ("picture", "x.jpg", 0, b"\xff\xd8\xff"),
        ("picture", "x.webp", 8, b"WEBPVP8L"),
        ("picture", "x.tif", 0, b"II*\0"),
        ("picture", "x.bmp", 0, b"BM"),
        ("tensors", "x.npy", 0, b"\x93NUMPY"),
        ("tensors", "x.json", 0, b"{\"frames\""),
    ] {
        place.ends(0, &["-o", &format!("{output}={name}")]);
        let bytes = fs::read(place.path(name)).expect("a file");
        assert!(bytes[at..].starts_with(magic), "{name}: {:?}", &bytes[..16]);
    }
}

#[test]
fn another_container_makes_no_frame_again() {
    let place = Place::new();
    place.ends(0, &["-o", "video=x.mp4"]);
    place.ends(0, &["-o", "video=x.mkv", "--report", "r.json"]);
    let statuses = || {
        let report: Value =
            serde_json::from_slice(&fs::read(place.path("r.json")).expect("a report")).expect("JSON");
        let nodes = report["nodes"].as_array().expect("nodes").clone();
        nodes
            .iter()
            .map(|node| format!("{} {}", node["id"], node["status"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(statuses()[1], "mux ran");
    place.ends(0, &["-o", "video=y.mp4", "--report", "r.json"]);
    assert_eq!(statuses(), ["driving cached", "mux cached"]);
}

#[test]
fn a_format_that_the_graph_sets_must_agree_with_the_name() {
    let place = Place::new();
    let said = place.ends(2, &["-o", "video=x.mov", "--set", "mux.container=mkv"]);
    assert!(said.contains("x.mov: the name's ending asks for mov, but `mux.container` is mkv"), "{said}");
    assert!(said.contains("--set mux.container=mov or name it `x.mkv`"), "{said}");
    place.ends(0, &["-o", "video=x.mkv", "--set", "mux.container=mkv"]);
    let graph = fs::read_to_string(place.path("graph.yaml")).expect("a graph");
    let graph = graph.replace("video: mux.video", "video: mux.video, again: mux.video");
    fs::write(place.path("graph.yaml"), graph).expect("a graph");
    let said = place.ends(2, &["-o", "video=x.mov", "-o", "again=x.mp4"]);
    assert!(
        said.contains("output `again`: x.mp4: the name's ending asks for mp4, but `mux.container` is mov"),
        "{said}"
    );
}

#[test]
fn a_new_file_has_the_permissions_of_the_users_mask() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    let place = Place::new();
    let mut command = place.command(&["-q", "-o", "picture=x.png", "--report", "r.json"]);
    // SAFETY: setting the mask is safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::umask(0o027);
            Ok(())
        })
    };
    assert!(command.status().expect("the program").success());
    for name in ["x.png", "r.json"] {
        let mode = fs::metadata(place.path(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{name}");
    }
}
