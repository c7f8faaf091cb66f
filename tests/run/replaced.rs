//! Files that are replaced by others of the same size and times, as the program meets them.

use std::{
    fs::{self, File, FileTimes},
    os::unix::fs::symlink,
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{Place, ends_with};

const MODEL: &str = "
talkgraph: 1
name: weights
nodes:
  model: { type: onnx, params: { model: model.onnx } }
  file: { type: write_tensors, in: { tensors: model.y }, params: { format: json } }
outputs: { y: file.file }
";

const SPEECH: &str = "
talkgraph: 1
name: mel
inputs: { speech: audio }
nodes:
  mel: { type: mel, in: { audio: speech } }
  file: { type: write_tensors, in: { sequence: mel.mel }, params: { format: json } }
outputs: { mel: file.file }
";

fn field(number: u8, payload: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, payload.len() as u8][..], payload].concat()
}

/// An ONNX model that gives the two numbers which it keeps in `weights.data`.
fn model() -> Vec<u8> {
    let entry = |key: &[u8], value: &[u8]| field(13, &[field(1, key), field(2, value)].concat());
    let data = [entry(b"location", b"weights.data"), entry(b"offset", b"0"), entry(b"length", b"8")].concat();
    let tensor = [&[8, 2, 16, 1][..], &field(8, b"w"), &data, &[14 << 3, 1]].concat();
    let node = [field(1, b"w"), field(2, b"y"), field(4, b"Identity")].concat();
    let shape = field(2, &field(1, &[8, 2]));
    let ty = field(2, &field(1, &[&[8, 1][..], &shape].concat()));
    let output = [field(1, b"y"), ty].concat();
    let graph = [field(1, &node), field(2, b"g"), field(5, &tensor), field(12, &output)].concat();
    let length = [graph.len() as u8 | 0x80, (graph.len() >> 7) as u8];
    [&[8, 10][..], &field(8, &[16, 20]), &[7 << 3 | 2], &length, &graph].concat()
}

/// Writes with the time that archives and build servers give to everything.
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("written");
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let file = File::options().write(true).open(path).expect("opened");
    file.set_times(FileTimes::new().set_modified(then).set_accessed(then)).expect("times");
}

fn numbers(values: [f32; 2]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Runs the graph of the model; gives its numbers.
fn run(place: &Place) -> [f64; 2] {
    let output = place.talkgraph(&["run", "model.yaml", "-o", "y=y.json"]);
    ends_with(&output, 0);
    let text = fs::read(place.path("y.json")).expect("a file");
    let json: Value = serde_json::from_slice(&text).expect("JSON");
    [0, 1].map(|k| json["y"][k].as_f64().expect("a number"))
}

#[test]
fn weights_beside_a_model_are_part_of_it() {
    let place = Place::new();
    if place.talkgraph(&["doctor"]).status.code() != Some(0) {
        return eprintln!("skipped: `talkgraph doctor` finds no ONNX Runtime");
    }
    fs::write(place.path("model.yaml"), MODEL).expect("a graph");
    write(&place.path("model.onnx"), &model());
    write(&place.path("weights.data"), &numbers([1.0, 2.0]));
    thread::sleep(Duration::from_millis(2100));
    assert_eq!((run(&place), run(&place)), ([1.0, 2.0], [1.0, 2.0]));
    write(&place.path("weights.data"), &numbers([1.0, 3.0]));
    assert_eq!(run(&place), [1.0, 3.0]);
    // As the caches of model hubs lay files: names are links.
    fs::rename(place.path("weights.data"), place.path("first")).expect("moved");
    write(&place.path("other"), &numbers([5.0, 3.0]));
    symlink("first", place.path("weights.data")).expect("a link");
    assert_eq!(run(&place), [1.0, 3.0]);
    fs::remove_file(place.path("weights.data")).expect("removed");
    symlink("other", place.path("weights.data")).expect("a link");
    assert_eq!(run(&place), [5.0, 3.0]);
}

/// A second of a tone, as a WAV file.
fn tone(path: &Path, hertz: f32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a file");
    for k in 0..16_000 {
        let phase = std::f32::consts::TAU * hertz * k as f32 / 16_000.0;
        wav.write_sample((phase.sin() * 8000.0) as i16).expect("a sample");
    }
    wav.finalize().expect("a file");
    write(path, &fs::read(path).expect("a file"));
}

#[test]
fn speech_replaced_in_place_with_equal_size_and_times_is_other_speech() {
    let place = Place::new();
    fs::write(place.path("speech.yaml"), SPEECH).expect("a graph");
    let (speech, other) = (place.path("speech.wav"), place.path("other.wav"));
    tone(&speech, 200.0);
    tone(&other, 2000.0);
    thread::sleep(Duration::from_millis(2100));
    let mel = || {
        let args = ["run", "speech.yaml", "-i", "speech=speech.wav", "-o", "mel=mel.json"];
        ends_with(&place.talkgraph(&args), 0);
        fs::read(place.path("mel.json")).expect("a file")
    };
    let before = mel();
    assert_eq!(mel(), before);
    write(&speech, &fs::read(&other).expect("a file"));
    assert_ne!(mel(), before);
}
