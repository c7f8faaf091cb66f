//! Forty-odd names for an output, each with what happens.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
};

use crate::place::Place;

/// A name for `-o`, and what happens to it.
struct Row {
    output: &'static str,
    name: &'static str,
}

const fn row(output: &'static str, name: &'static str) -> Row {
    Row { output, name }
}

const ROWS: [Row; 46] = [
    // Endings.
    row("video", "new.mp4"),
    row("video", "new.mov"),
    row("video", "new.mkv"),
    row("video", "new.webm"),
    row("video", "new.gif"),
    row("video", "new.webp"),
    row("video", "NEW.MP4"),
    row("video", "two.tar.mp4"),
    row("video", "new.avi"),
    row("video", "new.jpg"),
    row("video", "new"),
    row("video", ".mp4"),
    row("video", "new.mp4.part"),
    row("picture", "new.png"),
    row("picture", "new.jpeg"),
    row("picture", "new.mp4"),
    row("photo", "copy.png"),
    row("photo", "copy.jpg"),
    row("tensors", "new.npy"),
    row("tensors", "new.json"),
    row("tensors", "new.pt"),
    // Inputs, by name and by other ways to them.
    row("picture", "photo.png"),
    row("picture", "./driving/../photo.png"),
    row("picture", "link-to-photo.png"),
    row("picture", "hard-link-to-photo.png"),
    row("picture", "driving/2.png"),
    row("picture", "linked-folder/2.png"),
    row("video", "driving/new.mp4"),
    row("video", "linked-folder/new.mp4"),
    row("video", "link-to-graph.mp4"),
    row("video", "cache/v1/new.mp4"),
    // What is there.
    row("video", "old.mp4"),
    row("video", "link-to-old.mp4"),
    row("video", "protected.mp4"),
    row("video", "dangling.mp4"),
    row("video", "loop.mp4"),
    row("video", "folder.mp4"),
    row("video", "folder.mp4/"),
    row("video", "new.mp4/"),
    row("video", "socket.mp4"),
    row("video", "null"),
    row("video", "block.mp4"),
    row("video", ""),
    row("video", "no/such/new.mp4"),
    row("video", "photo.png/new.mp4"),
    row("video", "-"),
];

/// A folder with something under every name of the table that wants it.
fn furnished() -> Option<Place> {
    let place = Place::new();
    place.link("link-to-photo.png", "photo.png");
    fs::hard_link(place.path("photo.png"), place.path("hard-link-to-photo.png")).expect("a hard link");
    place.link("linked-folder", "driving");
    place.link("link-to-graph.mp4", "graph.yaml");
    fs::write(place.path("old.mp4"), "old").expect("a file");
    fs::set_permissions(place.path("old.mp4"), fs::Permissions::from_mode(0o640)).expect("permissions");
    place.link("link-to-old.mp4", "old.mp4");
    fs::write(place.path("protected.mp4"), "old").expect("a file");
    fs::set_permissions(place.path("protected.mp4"), fs::Permissions::from_mode(0o444)).expect("permissions");
    place.link("dangling.mp4", "nothing.mp4");
    place.link("loop.mp4", "loop.mp4");
    fs::create_dir(place.path("folder.mp4")).expect("a folder");
    place.socket("socket.mp4");
    let devices =
        place.device("null", libc::S_IFCHR, 1, 3) && place.device("block.mp4", libc::S_IFBLK, 240, 0);
    devices.then_some(place)
}

/// What lies under a name, in a word.
fn kind(path: &Path) -> &'static str {
    let Ok(meta) = fs::symlink_metadata(path) else { return "nothing" };
    let ty = meta.file_type();
    match () {
        () if ty.is_symlink() => "link",
        () if ty.is_dir() => "folder",
        () if ty.is_socket() => "socket",
        () if ty.is_char_device() => "character device",
        () if ty.is_block_device() => "block device",
        () if ty.is_fifo() => "FIFO",
        () => "file",
    }
}

#[test]
fn forty_names_and_what_happens() {
    let Some(place) = furnished() else { return };
    let inputs = place.inputs();
    let mut table = String::new();
    for Row { output, name } in &ROWS {
        let path = place.path(name);
        let before = kind(&path);
        let ran = place.run(&["-q", "-o", &format!("{output}={name}")]);
        let said = String::from_utf8_lossy(&ran.stderr);
        let after = kind(&path);
        let replaced = before == "file" && after == "file" && ran.status.success();
        let happened = match (before, after) {
            _ if replaced => "file replaced".to_owned(),
            (before, after) if before == after => format!("{before} stays"),
            (before, after) => format!("{before} becomes {after}"),
        };
        let status = ran.status.code().unwrap_or(-1);
        writeln!(table, "{output} = `{name}`: {status}, {happened}").expect("text");
        said.lines().for_each(|line| writeln!(table, "    {}", line.trim_end()).expect("text"));
        for (path, content) in &inputs {
            assert!(fs::read(path).expect("an input") == *content, "{name} changed {}", path.display());
        }
        assert_eq!(kind(&place.path("link-to-photo.png")), "link");
    }
    // A link to a regular file stays, its target is the video and keeps its permissions.
    let old = place.path("old.mp4");
    assert_eq!(fs::metadata(&old).expect("a file").permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read(&old).expect("a file").get(4..8), Some(&b"ftyp"[..]));
    assert_eq!(fs::read(place.path("protected.mp4")).expect("a file"), b"old");
    let unfinished = fs::read_dir(place.path(".")).expect("a folder").filter_map(Result::ok);
    let unfinished =
        unfinished.filter(|entry| entry.file_name().to_string_lossy().starts_with(".talkgraph-"));
    assert_eq!(unfinished.count(), 0);
    insta::with_settings!({ filters => vec![(place.path("").to_string_lossy().trim_end_matches('/'), "PLACE")] }, {
        insta::assert_snapshot!("forty_names", table);
    });
}
