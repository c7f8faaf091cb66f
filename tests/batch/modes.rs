//! Three people and four speeches on small random models: three inversions, twelve videos.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    time::SystemTime,
};

use serde_json::Value;

use crate::{Place, name, repository, text};

/// Samples of a speech: three frames.
const SPEECH: usize = 1_920;

/// `from_image` without what takes long where nothing is optimised: no fit, no detail of the photo's size.
const GRAPH: &str = "
talkgraph: 1
name: talk
inputs: { portrait: image, speech: audio }
nodes:
  face: { type: align, in: { image: portrait } }
  matte: { type: matte, in: { image: face.image } }
  guess: { type: deep3d, in: { image: face.image } }
  person: { type: pti, in: { image: face.image, mask: matte.mask, coefficients: guess.coefficients }, params: { quality: draft } }
  mel: { type: mel, in: { audio: speech } }
  talk: { type: audio2exp, in: { mel: mel.mel, reference: person.coefficients } }
  head: { type: nerf_render, in: { identity: person.identity, reference: person.coefficients, expression: talk.expression }, params: { step: 0.5, neighbours: 1, outline: false } }
  frames: { type: upsample, in: { identity: person.identity, features: head.features } }
  mux: { type: mux, in: { frames: frames.frames, track: speech.track } }
outputs: { video: mux.video }
";

/// Three portraits, four speeches, and a table of all pairs with a row among them that has no portrait.
fn studio() -> Place {
    let place = Place::new();
    let mut table = String::from("portrait,speech\n");
    for (number, person) in ["ann", "ben", "cleo"].iter().enumerate() {
        place.portrait(&format!("{person}.png"), 8 * number as i32);
        for take in 1..=4 {
            if number == 0 {
                speech(&place, take);
            }
            table += &format!("{person}.png,take{take}.wav\n");
        }
        if number == 1 {
            place.write("nobody.png", "no picture at all");
            table += "nobody.png,take1.wav\n";
        }
    }
    place.write("jobs.csv", &table);
    place.write("talk.yaml", GRAPH);
    place
}

fn speech(place: &Place, take: usize) {
    let mut reader = hound::WavReader::open(repository("graphs/media/speech.wav")).expect("speech");
    let path = place.path(&format!("take{take}.wav"));
    let mut writer = hound::WavWriter::create(path, reader.spec()).expect("a sound");
    for sample in reader.samples::<i16>().skip(take * 5 * SPEECH).take(SPEECH) {
        writer.write_sample(sample.expect("a sample")).expect("a sample");
    }
    writer.finalize().expect("a sound");
}

fn stamps(place: &Place) -> BTreeMap<String, SystemTime> {
    let Ok(files) = fs::read_dir(place.path("out")) else { return BTreeMap::new() };
    let files = files.map(|file| file.expect("a file"));
    let stamp = |file: &fs::DirEntry| file.metadata().and_then(|meta| meta.modified()).expect("a time");
    let named = |file: &fs::DirEntry| file.file_name().to_string_lossy().into_owned();
    files.map(|file| (named(&file), stamp(&file))).filter(|(name, _)| !name.starts_with('.')).collect()
}

#[test]
fn three_people_and_four_speeches_survive_a_kill() {
    let place = studio();
    let pack = repository("models/tiny");
    let common = ["--pack", pack.to_str().expect("a path"), "--device", "cpu"];
    let pattern = "video=out/{portrait}-{speech}.mp4";
    let args = [
        &["batch", "talk.yaml", "jobs.csv", "-o", pattern, "--parents"],
        &common[..],
        &["--report", "r.json", "--progress", "json"],
    ]
    .concat();

    // Killed when five rows are over.
    let mut child =
        place.command(&args).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program");
    let (mut over, mut told) = (0, vec![]);
    for line in BufReader::new(child.stderr.take().expect("its talk")).lines() {
        told.push(line.expect("a line"));
        let event: Value = serde_json::from_str(told.last().expect("a line")).expect("JSON");
        if event["event"] == "row" {
            over += 1;
            assert_eq!((event["ended"].as_u64(), event["total"].as_u64()), (Some(over), Some(13)));
        }
        if over == 5 {
            child.kill().expect("killed");
            break;
        }
    }
    child.wait().expect("ended");
    let before = stamps(&place);
    assert!(before.len() >= 5 && before.len() < 12, "{before:?}: {}", told.join("\n"));

    // Started again: what was done is there and is not touched.
    let output = place.talkgraph(&args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let after = stamps(&place);
    assert_eq!(after.len(), 12, "{after:?}");
    assert!(before.iter().all(|(name, stamp)| after[name] == *stamp), "{before:?} {after:?}");
    let rows = place.rows();
    let wrong: Vec<usize> = (0..13).filter(|row| rows[*row].0 != "done").collect();
    assert_eq!(wrong, [8], "{rows:?}");
    assert!(rows[..4].iter().all(|(_, _, ran)| *ran == 0), "{rows:?}");
    assert_eq!(place.nodes("pti").len(), 4);
    let inverted = place.nodes("pti").into_iter().filter(|(_, status)| status != "skipped");
    assert_eq!(inverted.count(), 3);
    let report = place.report();
    let failed = &report["rows"][8];
    assert_eq!(failed["place"], "jobs.csv:10");
    assert_eq!(failed["columns"], serde_json::json!({ "portrait": "nobody.png", "speech": "take1.wav" }));
    let why = name(&failed["error"], "message");
    assert!(why.starts_with("node `portrait` (") && why.contains("expected an image"), "{why}");
    let last: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["place"]["line"], &last["place"]["column"]), (&10.into(), &Value::Null));

    // Once more: all is known, and what `run` makes of a row is what the batch has made.
    let output = place.talkgraph(&args);
    assert_eq!(output.status.code(), Some(1));
    assert!(place.rows().iter().all(|(_, _, ran)| *ran == 0), "{:?}", place.rows());
    assert_eq!(stamps(&place), after);
    let one =
        ["-i", "portrait=cleo.png", "-i", "speech=take3.wav", "-o", "video=one.mp4", "--report", "r.json"];
    let run = [&["run", "talk.yaml"], &common[..], &one].concat();
    assert!(place.talkgraph(&run).status.success());
    let nodes = place.report()["nodes"].as_array().expect("nodes").clone();
    assert!(nodes.iter().all(|node| node["status"] == "cached"), "{nodes:?}");
    let [single, row] =
        ["one.mp4", "out/cleo-take3.mp4"].map(|name| fs::read(place.path(name)).expect("a video"));
    assert!(single == row);
}
