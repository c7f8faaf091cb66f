//! What is written through instead of replaced: standard output, FIFOs, devices, inherited files.

use std::{fs, io::Read as _, process::Stdio, thread};

use crate::place::Place;

#[test]
fn standard_output_holds_the_bytes_and_nothing_else() {
    let place = Place::new();
    let file = |name: &str| fs::read(place.path(name)).expect("a file");
    for (output, name) in [("picture", "x.png"), ("tensors", "x.safetensors"), ("photo", "y.png")] {
        place.ends(0, &["-o", &format!("{output}={name}")]);
        let streamed = place.run(&["-o", &format!("{output}=-")]);
        assert!(streamed.status.success() && streamed.stdout == file(name), "{output}");
    }
    let video = place.run(&["-o", "video=-"]).stdout;
    assert_eq!(video.get(4..8), Some(&b"ftyp"[..]));
    assert!(video.windows(4).any(|name| name == b"moof"), "not fragmented");
    // What the graph or the command line says of the format holds here too.
    let webm = place.run(&["-o", "video=-", "--set", "mux.container=webm"]).stdout;
    assert_eq!(webm.get(..4), Some(&b"\x1a\x45\xdf\xa3"[..]));
    let report = place.run(&["-o", "picture=z.png", "--report", "-"]).stdout;
    let report: serde_json::Value = serde_json::from_slice(&report).expect("nothing but the report");
    assert_eq!(report["status"], "done");
}

#[test]
fn a_file_that_standard_output_leads_to_is_written_through() {
    let place = Place::new();
    for (name, kept) in [("-", "a.mp4"), ("/dev/stdout", "b.mp4"), ("c.mp4", "c.mp4"), ("/dev/fd/1", "d.mp4")]
    {
        let stdout = fs::File::create(place.path(kept)).expect("a file");
        let mut command = place.command(&["-q", "-o", &format!("video={name}")]);
        assert!(
            command.stdout(stdout.try_clone().expect("a handle")).status().expect("the program").success()
        );
        let content = fs::read(place.path(kept)).expect("a video");
        assert_eq!(content.get(4..8), Some(&b"ftyp"[..]), "{name}");
        assert_eq!(content.len() as u64, stdout.metadata().expect("its size").len(), "{name} was replaced");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let mut command = place.command(&["-q", "-o", "tensors=-"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program");
    drop(child.stdout.take());
    assert!(child.wait().expect("an end").success());
}

#[test]
fn a_fifo_is_written_through_and_stays() {
    let place = Place::new();
    place.fifo("pipe.webm");
    place.fifo("pipe");
    for (name, start) in [("pipe.webm", &b"\x1a\x45\xdf\xa3"[..]), ("pipe", b"\0\0\0")] {
        let path = place.path(name);
        let reader = thread::spawn(move || {
            let mut bytes = vec![];
            fs::File::open(path).expect("a FIFO").read_to_end(&mut bytes).expect("bytes");
            bytes
        });
        place.ends(0, &["-o", &format!("video={name}")]);
        assert!(reader.join().expect("a reader").starts_with(start), "{name}");
        assert!(!fs::symlink_metadata(place.path(name)).expect("a FIFO").is_file(), "{name}");
    }
    let said = place.ends(2, &["-o", "video=pipe", "--report", "pipe"]);
    assert!(said.contains("goes there too"), "{said}");
}

#[test]
fn a_fifo_that_no_one_reads_can_be_interrupted() {
    let place = Place::new();
    place.fifo("pipe");
    let mut child = place.command(&["-q", "-o", "picture=pipe"]).spawn().expect("the program");
    // Once the picture is stored, only the reader is missing.
    while !place.path("cache/v1/actions").exists() {
        assert!(child.try_wait().expect("a child").is_none(), "the program ended before it wrote");
        thread::yield_now();
    }
    thread::sleep(std::time::Duration::from_millis(300));
    // SAFETY: the process is our own child and was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    assert_eq!(child.wait().expect("an end").code(), Some(130));
}

#[test]
fn a_full_device_is_an_error_and_stays_a_device() {
    let place = Place::new();
    if !place.device("full", libc::S_IFCHR, 1, 7) {
        return;
    }
    let said = place.ends(3, &["-o", "picture=full"]);
    assert!(said.contains("output `picture`: full: cannot be written"), "{said}");
    assert!(said.contains("it is kept in the store"), "{said}");
    assert!(!fs::symlink_metadata(place.path("full")).expect("a device").is_file());
}
