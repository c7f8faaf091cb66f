//! FFmpeg as this program uses it: files that were handed over, and errors in our words.

use std::{ffi::c_int, ptr, sync::Once};

use ffmpeg_next::{
    Dictionary, Error as Code,
    ffi::{AVDictionary, AVERROR, AVFormatContext, AVIO_FLAG_WRITE, AVIOContext, EACCES, EBADF},
    format::{
        self,
        context::{Input, Output, StreamIo},
    },
    util::log,
};
use talkgraph_media::{Error, Result, sniff};

use crate::files::{Sink, Source};

/// How many bytes at the start of a file tell what it is.
const HEAD: usize = 512;

/// Bytes that are read or written at once.
const BUFFER: usize = 256 << 10;

/// Formats that are read. Those that make FFmpeg open other files or addresses (playlists, patterns of names, descriptions of
/// streams) are none of them.
const FORMATS: &str = "aac,ac3,aiff,amr,ape,apng,asf,au,avi,bmp_pipe,caf,dv,eac3,flac,flv,gif,h264,hevc,ivf,jpeg_pipe,\
                       m4v,matroska,webm,mjpeg,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,mpegvideo,mxf,nut,ogg,png_pipe,\
                       rm,tiff_pipe,tta,voc,w64,wav,webp_pipe,wtv,wv";

/// Initialises the libraries once and silences their own log: trouble is reported through errors.
pub(crate) fn init() -> Result<()> {
    static ONCE: Once = Once::new();
    let mut outcome = Ok(());
    ONCE.call_once(|| {
        outcome = ffmpeg_next::init();
        log::set_level(log::Level::Quiet);
    });
    outcome.map_err(|error| Error::io("FFmpeg cannot be initialised").caused_by(error))
}

/// The versions of the libraries whose decoders and encoders decide the bytes that come out.
pub(crate) fn libraries() -> Vec<(String, String)> {
    let words = |version: u32| format!("{}.{}.{}", version >> 16, (version >> 8) & 255, version & 255);
    vec![
        ("libavcodec".to_owned(), words(ffmpeg_next::codec::version())),
        ("libavformat".to_owned(), words(format::version())),
    ]
}

/// Opens the media file `source`, called `name`; `wanted` says in words what it should be. Text is refused: playlists would make
/// FFmpeg ask for other files and addresses.
pub(crate) fn open(source: Source, name: &str, wanted: &str) -> Result<Input> {
    init()?;
    let found = describe(&source, name)?;
    if found == "an empty file" || found.starts_with("text") {
        return Err(Error::input(format!("{name}: expected {wanted}, found {found}")));
    }
    let mut options = Dictionary::new();
    options.set("format_whitelist", FORMATS);
    options.set("protocol_whitelist", "none");
    // Endings of names decide where contents do not.
    let ending = name.rsplit_once('.').map(|(_, ending)| format!("file.{ending}"));
    let opened = StreamIo::from_read_seek_with_capacity(source, BUFFER)
        .and_then(|stream| format::input_from_stream(stream, ending.as_deref(), Some(options)));
    opened.map_err(|error| {
        let message = match found.as_str() {
            "unknown bytes" => format!("{name}: expected {wanted}, found bytes that FFmpeg does not know"),
            found => format!("{name}: expected {wanted}, found {found} that is damaged or cut short"),
        };
        Error::input(message).caused_by(error)
    })
}

/// What the first bytes of `source`, called `name`, look like.
pub(crate) fn describe(source: &Source, name: &str) -> Result<String> {
    let head =
        source.head(HEAD).map_err(|error| Error::io(format!("{name}: cannot be read")).caused_by(error))?;
    Ok(sniff::describe(&head))
}

/// A new file of FFmpeg's format `muxer`. Muxers that move what they wrote (an index to the front) open their file a second time, to
/// read it: they are given another view of the same descriptor, and nothing else.
pub(crate) fn create(sink: Sink, muxer: &str) -> Result<Output, Code> {
    init().map_err(|_| Code::Unknown)?;
    let again = Box::new(Source::shared(std::sync::Arc::clone(&sink.file)));
    let stream = StreamIo::from_write_seek_with_capacity(sink, BUFFER)?;
    let mut output = format::output_to_stream(stream, None, Some(muxer))?;
    // SAFETY: the context is valid and not shared. `opaque` is the caller's to use; the box lies there until the process ends
    // or `Output` is gone, which is the last one to call either function. It is small, and one a file: it is not freed.
    unsafe {
        let context = output.as_mut_ptr();
        (*context).opaque = Box::into_raw(again).cast();
        (*context).io_open = Some(open_again);
        (*context).io_close2 = Some(close_again);
    }
    Ok(output)
}

/// Gives a reader of the file that `context` writes.
unsafe extern "C" fn open_again(
    context: *mut AVFormatContext,
    opened: *mut *mut AVIOContext,
    _: *const std::ffi::c_char,
    flags: c_int,
    _: *mut *mut AVDictionary,
) -> c_int {
    if flags & AVIO_FLAG_WRITE != 0 {
        return AVERROR(EACCES);
    }
    // SAFETY: `create` put a source there.
    let source = unsafe { &*(*context).opaque.cast::<Source>() };
    match StreamIo::from_read_seek_with_capacity(source.clone(), BUFFER) {
        Ok(mut stream) => {
            // SAFETY: FFmpeg gives a place for the pointer. The stream's owner is kept in a list until it is closed.
            unsafe { *opened = stream.as_mut_ptr() };
            AGAIN.with_borrow_mut(|streams| streams.push(stream));
            0
        }
        Err(_) => AVERROR(EBADF),
    }
}

thread_local! {
    /// Readers that were given out.
    static AGAIN: std::cell::RefCell<Vec<StreamIo>> = const { std::cell::RefCell::new(vec![]) };
}

unsafe extern "C" fn close_again(_: *mut AVFormatContext, opened: *mut AVIOContext) -> c_int {
    AGAIN.with_borrow_mut(|streams| streams.retain_mut(|stream| !ptr::eq(stream.as_mut_ptr(), opened)));
    0
}

/// Whether a decoder or encoder asks for more input.
pub(crate) fn wants_more(error: Code) -> bool {
    matches!(error, Code::Eof | Code::Other { errno: ffmpeg_next::error::EAGAIN })
}

/// An error of FFmpeg while it did `what`.
pub(crate) fn failed(what: impl Into<String>, error: Code) -> Error {
    match error {
        Code::Other { errno: ffmpeg_next::error::ENOSPC } => {
            Error::io(format!("{}: the disk is full", what.into())).hint("free some space and run again")
        }
        error => Error::io(what.into()).caused_by(error),
    }
}
