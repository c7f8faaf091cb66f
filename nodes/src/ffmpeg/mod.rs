//! FFmpeg for the media node types: opening files without surprises, audio, frames, and errors in our words.

pub(crate) mod audio;
mod audio_encode;
mod clock;
pub(crate) mod colour;
pub(crate) mod container;
pub(crate) mod encode;
pub(crate) mod packets;
pub(crate) mod resample;
pub(crate) mod track;
mod tracks;
pub(crate) mod video;
mod video_encode;
pub(crate) mod webp;

use std::{path::Path, sync::Once};

use ffmpeg_next::{Dictionary, Error, format, format::context::Input, util::log};

use crate::{
    error::{NodeError, Result},
    sniff,
};

/// Initialises the libraries once and silences their own log: trouble is reported through errors.
pub(crate) fn init() -> Result<()> {
    static ONCE: Once = Once::new();
    let mut outcome = Ok(());
    ONCE.call_once(|| {
        outcome = ffmpeg_next::init();
        log::set_level(log::Level::Quiet);
    });
    outcome.map_err(|error| NodeError::io("FFmpeg cannot be initialised").caused_by(error))
}

/// The versions of the libraries whose decoders and encoders decide the bytes that come out.
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    let words = |version: u32| format!("{}.{}.{}", version >> 16, (version >> 8) & 255, version & 255);
    vec![("libavcodec", words(ffmpeg_next::codec::version())), ("libavformat", words(format::version()))]
}

/// Opens the media file at `path`; `wanted` says in words what it should be. Text is refused: playlists would make
/// FFmpeg open other files and addresses.
pub(crate) fn open(path: &Path, wanted: &str) -> Result<Input> {
    init()?;
    let name = sniff::name(path);
    if path.is_dir() {
        return Err(NodeError::input(format!("{name}: expected {wanted}, found a folder")));
    }
    let head = sniff::head(path)?;
    let found = sniff::describe(&head);
    if head.is_empty() || found.starts_with("text") {
        return Err(NodeError::input(format!("{name}: expected {wanted}, found {found}")));
    }
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file");
    format::input_with_dictionary(&local(path), options).map_err(|error| {
        let message = match found.as_str() {
            "unknown bytes" => format!("{name}: expected {wanted}, found bytes that FFmpeg does not know"),
            found => format!("{name}: expected {wanted}, found {found} that is damaged or cut short"),
        };
        NodeError::input(message).caused_by(error)
    })
}

/// The path as FFmpeg must see it: a relative name like `12:30.wav` would be taken for a protocol.
fn local(path: &Path) -> std::path::PathBuf {
    if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) }
}

/// Whether a decoder or encoder asks for more input.
pub(crate) fn wants_more(error: Error) -> bool {
    matches!(error, Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN })
}

/// An error of FFmpeg while it did `what`.
pub(crate) fn failed(what: impl Into<String>, error: Error) -> NodeError {
    match error {
        Error::Other { errno: ffmpeg_next::error::ENOSPC } => {
            NodeError::io(format!("{}: the disk is full", what.into())).hint("free some space and run again")
        }
        error => NodeError::io(what.into()).caused_by(error),
    }
}
