mod track;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ffmpeg_next::{Packet, Rational, codec, color, format, frame, media};

use super::*;
use crate::{
    artifact::{Audio, Value},
    body::{Context, Inputs},
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{self, TestHost, inputs, no_models},
};

/// `n` pictures with a bar that moves from `first` on.
fn pictures(first: usize, n: usize, width: usize, height: usize) -> Value {
    let pixel = |t: usize, x: usize| if (x + 64 - t % 64) % 64 < 8 { [230, 40, 40] } else { [40, 120, 200] };
    let pixels =
        (first..first + n).flat_map(|t| (0..width * height).flat_map(move |i| pixel(t, i % width))).collect();
    Value::Tensors(Tensors::new().with("frames", Tensor::u8([n, height, width, 3], pixels).unwrap()))
}

fn tone(samples: usize) -> Value {
    let step = std::f32::consts::TAU * 440.0 / 16_000.0;
    Value::Audio(Audio {
        rate: 16_000,
        samples: (0..samples).map(|i| 0.3 * (step * i as f32).sin()).collect(),
    })
}

/// Chunks of 25 frames of 64x48, with `samples` of sound where given.
fn chunks(frames: usize, samples: Option<usize>) -> Vec<Inputs> {
    (0..frames.div_ceil(25))
        .map(|k| {
            let mut ports = vec![("frames", pictures(k * 25, (frames - k * 25).min(25), 64, 48))];
            ports.extend(samples.map(|samples| ("audio", tone(samples))));
            inputs(k, ports)
        })
        .collect()
}

fn mux(chunks: &[Inputs], set: &[(&str, ParamValue)], host: &TestHost) -> Result<PathBuf> {
    let models = no_models();
    let ctx = Context { host, models: &models };
    let Body::Reduce(mut body) = testing::body(&node(), set, &[])? else { panic!("not a reduce body") };
    for chunk in chunks {
        body.push(chunk, &ctx)?;
    }
    Ok(body.finish(&ctx)?["video"].file()?.path.clone())
}

/// Number of decoded pictures and of decoded sound samples, and both tracks' durations in seconds.
fn probe(path: &PathBuf) -> (usize, usize, f64, f64) {
    ffmpeg_next::init().unwrap();
    let mut input = format::input(path).unwrap();
    let seconds =
        |stream: &format::stream::Stream<'_>| stream.duration() as f64 * f64::from(stream.time_base());
    let video = input.streams().best(media::Type::Video).unwrap();
    let (video_index, video_seconds) = (video.index(), seconds(&video));
    // Matroska declares no priming of AAC: frames wait for it.
    let waits = if path.extension().is_some_and(|name| name == "mkv") { 21 } else { 0 };
    assert_eq!((video.start_time(), video.avg_frame_rate()), (waits, Rational::new(25, 1)));
    let mut decoder = codec::Context::from_parameters(video.parameters()).unwrap().decoder().video().unwrap();
    assert_eq!(decoder.color_space(), color::Space::BT709);
    assert_eq!(decoder.color_range(), color::Range::MPEG);
    let sound_seconds = input.streams().best(media::Type::Audio).map(|stream| {
        // Fragments begin with the priming, before the time that is played first; Opus in WebM too.
        let priming = match path.extension().and_then(|name| name.to_str()) {
            Some("webm") => -7,
            Some("fmp4") => -1024,
            _ => 0,
        };
        let start = stream.start_time();
        assert!((priming..=0).contains(&start), "{}: the audio starts at {start}", path.display());
        seconds(&stream)
    });
    let mut pictures = 0;
    let mut picture = frame::Video::empty();
    let mut packet = Packet::empty();
    while packet.read(&mut input).is_ok() {
        if packet.stream() == video_index {
            decoder.send_packet(&packet).unwrap();
            while decoder.receive_frame(&mut picture).is_ok() {
                pictures += 1;
            }
        }
    }
    decoder.send_eof().unwrap();
    while decoder.receive_frame(&mut picture).is_ok() {
        pictures += 1;
    }
    let mut samples = 0;
    if sound_seconds.is_some() {
        let mut reader = testing::listen(path);
        while let Some(block) = reader.next_block().unwrap() {
            assert_eq!(block.rate, 48_000);
            samples += block.samples.len() / usize::from(block.channels);
        }
    }
    (pictures, samples, video_seconds, sound_seconds.unwrap_or_default())
}

