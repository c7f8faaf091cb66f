//! What the boundary costs: the same decoding and encoding in this process and through the program, one after the other.
//!
//! `cargo bench -p talkgraph-media-program --bench boundary` prints seconds and ratios. With `--test` it does little of each.

use std::{fs::File, path::Path, time::Instant};

use talkgraph_media::{Container, FrameRate, Pictures as Remote, Session, Settings, Writer as RemoteWriter};
use talkgraph_media_program::{Sink, Source, encode::Writer, video::Pictures};

const SIZE: (u32, u32) = (1280, 720);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    talkgraph_media::keep_memory_of_frames(); // as talkgraph itself does
    let frames = if std::env::args().any(|argument| argument == "--test") { 10 } else { 250 };
    let folder = tempfile::tempdir()?;
    let (ours, theirs) = (folder.path().join("ours.mp4"), folder.path().join("theirs.mp4"));
    let start = timed(|| Session::start().map(drop).map_err(Into::into))?;
    println!("starting a process: {:.1} ms", start * 1e3);
    let here = timed(|| encode_here(&ours, frames))?;
    let there = timed(|| encode_there(&theirs, frames))?;
    println!("encoding {frames} frames: {here:.2} s here, {there:.2} s there, speed x{:.2}", here / there);
    assert!(std::fs::read(&ours)? == std::fs::read(&theirs)?, "the same bytes");
    let here = timed(|| decode_here(&ours))?;
    let there = timed(|| decode_there(&ours))?;
    println!("decoding {frames} frames: {here:.2} s here, {there:.2} s there, speed x{:.2}", here / there);
    for (name, gigabytes, seconds) in [across(frames)?, back(&ours, frames)?] {
        let rate = f64::from(frames) / seconds;
        println!(
            "{name}: {:.2} GB/s, {rate:.0} frames of {}x{} a second",
            gigabytes / seconds,
            SIZE.0,
            SIZE.1
        );
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}

fn settings((width, height): (u32, u32), preset: &str) -> Settings {
    let rate = FrameRate { num: 25, den: 1 };
    Settings { rate, width, height, crf: 18, preset: preset.to_owned(), tags: vec![] }
}

/// A frame with something that moves.
fn frame(k: u32) -> Vec<u8> {
    let (width, height) = SIZE;
    let pixel = |x: u32, y: u32| [(x + 7 * k) as u8, (y + k) as u8, ((x ^ y) + k) as u8];
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

fn encode_here(path: &Path, frames: u32) -> Outcome<()> {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
    let mut writer = Writer::create(Sink::new(file), Container::Mp4, &settings(SIZE, "medium"), None)?;
    for k in 0..frames {
        writer.frame(&frame(k))?;
    }
    writer.finish(0)?;
    Ok(())
}

fn encode_there(path: &Path, frames: u32) -> Outcome<()> {
    let session = Session::start()?;
    let mut writer = RemoteWriter::create(&session, path, Container::Mp4, &settings(SIZE, "medium"), None)?;
    for k in 0..frames {
        writer.frame(&frame(k))?;
    }
    writer.finish(0, &|| false)?;
    Ok(())
}

fn decode_here(path: &Path) -> Outcome<()> {
    let mut pictures = Pictures::open(Source::new(File::open(path)?), path.display().to_string(), 0)?;
    while pictures.next_picture()?.is_some() {}
    Ok(())
}

fn decode_there(path: &Path) -> Outcome<()> {
    let mut pictures = Remote::open(path, 0)?;
    while pictures.next_picture()?.is_some() {}
    Ok(())
}

/// Bulk to the program alone: samples for a video without a track are received and let go.
fn across(frames: u32) -> Outcome<(&'static str, f64, f64)> {
    let folder = tempfile::tempdir()?;
    let session = Session::start()?;
    let path = folder.path().join("a.mp4");
    let mut writer =
        RemoteWriter::create(&session, &path, Container::Mp4, &settings((16, 16), "ultrafast"), None)?;
    let samples = vec![0.5f32; (SIZE.0 * SIZE.1 * 3 / 4) as usize];
    writer.frame(&[0; 16 * 16 * 3])?;
    let seconds = timed(|| {
        for _ in 0..frames {
            writer.samples(&samples)?;
        }
        writer.finish(0, &|| false)?;
        Ok(())
    })?;
    Ok(("to the program", f64::from(frames) * samples.len() as f64 * 4e-9, seconds))
}

/// Frames from the program: decoded, converted and received.
fn back(path: &Path, frames: u32) -> Outcome<(&'static str, f64, f64)> {
    let seconds = timed(|| decode_there(path))?;
    Ok((
        "from the program, with decoding",
        f64::from(frames) * f64::from(SIZE.0 * SIZE.1 * 3) * 1e-9,
        seconds,
    ))
}
