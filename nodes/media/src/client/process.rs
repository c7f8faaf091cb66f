//! Finding the program and starting it.

use std::{
    env, fs, io,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::error::{Error, Result};

/// Name of the program.
pub const NAME: &str = "talkgraph-media";

/// The environment variable that names the program's file.
pub const PROGRAM: &str = "TALKGRAPH_MEDIA";

/// The environment variable with the most memory of a media process, in MiB; 0: not bounded.
pub const MEMORY: &str = "TALKGRAPH_MEDIA_MEMORY";

/// The environment variable with the seconds after which a media process that gets nowhere is stopped.
pub const PATIENCE: &str = "TALKGRAPH_MEDIA_PATIENCE";

/// Seconds without [`PATIENCE`].
const PATIENT: u64 = 8;

/// Where the loader finds libraries that lie in no usual place.
pub(super) const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// The program's file: what [`PROGRAM`] names, else beside this program (through links), else `../lib/talkgraph` from there.
pub fn program() -> Result<PathBuf> {
    if let Some(named) = env::var_os(PROGRAM).filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Error::io(format!("{}: no such program, named by {PROGRAM}", path.display())))
        };
    }
    let own = env::current_exe().and_then(|path| path.canonicalize()).map_err(|error| {
        Error::io(format!("{NAME} is not found: nor is this program itself")).caused_by(error)
    })?;
    let folder = own.parent().unwrap_or(Path::new("/"));
    let mut places = vec![folder.join(NAME)];
    // Cargo puts tests a folder deeper than programs.
    if folder.ends_with("deps") {
        places.extend(folder.parent().map(|folder| folder.join(NAME)));
    }
    places.push(folder.join("../lib/talkgraph").join(NAME));
    places.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let tried: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
        Error::io(format!("{NAME}, which reads and writes media, is not found at {}", tried.join(" or ")))
            .hint(format!(
                "put it beside this program (`cargo build --workspace` builds both), or name it in {PROGRAM}"
            ))
    })
}

/// How long a process may get nowhere.
pub(super) fn patience() -> Duration {
    let asked =
        env::var(PATIENCE).ok().and_then(|text| text.trim().parse().ok()).filter(|&seconds| seconds > 0);
    Duration::from_secs(asked.unwrap_or(PATIENT))
}

/// Starts the program; the socket to it does not block.
pub(super) fn spawn() -> Result<(Child, UnixStream)> {
    let path = program()?;
    let cannot =
        |error: io::Error| Error::io(format!("{}: cannot be started", path.display())).caused_by(error);
    let (ours, theirs) = UnixStream::pair().map_err(cannot)?;
    ours.set_nonblocking(true).map_err(cannot)?;
    for socket in [&ours, &theirs] {
        // As much as the kernel gives; the protocol needs none of it.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(socket, 4 << 20);
    }
    let mut command = Command::new(&path);
    // Ctrl-C is this program's: a group of its own keeps the terminal's signals away. No `pre_exec`, so that the standard
    // library need not copy the page tables of a large process.
    command.env_clear().current_dir("/").process_group(0);
    for name in [LIBRARIES, MEMORY] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(cannot)?;
    Ok((child, ours))
}

/// Processor time that process `id` has had; `None` where the system does not say.
pub(super) fn worked(id: u32) -> Option<Duration> {
    let (_, ticks) = stat(Path::new(&format!("/proc/{id}/stat")))?;
    Some(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}

/// Whether process `id` could work but had less than `least` of the processor's time since it had had `before`: not it, the machine is
/// slow then.
pub(super) fn starves(id: u32, before: Option<Duration>, least: Duration) -> bool {
    let (Some(before), Some(worked)) = (before, worked(id)) else { return false };
    worked.saturating_sub(before) < least && could_work(id)
}

/// Whether a thread of process `id` waits for a processor or a disk, and for nobody.
fn could_work(id: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return false };
    let state = |thread: io::Result<fs::DirEntry>| stat(&thread.ok()?.path().join("stat"));
    threads.filter_map(state).any(|(state, _)| matches!(state, 'R' | 'D'))
}

/// The letter of a state and the ticks of processor time in a `stat` file.
fn stat(path: &Path) -> Option<(char, u64)> {
    let text = fs::read_to_string(path).ok()?;
    // The name in parentheses may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let mut ticks = fields.skip(10).map(|field| field.parse::<u64>().ok());
    Some((state, ticks.next()?? + ticks.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_is_not_starved() {
        let id = std::process::id();
        let before = worked(id);
        let most = before.unwrap() + Duration::from_millis(200);
        while worked(id).unwrap() < most {
            std::hint::black_box((0..10_000u64).sum::<u64>());
        }
        assert!(!starves(id, before, Duration::from_millis(100)));
        assert!(starves(id, before, Duration::from_secs(1000)));
        assert!(!starves(u32::MAX, before, Duration::from_secs(1000)));
    }
}