fn container(name: &str) -> [(&'static str, ParamValue); 1] {
    [("container", ParamValue::Text(name.into()))]
}

fn codecs(path: &PathBuf) -> Vec<codec::Id> {
    ffmpeg_next::init().unwrap();
    format::input(path).unwrap().streams().map(|stream| stream.parameters().id()).collect()
}

#[test]
fn every_container_has_its_codecs_its_length_and_says_what_it_is() {
    use codec::Id;
    for (name, expected) in [
        ("mp4", [Id::H264, Id::AAC]),
        ("mov", [Id::H264, Id::AAC]),
        ("mkv", [Id::H264, Id::AAC]),
        ("webm", [Id::VP9, Id::OPUS]),
        ("fmp4", [Id::H264, Id::AAC]),
    ] {
        for frames in [7, 60] {
            let host = TestHost::new();
            let path = mux(&chunks(frames, Some(40_000)), &container(name), &host).unwrap();
            assert_eq!(codecs(&path), expected, "{name}");
            let (pictures, samples, _, seconds) = probe(&path);
            assert_eq!(pictures, frames, "{name}");
            // MP4 tells the length of a track, Matroska what of its last packet is to be thrown away.
            match name {
                "webm" => assert_eq!(samples, frames * 1920, "{name}"),
                "mkv" => assert_eq!(samples, frames * 1920 + 1024, "{name}"),
                _ => {
                    // What the priming of fragments takes is counted in.
                    let priming = if name == "fmp4" { 1024.0 / 48_000.0 } else { 0.0 };
                    let off = seconds - priming - frames as f64 / 25.0;
                    assert!(off.abs() < 1e-4, "{name}: {seconds} s of audio");
                }
            }
            let input = format::input(&path).unwrap();
            let tags = input.metadata();
            let comment = tags.get("comment").or(tags.get("COMMENT")).unwrap_or_default();
            assert_eq!(tags.get("title"), Some("Synthetic talking head"), "{name}");
            assert!(comment.contains("trainedAlgorithmicMedia"), "{name}: {comment}");
        }
        let (one, two) = (TestHost::new(), TestHost::new());
        let [one, two] = [&one, &two]
            .map(|host| fs::read(mux(&chunks(60, Some(40_000)), &container(name), host).unwrap()).unwrap());
        assert!(one == two, "{name}: other bytes for the same input");
    }
}

#[test]
fn a_fragmented_file_can_be_played_while_it_comes() {
    let host = TestHost::new();
    let path = mux(&chunks(60, Some(40_000)), &container("fmp4"), &host).unwrap();
    let names = boxes(&path);
    assert!(names.iter().filter(|name| *name == "moof").count() >= 3, "{names:?}");
    let place = |name: &str| names.iter().position(|found| found == name).unwrap();
    assert!(place("moov") < place("moof"), "{names:?}");
}

/// Sizes and times in milliseconds of an animation's frames.
fn animation(path: &PathBuf) -> Vec<((u32, u32), u32)> {
    let bytes = std::io::Cursor::new(fs::read(path).unwrap());
    let frames = match path.extension().unwrap().to_str() {
        Some("gif") => {
            let mut decoder = ::gif::DecodeOptions::new().read_info(bytes).unwrap();
            let mut frames = vec![];
            while let Some(frame) = decoder.read_next_frame().unwrap() {
                frames.push(((u32::from(frame.width), u32::from(frame.height)), u32::from(frame.delay) * 10));
            }
            return frames;
        }
        _ => image::codecs::webp::WebPDecoder::new(bytes).unwrap(),
    };
    let frames = image::AnimationDecoder::into_frames(frames).collect_frames().unwrap();
    frames.iter().map(|frame| (frame.buffer().dimensions(), frame.delay().numer_denom_ms().0)).collect()
}

#[test]
fn previews_are_silent_loops_of_every_frame_and_say_what_they_are() {
    for name in ["gif", "webp"] {
        let host = TestHost::new();
        let path = mux(&chunks(30, Some(20_000)), &container(name), &host).unwrap();
        let frames = animation(&path);
        let time: u32 = frames.iter().map(|(_, time)| time).sum();
        assert_eq!((time, frames[0].0), (1200, (64, 48)), "{name}");
        let bytes = fs::read(&path).unwrap();
        let says = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(says("Synthetic talking head") && says("trainedAlgorithmicMedia"), "{name}");
        let other = TestHost::new();
        let again = mux(&chunks(30, Some(20_000)), &container(name), &other).unwrap();
        assert!(fs::read(again).unwrap() == bytes, "{name}: other bytes for the same input");
    }
}

#[test]
fn large_previews_are_made_smaller_and_long_ones_warned_of() {
    let host = TestHost::new();
    let large = inputs(0, vec![("frames", pictures(0, 2, 1024, 256))]);
    for name in ["gif", "webp"] {
        let path = mux(std::slice::from_ref(&large), &container(name), &host).unwrap();
        assert_eq!(animation(&path)[0].0, (512, 128), "{name}");
    }
    assert!(host.warnings.lock().unwrap().is_empty());
    mux(&chunks(520, None), &container("gif"), &host).unwrap();
    assert!(host.warnings.lock().unwrap()[0].contains("a gif of 21 s"), "{:?}", host.warnings);
}

/// The audio of a file, channels interleaved.
fn heard(path: &Path) -> Vec<f32> {
    let mut reader = testing::listen(path);
    std::iter::from_fn(|| reader.next_block().unwrap()).flat_map(|block| block.samples).collect()
}

/// The four-letter names of the file's top-level boxes.
fn boxes(path: &PathBuf) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let mut names = vec![];
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + 8) {
        names.push(String::from_utf8_lossy(&header[4..]).into_owned());
        at += u32::from_be_bytes(header[..4].try_into().unwrap()) as usize;
    }
    names
}

