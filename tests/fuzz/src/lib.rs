//! What the fuzz targets do with bytes: read them as a file of one kind, which must end in a value or an error, soon. The targets
//! themselves are in `fuzz_targets`; the tests of the workspace (`tests/hostile.rs`) run the same functions on the seeds and on a few
//! thousand changed ones.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use talkgraph::check::{self, Settings};
use talkgraph_cache::{Digest, Durability, Store};
use talkgraph_media::protocol;
use talkgraph_nodes::{
    arkit::{self, Angles, Reading},
    artifact::ArtifactType,
    codec,
    contract::Rate,
    file::fingerprint,
    home::Home,
    onnx::{Signature, unchecked},
    pack::Pack,
    registry::Registry,
};
use tempfile::TempDir;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::builtin);

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder for temporary files");
}

/// A folder of this thread's own, the same every time.
fn folder() -> PathBuf {
    FOLDER.with(|folder| folder.path().to_owned())
}

/// A graph file: checked whole, mistakes told.
pub fn graph(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match check::check(Path::new("graph.yaml"), &text, &REGISTRY, &Settings::default()) {
        Ok(graph) => drop(graph.dag),
        Err(mistakes) => assert!(!mistakes.to_string().is_empty()),
    }
}

/// A `pack.yaml` without the files that it names.
pub fn pack(data: &[u8]) {
    let folder = folder();
    fs::write(folder.join("pack.yaml"), data).expect("a temporary file");
    if let Ok(pack) = Pack::open(&folder, &Home::at(&folder), &fingerprint) {
        pack.check();
    }
}

/// Tensors of the store or of people.
pub fn safetensors(data: &[u8]) {
    let _ = codec::decode(ArtifactType::Tensors, data, Path::new("x.safetensors"));
}

/// Audio of the store.
pub fn wav(data: &[u8]) {
    let _ = codec::decode(ArtifactType::Audio, data, Path::new("x.wav"));
}

/// A recording of face units, CSV or JSON: frames of numbers, or an error with its place.
pub fn arkit(data: &[u8]) {
    let rate = Rate::new(25, 1);
    let reading = Reading { source: None, otherwise: rate, angles: Angles::Radians, strict: false };
    match arkit::read("x", data, &reading) {
        Ok(take) => {
            assert!(take.len_at(rate) > 0 && !take.notes().is_empty());
            for (units, rotation) in take.at(rate, false).take(64) {
                assert!(units.into_iter().chain(rotation).all(f32::is_finite));
            }
        }
        Err(error) => assert!(error.to_string().starts_with("x:"), "{error}"),
    }
}

/// A model: its inputs and outputs, and the data files that it leans on.
pub fn onnx(data: &[u8]) {
    let _ = Signature::parse(data);
    let _ = unchecked(data);
}

/// Messages of the media process and to it: one side's broken or hostile words must not harm the other.
pub fn media(data: &[u8]) {
    let _ = protocol::decode_request(data);
    let _ = protocol::decode_reply(data);
}

/// A record of the cache: what is no record of its action is dropped.
pub fn record(data: &[u8]) {
    let store = Store::open(&folder().join("store"), Durability::Fast).expect("a store");
    // The key that a sound record names, so that one is met sometimes.
    let named = data.windows(64).find_map(|window| std::str::from_utf8(window).ok()?.parse::<Digest>().ok());
    let key = named.unwrap_or(Digest::of(b"action"));
    let hex = key.to_string();
    let path = store.root().join("actions").join(&hex[..2]).join(&hex);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, data).expect("a temporary file");
    let found = store.action(&key).expect("no trouble with the disk");
    assert_eq!(found.is_some(), path.is_file());
    if let Some(record) = found {
        assert_eq!(record.key, key);
        store.stats().expect("no trouble with the disk");
        fs::remove_file(&path).expect("the record");
    }
}
