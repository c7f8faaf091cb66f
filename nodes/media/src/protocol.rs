//! What goes over the socket: a prefix of two lengths, a head (a [`Request`] or a [`Reply`], by postcard) and bulk (pixels
//! or samples as they are). Descriptors of files come with the first byte of a request.
//!
//! Either side takes the other for broken or hostile: lengths are bounded before memory is asked for, and a head must
//! be used up to its last byte.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    error::Error,
    kinds::{AudioSettings, Container, Layout, Settings, Under, WebpSettings},
};

/// Raised with every change of what goes over the socket.
pub const VERSION: u32 = 3;

/// Bytes of the prefix: both lengths, little-endian.
pub const PREFIX: usize = 8;

/// Longest head in bytes.
pub const MAX_HEAD: usize = 1 << 20;

/// Longest bulk in bytes: above a frame of 16,384 by 16,384 pixels.
pub const MAX_BULK: usize = 1 << 30;

/// Most descriptors of a request.
pub const MAX_FILES: usize = 2;

/// Names an object of a session: a reader, a writer, a resampler. The client chooses it.
pub type Id = u32;

/// What is asked of the program. `name` is what messages call the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// What it is and what holds it: gives [`Reply::Hello`].
    Hello,
    /// Tries to open the file `path`, to make a socket and to start a program: gives [`Reply::Escapes`].
    TryToEscape {
        /// A file that anyone may read.
        path: String,
    },
    /// Opens the best video of a file (1 descriptor): gives [`Reply::Video`].
    OpenVideo {
        /// The new object.
        id: Id,
        /// The file.
        name: String,
        /// Pictures whose longer side is over this are scaled down; 0: never.
        max_side: u32,
    },
    /// Gives [`Reply::Shown`], or [`Reply::VideoEnd`] after the last picture.
    NextPicture(Id),
    /// Opens an audio track of a file (1 descriptor): gives [`Reply::Audio`].
    OpenAudio {
        /// The new object.
        id: Id,
        /// The file.
        name: String,
        /// The track, counted from 1; 0: the best.
        number: u32,
        /// Whether it must begin with the file's first picture, not before.
        with_pictures: bool,
    },
    /// Gives [`Reply::Blocks`].
    NextBlocks(Id),
    /// How the packets of an audio track lie (1 descriptor): gives [`Reply::Layout`].
    Survey {
        /// The file.
        name: String,
        /// The track, counted from 1; 0: the best.
        number: u32,
        /// Whether it must begin with the file's first picture, not before.
        with_pictures: bool,
    },
    /// How long the best audio track plays (1 descriptor): gives [`Reply::Seconds`].
    Seconds {
        /// The file.
        name: String,
    },
    /// Copies the packets of an audio track (2 descriptors: from, to): gives [`Reply::Done`].
    CopyTrack {
        /// The file.
        name: String,
        /// The track, counted from 1; 0: the best.
        number: u32,
        /// How the packets lie.
        layout: Layout,
        /// The format of the new file.
        container: Container,
        /// The new file.
        to: String,
    },
    /// Opens a resampler: gives [`Reply::Done`].
    OpenResampler {
        /// The new object.
        id: Id,
        /// Samples a second that come.
        from: u32,
        /// Samples a second that are wanted.
        to: u32,
        /// Channels.
        channels: u16,
    },
    /// Resamples the bulk: gives [`Reply::Samples`].
    Resample {
        /// The resampler.
        id: Id,
        /// Whether nothing follows, so that the rest is wanted too.
        last: bool,
    },
    /// Creates a FLAC file (1 descriptor): gives [`Reply::Done`].
    CreateLossless {
        /// The new object.
        id: Id,
        /// The file.
        name: String,
        /// Its audio.
        settings: AudioSettings,
    },
    /// Creates a video file (1 descriptor, and the file of the packets where they are taken over): gives [`Reply::Done`].
    CreateVideo {
        /// The new object.
        id: Id,
        /// The file.
        name: String,
        /// Its format.
        container: Container,
        /// Its frames.
        settings: Settings,
        /// Its audio track.
        audio: Option<Track>,
    },
    /// Creates an animated WebP file (1 descriptor): gives [`Reply::Done`].
    CreateWebp {
        /// The new object.
        id: Id,
        /// The file.
        name: String,
        /// Its frames.
        settings: WebpSettings,
        /// What it says about itself.
        xmp: String,
    },
    /// Adds a packed RGB frame, the bulk. No reply but [`Reply::Broken`].
    Frame(Id),
    /// Adds samples, the bulk. No reply but [`Reply::Broken`].
    Samples(Id),
    /// Takes packets over up to sample `end`. No reply but [`Reply::Broken`].
    PacketsUntil {
        /// The video file.
        id: Id,
        /// The sample.
        end: u64,
    },
    /// Ends a file: gives [`Reply::Finished`].
    Finish {
        /// The file.
        id: Id,
        /// The sample that packets which were taken over are cut at.
        audio_end: u64,
    },
    /// Decodes a picture (1 descriptor): gives [`Reply::Picture`].
    Picture {
        /// The file.
        name: String,
        /// What transparent pixels are laid over.
        under: Under,
    },
    /// Forgets an object. No reply.
    Close(Id),
}

