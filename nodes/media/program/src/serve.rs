//! Requests and answers.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use ffmpeg_next::encoder;
use talkgraph_media::{
    Error, Result,
    protocol::{Hello, Reply, Request, VERSION},
};

use crate::{
    ffmpeg, heif,
    link::{Link, Message},
    objects::Objects,
    sandbox::{self, Held},
};

/// Encoders without which some format cannot be written.
const ENCODERS: [&str; 6] = ["libx264", "libvpx-vp9", "aac", "libopus", "flac", "libwebp_anim"];

/// An answer and its bulk; `None`: there is none.
pub(crate) type Answer = Option<(Reply, Vec<u8>)>;

/// Answers until the caller is gone.
pub(crate) fn serve(link: &Link, held: &Held) -> ExitCode {
    let mut objects = Objects::default();
    while let Some(Message { request, bulk, files }) = link.receive() {
        let is_answered = is_answered(&request);
        let name = name(&request).map(str::to_owned);
        let outcome = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Hello => Ok(Some((Reply::Hello(hello(held)), vec![]))),
            Request::TryToEscape { path } => Ok(Some((Reply::Escapes(sandbox::escapes(&path)), vec![]))),
            request => objects.answer(request, &bulk, files),
        }));
        let outcome = outcome.unwrap_or_else(|panic| Err(panicked(name.as_deref(), &*panic)));
        let sent = match outcome {
            Ok(None) => Some(()),
            Ok(Some((reply, bulk))) => link.send(&reply, &bulk),
            Err(error) if is_answered => link.send(&Reply::Failed(error), &[]),
            Err(error) => link.send(&Reply::Broken(error), &[]),
        };
        if sent.is_none() {
            break;
        }
    }
    ExitCode::SUCCESS
}

/// Whether the caller waits for an answer.
fn is_answered(request: &Request) -> bool {
    !matches!(
        request,
        Request::Frame(_) | Request::Samples(_) | Request::PacketsUntil { .. } | Request::Close(_)
    )
}

/// The file that a request is about.
fn name(request: &Request) -> Option<&str> {
    match request {
        Request::OpenVideo { name, .. }
        | Request::OpenAudio { name, .. }
        | Request::Survey { name, .. }
        | Request::Seconds { name }
        | Request::CopyTrack { name, .. }
        | Request::Picture { name, .. } => Some(name),
        _ => None,
    }
}

/// The error of a library that gave up in place of returning one.
fn panicked(name: Option<&str>, panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason");
    let place = name.map_or(String::new(), |name| format!("{name}: "));
    Error::input(format!("{place}the decoder gave up: {}", text.lines().next().unwrap_or_default()))
        .hint("the file may be damaged: save it again with another program")
}

fn hello(held: &Held) -> Hello {
    Hello {
        protocol: VERSION,
        libraries: libraries(),
        files: held.files.clone(),
        encoders: ENCODERS.map(|name| (name.to_owned(), encoder::find_by_name(name).is_some())).into(),
        landlock: held.landlock.clone(),
        seccomp: held.seccomp.clone(),
        memory: held.memory,
    }
}

/// The libraries whose decoders and encoders decide what comes out, with their versions.
pub(crate) fn libraries() -> Vec<(String, String)> {
    let mut libraries = ffmpeg::libraries();
    libraries.push(("libheif".to_owned(), heif::version()));
    libraries
}

/// The error of a request that does not fit what is open.
pub(crate) fn misfit() -> Error {
    Error::io("talkgraph-media was asked for what it does not hold")
}

/// The one descriptor that comes with a request.
pub(crate) fn one(files: Vec<std::os::fd::OwnedFd>) -> Result<std::fs::File> {
    match <[_; 1]>::try_from(files) {
        Ok([file]) => Ok(file.into()),
        Err(_) => Err(misfit()),
    }
}
