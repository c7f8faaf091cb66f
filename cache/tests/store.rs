//! The store as its users meet it: several handles, damaged files, contention, collection.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use talkgraph_cache::{
    ActionRecord, CacheError, Digest, Durability, KeyBuilder, OutputRecord, Read, Store, listed,
};
use tempfile::TempDir;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Durability::Fast).unwrap();
    (folder, store)
}

fn action(store: &Store, name: &str, bytes: &[u8], seconds: f64) -> ActionRecord {
    let key = KeyBuilder::new("test", 1).field("name", name).finish();
    let blob = store.put(bytes).unwrap();
    let output = OutputRecord { blobs: vec![blob], sequence: false, bytes: bytes.len() as u64 };
    let record = ActionRecord {
        key: key.digest,
        manifest: key.text,
        node_type: name.to_owned(),
        outputs: BTreeMap::from([("out".to_owned(), output)]),
        notes: serde_json::json!({"faces": 1}),
        seconds,
        created: 1,
    };
    store.record(&record).unwrap();
    record
}

fn content(store: &Store, digest: &Digest) -> Option<Vec<u8>> {
    match store.read(digest).unwrap() {
        Read::Found(blob) => Some(blob.to_vec()),
        Read::Missing | Read::Corrupt => None,
    }
}

#[test]
fn blobs_come_back_as_they_went_in() {
    for durability in [Durability::Fast, Durability::Safe] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), durability).unwrap();
        for size in [0, 1, 70_000, 300_000] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            let digest = store.put(&bytes).unwrap();
            assert_eq!(digest, Digest::of(&bytes));
            assert_eq!(content(&store, &digest).as_deref(), Some(&bytes[..]));
        }
        let scratch = store.scratch().unwrap();
        let path = scratch.path().join("x");
        fs::write(&path, "from a file").unwrap();
        let digest = store.put_file(&path).unwrap();
        assert_eq!(content(&store, &digest).as_deref(), Some(&b"from a file"[..]));
        assert!(!path.exists());
    }
}

#[test]
fn a_flipped_byte_is_noticed_moved_aside_and_mended_by_the_next_put() {
    for size in [10, 100_000] {
        let (folder, store) = store();
        let bytes = vec![7; size];
        let digest = store.put(&bytes).unwrap();
        drop(store);
        let store = Store::open(folder.path(), Durability::Fast).unwrap();
        let mut damaged = bytes.clone();
        damaged[size / 2] ^= 1;
        fs::write(store.path(&digest), damaged).unwrap();
        assert!(matches!(store.read(&digest).unwrap(), Read::Corrupt));
        assert!(matches!(store.read(&digest).unwrap(), Read::Missing));
        assert!(store.root().join("corrupt").join(digest.to_string()).exists());
        store.put(&bytes).unwrap();
        assert_eq!(content(&store, &digest), Some(bytes));
    }
}

#[test]
fn a_damaged_record_counts_as_absent() {
    let (_folder, store) = store();
    let record = action(&store, "a", b"x", 1.0);
    assert_eq!(store.action(&record.key).unwrap(), Some(record.clone()));
    let path = store.root().join("actions").join(&record.key.to_string()[..2]).join(record.key.to_string());
    let text = fs::read_to_string(&path).unwrap();
    for damage in [text.replace("name = a", "name = b"), text[..text.len() / 2].to_owned(), String::new()] {
        fs::write(&path, damage).unwrap();
        assert_eq!(store.action(&record.key).unwrap(), None);
        assert!(!path.exists());
    }
}