#[test]
fn two_hundred_frames_last_eight_seconds_of_picture_and_sound() {
    for samples in [128_174, 128_000, 100_000] {
        let host = TestHost::new();
        let path = mux(&chunks(200, Some(samples)), &[], &host).unwrap();
        let (frames, sound, video_seconds, sound_seconds) = probe(&path);
        assert_eq!((frames, video_seconds, sound_seconds), (200, 8.0, 8.0), "{samples} samples");
        assert_eq!(sound, 384_000, "{samples} samples");
        assert_eq!(host.warnings.lock().unwrap().len(), usize::from(samples == 100_000));
        assert_eq!(host.noted("frames").unwrap(), 200);
    }
}

#[test]
fn any_number_of_frames_has_sound_of_the_same_length() {
    for frames in [1, 7, 25, 33] {
        let host = TestHost::new();
        let path = mux(&chunks(frames, Some(40_000)), &[], &host).unwrap();
        let (pictures, _, video_seconds, sound_seconds) = probe(&path);
        let seconds = frames as f64 / 25.0;
        assert_eq!(pictures, frames);
        assert!((video_seconds - seconds).abs() < 1e-9, "{frames} frames: {video_seconds} s of video");
        assert!((sound_seconds - seconds).abs() < 1e-9, "{frames} frames: {sound_seconds} s of sound");
    }
}

