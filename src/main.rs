//! The `talkgraph` command line.

fn main() -> std::process::ExitCode {
    keep_memory_of_frames();
    drop_empty_variables();
    talkgraph::cli::main()
}

/// An empty variable is one that is not set: clap would take it for an empty value.
fn drop_empty_variables() {
    let ours = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b"TALKGRAPH_");
    for (name, _) in std::env::vars_os().filter(|(name, value)| ours(name) && value.is_empty()) {
        // SAFETY: no other thread is there yet.
        unsafe { std::env::remove_var(name) };
    }
}

/// Has the allocator keep blocks of a frame's size for the next frame: touching new memory for every one was a sixth of a run's time. Chunks of
/// frames are larger and go back to the system when they are freed; with few arenas, threads share what is kept.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory_of_frames() {
    const LARGE: libc::c_int = 8 << 20;
    const KEPT: libc::c_int = 64 << 20;
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get() as libc::c_int);
    // SAFETY: sets numbers of the allocator's, before other threads are there.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        libc::mallopt(libc::M_ARENA_MAX, threads);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory_of_frames() {}