#[test]
fn one_flies_and_the_others_find_the_record() {
    let (folder, store) = store();
    let other = Store::open(folder.path(), Durability::Fast).unwrap();
    let key = Digest::of(b"expensive");
    let (done, barrier) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(8)));
    let threads: Vec<_> = (0..8)
        .map(|i| {
            // Two handles stand for two processes: they share nothing but the folder.
            let store = if i % 2 == 0 { store.clone() } else { other.clone() };
            let (done, barrier) = (done.clone(), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                let flight = store.flight(&key, || false).unwrap();
                assert!(flight.is_some());
                if !store.has(&Digest::of(b"result")) {
                    done.fetch_add(1, Ordering::SeqCst);
                    store.put(b"result").unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[test]
fn waiting_for_a_flight_can_be_cancelled() {
    let (folder, store) = store();
    let key = Digest::of(b"k");
    let held = store.flight(&key, || false).unwrap();
    assert!(store.flight(&key, || true).unwrap().is_none());
    let other = Store::open(folder.path(), Durability::Fast).unwrap();
    assert!(other.flight(&key, || true).unwrap().is_none());
    drop(held);
    assert!(other.flight(&key, || true).unwrap().is_some());
}

#[test]
fn collection_drops_what_is_cheap_per_byte_and_keeps_shared_blobs() {
    let (_folder, store) = store();
    let dear = action(&store, "dear", &[1; 100], 100.0);
    let cheap = action(&store, "cheap", &[2; 1000], 0.1);
    let shared = action(&store, "shared", &[1; 100], 0.001);
    let orphan = store.put(&[3; 50]).unwrap();
    let planned = store.collect(100, true).unwrap();
    assert!(store.has(&orphan));
    let done = store.collect(100, false).unwrap();
    assert_eq!(planned, done);
    assert_eq!((done.blobs, done.bytes, done.left), (2, 1050, 100));
    assert!(store.action(&dear.key).unwrap().is_some());
    assert!(store.action(&cheap.key).unwrap().is_none());
    assert!(store.action(&shared.key).unwrap().is_none() || store.has(shared.blobs().next().unwrap()));
    assert!(store.has(dear.blobs().next().unwrap()));
    assert!(!store.has(&orphan));
}

#[test]
fn trimming_drops_what_was_not_used_for_longest_and_nothing_of_now() {
    let (_folder, store) = store();
    let age = |record: &ActionRecord, seconds: u64| {
        let path =
            store.root().join("actions").join(&record.key.to_string()[..2]).join(record.key.to_string());
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    let [oldest, old, new] = ["oldest", "old", "new"].map(|name| action(&store, name, name.as_bytes(), 1.0));
    age(&oldest, 20_000);
    age(&old, 10_000);
    let began = SystemTime::now();
    assert_eq!(store.trim(100, began).unwrap().actions, []);
    // Looking through the records is no use of them.
    store.stats().unwrap();
    let trimmed = store.trim(7, began).unwrap();
    assert_eq!((trimmed.actions, trimmed.left), (vec![oldest.key], 6));
    let trimmed = store.trim(0, began).unwrap();
    assert_eq!((trimmed.actions, trimmed.left), (vec![old.key], 3));
    assert!(store.action(&new.key).unwrap().is_some());
    assert!(store.has(new.blobs().next().unwrap()));
}

#[test]
fn collection_waits_for_no_one_but_refuses_a_store_in_use() {
    let (folder, store) = store();
    let other = Store::open(folder.path(), Durability::Fast).unwrap();
    assert!(matches!(store.collect(0, false), Err(CacheError::InUse(_))));
    drop(other);
    store.collect(0, false).unwrap();
    Store::open(folder.path(), Durability::Fast).unwrap();
}

#[test]
fn verify_reports_damage_and_forgets_what_lost_a_blob() {
    let (_folder, store) = store();
    let good = action(&store, "good", b"good", 1.0);
    let bad = action(&store, "bad", b"bad!", 1.0);
    let blob = *bad.blobs().next().unwrap();
    fs::write(store.path(&blob), b"evil").unwrap();
    let found = store.verify().unwrap();
    assert_eq!((found.blobs, found.corrupt, found.forgotten), (1, vec![blob], vec![bad.key]));
    assert!(store.action(&good.key).unwrap().is_some());
}

#[test]
fn file_digests_follow_content_and_natural_order() {
    let (_folder, store) = store();
    let files = tempfile::tempdir().unwrap();
    for (name, text) in [("10.txt", "ten"), ("9.txt", "nine")] {
        fs::write(files.path().join(name), text).unwrap();
    }
    let both = store.file_digest(files.path()).unwrap();
    assert_eq!(store.file_digest(&files.path().join("9.txt")).unwrap(), Digest::of(b"nine"));
    fs::rename(files.path().join("9.txt"), files.path().join("1.txt")).unwrap();
    assert_eq!(store.file_digest(files.path()).unwrap(), both);
    fs::rename(files.path().join("1.txt"), files.path().join("11.txt")).unwrap();
    assert_ne!(store.file_digest(files.path()).unwrap(), both);
}

#[test]
fn only_files_of_the_endings_asked_for_count_in_a_folder() {
    let (_folder, store) = store();
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(files.path().join(name), text).unwrap();
    write("1.png", "one");
    write("2.PNG", "two");
    let endings = ["png".to_owned(), "jpg".to_owned()];
    let take = || store.input_fingerprint(files.path(), &endings).unwrap();
    let before = take();
    write("Thumbs.db", "miniatures");
    write("png", "no ending");
    assert_eq!(take().digest(), before.digest());
    before.check().unwrap();
    assert_ne!(store.file_digest(files.path()).unwrap(), before.digest());
    write("3.jpg", "three");
    assert_ne!(take().digest(), before.digest());
    assert!(matches!(before.check(), Err(CacheError::Changed(path)) if path == files.path()));
}

#[test]
fn a_pattern_stands_for_the_files_that_fit_it_and_nothing_else_counts() {
    let (_folder, store) = store();
    let files = tempfile::tempdir().unwrap();
    fs::create_dir_all(files.path().join("more/9")).unwrap();
    let write = |name: &str, text: &str| fs::write(files.path().join(name), text).unwrap();
    for name in ["10.png", "9.png", "9.txt", ".1.png", "a[1].png", "more/9/1.png"] {
        write(name, name);
    }
    let names = |pattern: &str| -> Vec<String> {
        let found = listed(&files.path().join(pattern)).unwrap().unwrap();
        found.iter().map(|path| path.strip_prefix(files.path()).unwrap().display().to_string()).collect()
    };
    assert_eq!(names("[0-9]*.png"), ["9.png", "10.png"]);
    assert_eq!(names("?.*"), ["9.png", "9.txt"]);
    assert_eq!(names("**/*.png"), ["9.png", "10.png", "a[1].png", "more/9/1.png"]);
    // What is there by exactly this name is no pattern.
    assert!(listed(&files.path().join("a[1].png")).unwrap().is_none());

    let endings = ["png".to_owned()];
    let take = |name: &str| store.input_fingerprint(&files.path().join(name), &endings);
    let before = take("[0-9]*").unwrap();
    write("9.txt", "changed");
    write("b.png", "does not fit");
    before.check().unwrap();
    assert_eq!(take("[0-9]*").unwrap().digest(), before.digest());
    // The key is that of the files: a folder of the same ones has it, too.
    let folder = files.path().join("folder");
    fs::create_dir(&folder).unwrap();
    for name in ["9.png", "10.png"] {
        fs::copy(files.path().join(name), folder.join(name)).unwrap();
    }
    assert_eq!(take("folder").unwrap().digest(), before.digest());
    write("11.png", "fits");
    assert_ne!(take("[0-9]*").unwrap().digest(), before.digest());
    assert!(matches!(before.check(), Err(CacheError::Changed(_))));

    assert!(matches!(take("*.jpg"), Err(CacheError::NoMatch(_))));
    assert!(matches!(take("***/x"), Err(CacheError::BadPattern { .. })));
    // Where one file is asked for, a pattern is a name like any other.
    let one = store.input_fingerprint(&files.path().join("*.png"), &[]);
    assert!(matches!(one, Err(CacheError::Io { .. })));
}
