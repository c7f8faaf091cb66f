//! What the allocators of both programs keep.

/// Has the allocator keep blocks of a frame's size for the next frame: touching new memory for every one was a sixth of a run's time. Chunks of
/// frames are larger and go back to the system when they are freed; with few arenas, threads share what is kept. Called before
/// other threads are there; without effect but on glibc.
pub fn keep_memory_of_frames() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 8 << 20;
        const KEPT: libc::c_int = 64 << 20;
        let threads = std::thread::available_parallelism().map_or(2, |count| count.get() as libc::c_int);
        // SAFETY: sets numbers of the allocator's.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
            libc::mallopt(libc::M_ARENA_MAX, threads);
        }
    }
}
