//! Which streams of a media file are its video and its audio.

use ffmpeg_next::{
    Stream, codec,
    format::{context::Input, stream::Disposition},
    media,
};

use talkgraph_media::{Error, Result};

/// The best video of `input`. Cover art of music is none.
pub(crate) fn video(input: &Input) -> Option<Stream<'_>> {
    let is_video = |stream: &Stream<'_>| {
        stream.parameters().medium() == media::Type::Video
            && !stream.disposition().contains(Disposition::ATTACHED_PIC)
    };
    let best = input.streams().best(media::Type::Video).filter(is_video);
    best.or_else(|| input.streams().find(is_video))
}

/// The audio tracks of `input` in their order.
fn audio(input: &Input) -> impl Iterator<Item = Stream<'_>> {
    input.streams().filter(|stream| stream.parameters().medium() == media::Type::Audio)
}

/// Whether `input` has audio.
pub(crate) fn has_audio(input: &Input) -> bool {
    audio(input).next().is_some()
}

/// Index of the stream that is audio track `number` of `input`, a file of this name that looks like `found`; 0: the one that the
/// file marks, or else the best.
pub(crate) fn choose(input: &Input, (name, found): (&str, &str), number: usize) -> Result<usize> {
    let Some(best) = input.streams().best(media::Type::Audio) else {
        let track = if found.ends_with("video") { " without an audio track" } else { "" };
        return Err(Error::input(format!("{name}: expected audio, found {found}{track}")));
    };
    let Some(place) = number.checked_sub(1) else { return Ok(best.index()) };
    audio(input).nth(place).map(|stream| stream.index()).ok_or_else(|| {
        let tracks = words(input);
        Error::input(format!("{name}: parameter `stream` asks for audio track {number} of {}", tracks.len()))
            .hint(format!("its audio tracks: {}", tracks.join("; ")))
    })
}

/// What tells the audio tracks of `input` apart, for people, counted from 1.
pub(crate) fn words(input: &Input) -> Vec<String> {
    let describe = |(place, stream): (usize, Stream<'_>)| {
        let mut words = format!("{} is {}", place + 1, stream.parameters().id().name());
        let decoder = codec::Context::from_parameters(stream.parameters())
            .and_then(|context| context.decoder().audio());
        if let Ok(decoder) = decoder {
            let plural = if decoder.channels() == 1 { "" } else { "s" };
            words += &format!(", {} channel{plural}", decoder.channels());
        }
        for tag in ["language", "title"] {
            if let Some(text) = stream.metadata().get(tag).filter(|text| *text != "und") {
                words += &format!(", {text}");
            }
        }
        words
    };
    audio(input).enumerate().map(describe).collect()
}

/// The number, counted from 1, of the audio track that is stream `index`.
pub(crate) fn number(input: &Input, index: usize) -> usize {
    audio(input).take_while(|stream| stream.index() != index).count() + 1
}