/// Where the audio track of a new video file comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Track {
    /// [`Request::Samples`] with these settings.
    Samples(AudioSettings),
    /// Packets of another file.
    Packets {
        /// That file.
        name: String,
        /// How its packets lie.
        layout: Layout,
    },
}

/// What the program says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// What it is and what holds it.
    Hello(Hello),
    /// What was not refused.
    Escapes(Vec<String>),
    /// Still at work and getting on; the next sign of life comes within so many seconds.
    Working(u32),
    /// Done, nothing to say.
    Done,
    /// What was asked failed.
    Failed(Error),
    /// What was asked without an answer failed; nothing more can be expected of the process.
    Broken(Error),
    /// A video was opened.
    Video {
        /// Seconds between pictures, on average.
        step: f64,
        /// Seconds that it plays; 0: not said.
        seconds: f64,
        /// Whether the file holds audio, too.
        has_audio: bool,
    },
    /// A picture: packed RGB is the bulk.
    Shown {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Seconds from an origin of the file's own.
        seconds: f64,
        /// Seconds that it is shown; 0: not said.
        lasts: f64,
    },
    /// No more pictures.
    VideoEnd {
        /// The sizes that pictures had, each once.
        sizes: Vec<String>,
        /// Packets and pictures that could not be decoded.
        damaged: u64,
    },
    /// An audio track was opened.
    Audio {
        /// Samples a second.
        rate: u32,
        /// Channels.
        channels: u16,
        /// Whether the samples are stored as they are.
        is_pcm: bool,
        /// The file's audio tracks in words.
        tracks: Vec<String>,
        /// The number of this one, counted from 1.
        taken: u32,
    },
    /// Some blocks; their samples, one after the other, are the bulk.
    Blocks {
        /// The blocks; empty after the last one.
        blocks: Vec<BlockHead>,
        /// Seconds of silence that were filled in so far.
        filled: f64,
        /// Packets that could not be decoded so far.
        damaged: u64,
    },
    /// How packets lie; `None` where they cannot be taken over.
    Layout(Option<Layout>),
    /// A time.
    Seconds(f64),
    /// Samples are the bulk.
    Samples,
    /// A file is finished.
    Finished {
        /// Packets of silence that were put behind those taken over.
        silent_packets: u64,
    },
    /// A picture: packed RGB is the bulk.
    Picture {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Whether it is a JPEG that has all its pixels, yet no end marker.
        lacks_end: bool,
    },
}

/// What the program is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its [`VERSION`].
    pub protocol: u32,
    /// Its libraries with their versions.
    pub libraries: Vec<(String, String)>,
    /// Where its shared libraries lie.
    pub files: Vec<String>,
    /// The encoders that it needs, each with whether it is there.
    pub encoders: Vec<(String, bool)>,
    /// Landlock's state in words, or why it is not in force.
    pub landlock: Result<String, String>,
    /// Whether system calls are filtered, or why not.
    pub seccomp: Result<String, String>,
    /// Most bytes of address space.
    pub memory: Option<u64>,
}

/// A block without its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockHead {
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Where the channels' loudspeakers stand.
    pub layout: u64,
    /// Bits of a sample that mean something.
    pub bits: u32,
    /// Samples of all channels together.
    pub samples: u32,
}

