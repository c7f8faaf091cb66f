//! Files as others may have made them: the seeds of the fuzz targets, and changed ones, the same at every run. `make fuzz` looks further.

#[path = "fuzz/src/lib.rs"]
mod targets;

use std::{fs, path::Path};

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Changed files a target.
const CASES: u32 = 1500;

/// A change at a place given as a part of the file's length in 65,536ths.
#[derive(Clone, Debug)]
enum Edit {
    Set(u16, u8),
    Insert(u16, Vec<u8>),
    Remove(u16, u8),
    Repeat(u16, u8),
    Cut(u16),
}

fn edit() -> impl Strategy<Value = Edit> {
    let telling = prop::sample::select(b"[]{}:,-&*!|>'\"#\n \x00\xff0987~".to_vec());
    let byte = prop_oneof![any::<u8>(), telling];
    prop_oneof![
        4 => (any::<u16>(), byte.clone()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        3 => (any::<u16>(), prop::collection::vec(byte, 1..6)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(at, length)| Edit::Remove(at, length)),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(at, length)| Edit::Repeat(at, length)),
        1 => any::<u16>().prop_map(Edit::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    let place = |at: u16| usize::from(at) * bytes.len() / 65_536;
    let end = |at: u16, length: u8| (place(at) + usize::from(length)).min(bytes.len());
    match edit {
        Edit::Set(at, byte) => {
            let at = place(*at);
            bytes.iter_mut().skip(at).take(1).for_each(|one| *one = *byte);
        }
        Edit::Insert(at, more) => {
            let at = place(*at);
            bytes.splice(at..at, more.iter().copied());
        }
        Edit::Remove(at, length) => {
            bytes.drain(place(*at)..end(*at, *length));
        }
        Edit::Repeat(at, length) => {
            let (from, to) = (place(*at), end(*at, *length));
            let part = bytes[from..to].to_vec();
            bytes.splice(to..to, part);
        }
        Edit::Cut(at) => bytes.truncate(place(*at)),
    }
}

/// Feeds `read` the seeds of `target`, and changed ones.
fn feed(target: &str, read: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("seeds").map(|entry| entry.expect("a seed").path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a seed")).collect();
    assert!(seeds.len() >= 3, "{target} has too few seeds");
    seeds.iter().for_each(|seed| read(seed));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let changed = (prop::sample::select(seeds), prop::collection::vec(edit(), 1..8));
    let outcome = runner.run(&changed, |(mut bytes, edits)| {
        edits.iter().for_each(|edit| apply(&mut bytes, edit));
        read(&bytes);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{target}: {error}");
    }
}

#[test]
fn graphs() {
    feed("graph", targets::graph);
}

#[test]
fn packs() {
    feed("pack", targets::pack);
}

#[test]
fn tensors() {
    feed("safetensors", targets::safetensors);
}

#[test]
fn audio() {
    feed("wav", targets::wav);
}

#[test]
fn recordings_of_face_units() {
    feed("arkit", targets::arkit);
}

#[test]
fn models() {
    feed("onnx", targets::onnx);
}

#[test]
fn records() {
    feed("record", targets::record);
}

#[test]
fn messages_of_the_media_process() {
    feed("media", targets::media);
}
