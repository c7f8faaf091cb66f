//! A table of ways in which a file becomes another without looking like it: every digest must be that of what is there.

use std::{
    fs::{self, File, FileTimes},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use talkgraph_cache::{CacheError, Digest, Durability, Fingerprint, Store};
use tempfile::TempDir;

/// The files that a content names: the words after `@`.
fn names(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.split_whitespace().filter_map(|word| word.strip_prefix('@')).map(ToOwned::to_owned).collect()
}

/// What is asked for, which file of it is replaced, and by which path that is reached.
struct Case {
    kind: &'static str,
    asked: PathBuf,
    real: PathBuf,
    link: Option<PathBuf>,
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    set_old(path);
}

/// The time that archives and build servers give to everything.
fn set_old(path: &Path) {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let times = FileTimes::new().set_modified(then).set_accessed(then);
    File::options().write(true).open(path).unwrap().set_times(times).unwrap();
}

fn cases(root: &Path) -> Vec<Case> {
    let at = |name: &str| root.join(name);
    write(&at("plain.wav"), "content A");
    write(&at("folder/1.png"), "content A");
    write(&at("folder/2.png"), "another");
    write(&at("model.onnx"), "weights: @model.data");
    write(&at("model.data"), "content A");
    // As a model hub's cache lays them: names are links into a folder of contents.
    write(&at("hub/blobs/m"), "weights: @w.data");
    write(&at("hub/blobs/d"), "content A");
    fs::create_dir_all(at("hub/snapshot")).unwrap();
    symlink("../blobs/m", at("hub/snapshot/m.onnx")).unwrap();
    symlink("../blobs/d", at("hub/snapshot/w.data")).unwrap();
    write(&at("target.wav"), "content A");
    symlink("target.wav", at("link.wav")).unwrap();
    let case = |kind, asked: &str, real: &str, link: Option<&str>| Case {
        kind,
        asked: at(asked),
        real: at(real),
        link: link.map(at),
    };
    vec![
        case("file", "plain.wav", "plain.wav", None),
        case("folder", "folder", "folder/1.png", None),
        case("data file", "model.onnx", "model.data", None),
        case("data file of a hub", "hub/snapshot/m.onnx", "hub/blobs/d", Some("hub/snapshot/w.data")),
        case("linked file", "link.wav", "target.wav", Some("link.wav")),
    ]
}

/// Puts `text`, as long as what is there, in the place of a case's file, without leaving another size or time.
fn replace(way: &str, case: &Case, text: &str) {
    let beside = case.real.with_file_name("new");
    match way {
        "in place" => fs::write(&case.real, text).unwrap(),
        "renamed over" => {
            write(&beside, text);
            fs::rename(&beside, &case.real).unwrap();
        }
        "removed and written" => {
            fs::remove_file(&case.real).unwrap();
            fs::write(&case.real, text).unwrap();
        }
        "link turned" => {
            let Some(link) = &case.link else { return };
            let other = case.real.with_file_name(format!("{}.other", text.replace(' ', "")));
            write(&other, text);
            fs::remove_file(link).unwrap();
            symlink(&other, link).unwrap();
            return;
        }
        other => panic!("{other}"),
    }
    set_old(&case.real);
}

#[test]
fn no_way_to_replace_a_file_gives_the_old_digest() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Durability::Fast).unwrap();
    let root = folder.path().join("files");
    let cases = cases(&root);
    let truth = |case: &Case| Fingerprint::take(&case.asked, Some(names)).unwrap().digest();
    let remembered = |case: &Case| store.fingerprint(&case.asked, Some(names)).unwrap().digest();
    let mut letter = b'B';
    for way in ["in place", "renamed over", "removed and written", "link turned"] {
        // Old enough to be remembered.
        thread::sleep(Duration::from_millis(2100));
        let before: Vec<Digest> = cases.iter().map(remembered).collect();
        assert!(before.iter().eq(&cases.iter().map(remembered).collect::<Vec<_>>()));
        for (case, before) in cases.iter().zip(before) {
            letter += 1;
            replace(way, case, &format!("content {}", letter as char));
            let (found, expected) = (remembered(case), truth(case));
            assert_eq!(found, expected, "{way}, {}", case.kind);
            assert_eq!(found == before, way == "link turned" && case.link.is_none(), "{way}, {}", case.kind);
        }
    }
}

#[test]
fn a_file_that_names_none_has_the_digest_of_its_content_and_a_missing_one_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    write(&path, "no weights");
    assert_eq!(Fingerprint::take(&path, Some(names)).unwrap().digest(), Digest::of(b"no weights"));
    write(&path, "@data");
    let without = Fingerprint::take(&path, Some(names)).unwrap();
    assert_eq!(without.content(), Digest::of(b"@data"));
    write(&folder.path().join("data"), "x");
    assert_ne!(Fingerprint::take(&path, Some(names)).unwrap().digest(), without.digest());
    assert!(matches!(without.check(), Err(CacheError::Changed(path)) if path.ends_with("data")));
}

fn changed(folder: &TempDir, name: &str, change: impl FnOnce(&Path)) -> bool {
    let path = folder.path().join(name);
    write(&path, "content A");
    let asked = if name.contains('/') { path.parent().unwrap().to_owned() } else { path.clone() };
    let print = Fingerprint::take(&asked, None).unwrap();
    print.check().unwrap();
    change(&path);
    matches!(print.check(), Err(CacheError::Changed(_)))
}

#[test]
fn a_file_that_changes_while_it_is_in_use_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let write_b = |path: &Path| write(path, "content B");
    assert!(changed(&folder, "a", write_b));
    assert!(changed(&folder, "b", |path| {
        write(path, "content B");
        write(path, "content A");
    }));
    assert!(changed(&folder, "c", |path| fs::remove_file(path).unwrap()));
    assert!(changed(&folder, "d/1.png", write_b));
    assert!(changed(&folder, "e/1.png", |path| write(&path.with_file_name("2.png"), "more")));
    assert!(!changed(&folder, "f/1.png", |path| write(&path.with_file_name(".hidden"), "more")));
    assert!(!changed(&folder, "g", |path| drop(fs::read(path).unwrap())));
}

#[test]
fn a_pipe_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert!(matches!(Fingerprint::take(&pipe, None), Err(CacheError::NotAFile(_))));
}
