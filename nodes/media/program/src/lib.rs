//! The program `talkgraph-media`: decodes and encodes what it is handed as descriptors, and can reach nothing else.
//!
//! A library as well, so that the benchmark can do the same work without the boundary.

mod audio;
mod audio_encode;
mod clock;
mod colour;
mod container;
pub mod encode;
mod ffmpeg;
mod files;
mod heif;
mod link;
mod objects;
mod packets;
mod picture;
mod profile;
mod resample;
mod sandbox;
mod serve;
mod track;
mod tracks;
pub mod video;
mod video_encode;
mod webp;

use std::process::ExitCode;

pub use self::files::{Sink, Source};

/// Serves the socket that is standard input until it closes.
pub fn run() -> ExitCode {
    // Before anything of the caller's is read.
    let link = match link::Link::standard_input() {
        Ok(link) => link,
        Err(error) => {
            eprintln!("error: talkgraph starts this program itself: standard input is no socket ({error})");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = ffmpeg::init() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    heif::init();
    let held = sandbox::enter();
    // Only now, so that the thread is held as well.
    if let Err(error) = link.watch() {
        eprintln!("error: no thread: {error}");
        return ExitCode::FAILURE;
    }
    serve::serve(&link, &held)
}

/// What `--version` says.
pub fn version() -> String {
    let mut lines = format!("talkgraph-media {}", env!("CARGO_PKG_VERSION"));
    for (name, version) in serve::libraries() {
        lines += &format!("\n{name} {version}");
    }
    lines
}
