//! The process itself: what it may not do, and what becomes of it.

use std::{path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use talkgraph_media::{Kind, Session};

use super::made;

fn pid(session: &Session) -> Pid {
    Pid::from_raw(session.process() as i32).unwrap()
}

fn picture(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let path = folder.path().join("portrait.png");
    made::written(&path, &made::picture(32, 32), None);
    path
}

#[test]
fn it_can_reach_no_file_no_network_and_no_program() {
    let sandbox = &talkgraph_media::facts().unwrap().sandbox;
    if sandbox.seccomp.is_err() {
        return eprintln!("skipped: {sandbox:?}");
    }
    assert_eq!(talkgraph_media::escapes("/etc/passwd").unwrap(), [""; 0]);
    assert_eq!(sandbox.memory, Some(4096 << 20));
}

#[test]
fn it_holds_no_descriptor_but_those_it_was_handed() {
    // Inherited ones too: this one has no close-on-exec.
    let other = std::fs::File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(&other, rustix::io::FdFlags::empty()).unwrap();
    let session = Session::start().unwrap();
    let folder = format!("/proc/{}/fd", session.process());
    let open: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(open.len(), 3, "{open:?}");
}

#[test]
fn a_crash_is_one_error_that_names_the_file_and_the_next_job_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(&folder);
    for (signal, words) in [
        // Not 11: the standard library takes the first one that comes from outside.
        (Signal::ILL, "the decoder crashed (signal 4)"),
        (Signal::ABORT, "the decoder crashed (signal 6)"),
        (Signal::KILL, "the decoder was killed (signal 9)"),
    ] {
        let session = Session::start().unwrap();
        kill_process(pid(&session), signal).unwrap();
        let error = session.picture(&path, [0; 3], &|| false).map(drop).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {words}", path.display()));
        assert!(error.hint_text().is_some());
        // The same for whoever asks again; nothing hangs.
        assert_eq!(session.picture(&path, [0; 3], &|| false).map(drop), Err(error));
    }
    assert!(Session::start().unwrap().picture(&path, [0; 3], &|| false).is_ok());
}

#[test]
fn it_ends_with_the_session_and_leaves_no_zombie() {
    let session = Session::start().unwrap();
    let place = format!("/proc/{}", session.process());
    assert!(Path::new(&place).exists());
    drop(session);
    assert!(!Path::new(&place).exists());
}

#[test]
fn one_that_gets_nowhere_is_stopped_or_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(&folder);
    let stopped = || {
        let session = Session::start().unwrap();
        kill_process(pid(&session), Signal::STOP).unwrap();
        session
    };
    let error = stopped().picture(&path, [0; 3], &|| false).map(drop).unwrap_err().to_string();
    assert!(error.contains("portrait.png: the decoder got nowhere for"), "{error}");
    let begin = std::time::Instant::now();
    let cancel = || begin.elapsed() > Duration::from_millis(50);
    let error = stopped().picture(&path, [0; 3], &cancel).map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
}
