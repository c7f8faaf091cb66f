//! The `talkgraph` command line.

fn main() -> std::process::ExitCode {
    return_large_memory();
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

/// Has the allocator give blocks of a megabyte and more back when they are freed. By default it keeps them for later once some were
/// freed, and chunks of frames leave holes: a fifth of a run's memory, for no gain in time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn return_large_memory() {
    // SAFETY: sets a number of the allocator's, before other threads are there.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn return_large_memory() {}