/// Bytes that are no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// The lengths of head and bulk, in bytes, that a prefix tells; an error where they are out of bounds.
pub fn lengths(prefix: [u8; PREFIX]) -> Result<(usize, usize), Malformed> {
    let (low, high) = prefix.split_at(4);
    let length = |bytes: &[u8]| bytes.iter().rev().fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
    let (head, bulk) = (length(low), length(high));
    if head > MAX_HEAD || bulk > MAX_BULK {
        return Err(Malformed(format!(
            "a message of {head} and {bulk} bytes, expected at most {MAX_HEAD} and {MAX_BULK}"
        )));
    }
    Ok((head, bulk))
}

/// Prefix and head of a message with so many bytes of bulk.
pub fn encode<T: Serialize>(message: &T, bulk: usize) -> Result<Vec<u8>, Malformed> {
    let wrong = |error: postcard::Error| Malformed(format!("a message cannot be put in bytes: {error}"));
    let mut bytes = postcard::to_extend(message, vec![0; PREFIX]).map_err(wrong)?;
    let head = bytes.len() - PREFIX;
    let both = [head, bulk].map(|length| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    bytes[..PREFIX].copy_from_slice(both.as_flattened());
    lengths(both.as_flattened().try_into().unwrap_or_default())?;
    Ok(bytes)
}

/// The message of a head.
pub fn decode_head<T: DeserializeOwned>(head: &[u8]) -> Result<T, Malformed> {
    match postcard::take_from_bytes(head) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(Malformed(format!("{} bytes are left over after a message", rest.len()))),
        Err(error) => Err(Malformed(format!("a message cannot be read: {error}"))),
    }
}

/// The first message of `bytes`, its bulk, and the bytes after it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8], &[u8]), Malformed> {
    let short = || Malformed("the bytes end within a message".to_owned());
    let (prefix, rest) = bytes.split_first_chunk().ok_or_else(short)?;
    let (head, bulk) = lengths(*prefix)?;
    let (head, rest) = rest.split_at_checked(head).ok_or_else(short)?;
    let (bulk, rest) = rest.split_at_checked(bulk).ok_or_else(short)?;
    Ok((decode_head(head)?, bulk, rest))
}

/// [`decode`] of what the client sends: a pure function over any bytes.
pub fn decode_request(bytes: &[u8]) -> Result<(Request, &[u8], &[u8]), Malformed> {
    decode(bytes)
}

/// [`decode`] of what the program sends: a pure function over any bytes.
pub fn decode_reply(bytes: &[u8]) -> Result<(Reply, &[u8], &[u8]), Malformed> {
    decode(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_come_back_as_they_were() {
        let reply = Reply::Failed(Error::input("a.png: bad").hint("none").caused_by(fmt::Error));
        let mut bytes = encode(&reply, 3).unwrap();
        bytes.extend([1, 2, 3, 4]);
        assert_eq!(decode_reply(&bytes).unwrap(), (reply, &[1, 2, 3][..], &[4][..]));
        assert!(decode_reply(&bytes[..bytes.len() - 2]).unwrap_err().0.contains("end within"));
    }

    #[test]
    fn lengths_out_of_bounds_and_left_over_bytes_are_refused() {
        assert!(lengths([0xff; PREFIX]).unwrap_err().0.contains("expected at most"));
        assert!(encode(&Request::Hello, MAX_BULK + 1).is_err());
        assert!(decode_head::<Request>(&[0, 0]).unwrap_err().0.contains("1 bytes are left over"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            // The same message again gives bytes of the same meaning.
            if let Ok((request, bulk, _)) = decode_request(&bytes) {
                let again = encode(&request, bulk.len()).unwrap();
                let again = [&again, bulk].concat();
                prop_assert_eq!(format!("{:?}", decode_request(&again).unwrap().0), format!("{request:?}"));
            }
            let _ = decode_reply(&bytes);
        }

        #[test]
        fn heads_of_any_bytes_too(head in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = [head.len() as u32, 0].map(u32::to_le_bytes).concat();
            bytes.extend(&head);
            let _ = decode_reply(&bytes);
            let _ = decode_request(&bytes);
        }
    }
}
