//! The `talkgraph` command line.

fn main() -> std::process::ExitCode {
    return_large_memory();
    talkgraph::cli::main()
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