#[test]
fn the_audio_starts_with_the_frames() {
    let mut chunk = chunks(25, None);
    // A click at 0.5 s.
    let mut samples = vec![0.0; 16_000];
    samples[8_000..8_040].fill(0.9);
    let audio = Value::Audio(Audio { rate: 16_000, samples });
    chunk[0] = inputs(0, vec![("frames", pictures(0, 25, 64, 48)), ("audio", audio)]);
    for name in ["mp4", "mov", "mkv", "webm", "fmp4"] {
        let host = TestHost::new();
        let path = mux(&chunk, &container(name), &host).unwrap();
        let sound = heard(&path);
        let peak = (0..sound.len()).max_by(|&a, &b| sound[a].abs().total_cmp(&sound[b].abs())).unwrap();
        let peak = peak - if name == "mkv" { 1024 } else { 0 };
        assert!((24_000..24_120).contains(&peak), "{name}: click at sample {peak}, expected 24000 to 24120");
    }
}

#[test]
fn the_index_is_in_front_and_the_file_says_what_it_is() {
    let host = TestHost::new();
    let path = mux(&chunks(30, Some(20_000)), &[], &host).unwrap();
    let names = boxes(&path);
    let place = |name: &str| names.iter().position(|found| found == name).unwrap();
    assert!(place("moov") < place("mdat"), "{names:?}");
    let input = format::input(&path).unwrap();
    assert_eq!(input.metadata().get("title"), Some("Synthetic talking head"));
    assert!(input.metadata().get("comment").unwrap().contains("trainedAlgorithmicMedia"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (TestHost::new(), TestHost::new());
    let [one, two] =
        [&one, &two].map(|host| fs::read(mux(&chunks(60, Some(40_000)), &[], host).unwrap()).unwrap());
    assert!(one == two);
}

#[test]
fn without_sound_there_is_no_sound_track() {
    let host = TestHost::new();
    let path = mux(&chunks(10, None), &[], &host).unwrap();
    assert_eq!(probe(&path), (10, 0, 0.4, 0.0));
}

#[test]
fn pictures_of_odd_size_are_padded() {
    let host = TestHost::new();
    let path = mux(&[inputs(0, vec![("frames", pictures(0, 3, 33, 17))])], &[], &host).unwrap();
    let input = format::input(&path).unwrap();
    let stream = input.streams().best(media::Type::Video).unwrap();
    let decoder = codec::Context::from_parameters(stream.parameters()).unwrap().decoder().video().unwrap();
    assert_eq!((decoder.width(), decoder.height()), (34, 18));
}

#[test]
fn bad_frames_are_clear_errors() {
    let host = TestHost::new();
    let error = mux(&[], &[], &host).unwrap_err();
    assert_eq!(error.to_string(), "port `frames`: no frames, expected at least one");
    let sizes =
        [pictures(0, 2, 64, 48), pictures(2, 1, 32, 48)].map(|frames| inputs(0, vec![("frames", frames)]));
    let error = mux(&sizes, &[], &host).unwrap_err();
    assert_eq!(error.to_string(), "port `frames`: frame 2 has 32x48 pixels, expected 64x48 as the first one");
    let floats = Tensor::f32([1, 2, 2, 3], vec![0.0; 12]).unwrap();
    let floats = inputs(0, vec![("frames", Value::Tensors(Tensors::new().with("frames", floats)))]);
    let error = mux(&[floats], &[], &host).unwrap_err();
    assert_eq!(error.to_string(), "port `frames`: expected a tensor of u8, found f32");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_clear_error() {
    let host = TestHost::new();
    std::os::unix::fs::symlink("/dev/full", crate::body::Host::scratch(&host).join("video.mp4")).unwrap();
    let error = mux(&chunks(200, Some(128_000)), &[], &host).unwrap_err();
    assert!(error.to_string().ends_with("the disk is full"), "{error}");
    assert_eq!(error.hint_text(), Some("free some space and run again"));
}
