//! Media of people, decoded and encoded in a process of its own: the program `talkgraph-media`, which alone is linked with
//! FFmpeg and libheif and which can neither open files nor reach the network.
//!
//! [`Session`] starts one such process and hands it files as descriptors. What it can do: [`Pictures`] of a video, blocks of audio
//! ([`AudioReader`]), one picture ([`Session::picture`]), other sampling rates ([`Resampler`]), and files to be written
//! ([`Writer`], [`Lossless`], [`Webp`]). A process that crashes, hangs or talks nonsense is one error that names the file.
//!
//! See README.md beside this crate.

mod client;
mod error;
mod kinds;
mod memory;
pub mod protocol;
pub mod sniff;

pub use self::{
    client::{
        Session,
        audio::AudioReader,
        facts::{Facts, Sandbox, escapes, facts},
        memo::libraries,
        picture::Picture,
        process::{MEMORY, PATIENCE, PROGRAM, program},
        resample::Resampler,
        video::{Pictures, Shown},
        writer::{Finished, Lossless, Webp, Writer},
    },
    error::{Error, Kind, Result},
    kinds::{
        AudioCodec, AudioSettings, AudioSource, Block, Container, FrameRate, Layout, Settings, Under,
        WebpSettings,
    },
    memory::keep_memory_of_frames,
};
