//! The `talkgraph` command line.

fn main() -> std::process::ExitCode {
    talkgraph_media::keep_memory_of_frames();
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
