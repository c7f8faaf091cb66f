mod people;

use std::{
    fs,
    path::{Path, PathBuf},
};

use hound::{SampleFormat, WavSpec, WavWriter};
use talkgraph_media::{Block, Layout, Session};
use tempfile::TempDir;

use super::*;
use crate::{
    artifact::Audio,
    testing::{self, TestHost, converted, file, no_models, payloads, run_value, shared, track_of},
};

fn decode_with(path: &Path, host: &TestHost) -> Result<Audio> {
    let out = run_value(&node(), &[], &file(path), host, &no_models())?;
    out.values["audio"].audio().cloned()
}

fn decode(path: &Path) -> Result<Audio> {
    decode_with(path, &TestHost::new())
}

fn sine(rate: u32, i: usize) -> f64 {
    0.5 * (std::f64::consts::TAU * 300.0 * i as f64 / f64::from(rate)).sin()
}

/// One second of a sine in every channel, scaled by 1 and 0.5 in turn.
fn wav(folder: &TempDir, rate: u32, channels: u16, bits: u16, format: SampleFormat) -> PathBuf {
    let path = folder.path().join(format!("{rate}-{channels}-{bits}.wav"));
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: format };
    let mut writer = WavWriter::create(&path, spec).unwrap();
    for i in 0..rate as usize {
        for channel in 0..channels {
            let value = sine(rate, i) * if channel % 2 == 0 { 1.0 } else { 0.5 };
            match format {
                SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                SampleFormat::Int => {
                    writer.write_sample((value * ((1u64 << (bits - 1)) - 1) as f64).round() as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    path
}

fn worst(audio: &Audio, gain: f64) -> f64 {
    // Lossy encoders ring at the onset.
    let inner = 3000..audio.samples.len() - 200;
    inner.map(|i| (f64::from(audio.samples[i]) - gain * sine(16_000, i)).abs()).fold(0.0, f64::max)
}

#[test]
fn every_wav_sample_format_rate_and_channel_count() {
    let folder = tempfile::tempdir().unwrap();
    let int = SampleFormat::Int;
    for (rate, channels, bits, format, tolerance) in [
        (16_000, 1, 8, int, 0.01),
        (16_000, 1, 16, int, 1e-4),
        (16_000, 1, 24, int, 1e-6),
        (16_000, 1, 32, int, 1e-6),
        (16_000, 1, 32, SampleFormat::Float, 1e-6),
        (44_100, 2, 16, int, 2e-3),
        (48_000, 6, 24, int, 2e-3),
        (8_000, 1, 16, int, 2e-3),
        (22_050, 2, 32, SampleFormat::Float, 2e-3),
    ] {
        let audio = decode(&wav(&folder, rate, channels, bits, format)).unwrap();
        // Four fifths of the loud channels' sum, or the centre of what says that it is 5.1.
        let gain = if channels == 2 { 0.9 } else { 1.0 };
        assert_eq!((audio.rate, audio.samples.len()), (16_000, 16_000));
        let off = worst(&audio, gain);
        assert!(off < tolerance, "{rate} Hz, {channels} channels, {bits} bits: off by {off}");
    }
}

#[test]
fn what_ffmpeg_reads_keeps_its_place_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let source = wav(&folder, 44_100, 2, 16, SampleFormat::Int);
    for (name, options, tolerance) in [
        ("a.mp3", &[][..], 0.03),
        ("a.flac", &[], 2e-3),
        ("a.ogg", &["-c:a", "libvorbis"], 0.05),
        ("a.opus", &[], 0.05),
        ("a.m4a", &[], 0.05),
        ("a.aiff", &[], 2e-3),
        ("a.mkv", &["-c:a", "pcm_f64le"], 2e-3),
        ("law.wav", &["-c:a", "pcm_mulaw"], 0.02),
    ] {
        let Some(path) = converted(&source, name, options) else { return };
        let audio = decode(&path).unwrap();
        let inner =
            Audio { rate: 16_000, samples: audio.samples[..audio.samples.len().min(15_000)].to_vec() };
        let off = worst(&inner, 0.9);
        assert!(off < tolerance, "{name}: off by {off}");
        assert!(audio.samples.len().abs_diff(16_000) < 600, "{name}: {} samples", audio.samples.len());
    }
}

#[test]
fn a_stereo_mp3_at_44100_hz_is_the_same_speech() {
    let Some(speech) = shared("data/speech_a.wav") else { return };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("speech.wav");
    fs::copy(&speech, &copy).unwrap();
    let Some(mp3) = converted(&copy, "speech.mp3", &["-ar", "44100", "-ac", "2", "-b:a", "192k"]) else {
        return;
    };
    let (one, two) = (decode(&copy).unwrap().samples, decode(&mp3).unwrap().samples);
    assert_eq!(one.len() / 640, 200, "frames of 25 a second");
    assert!(two.len() >= 200 * 640, "{} samples, expected at least 200 frames", two.len());
    let (mut dot, mut a, mut b) = (0.0, 0.0, 0.0);
    for (x, y) in one.iter().zip(&two) {
        dot += f64::from(x * y);
        a += f64::from(x * x);
        b += f64::from(y * y);
    }
    let correlation = dot / (a * b).sqrt();
    assert!(correlation > 0.99, "correlation {correlation}");
}

fn message(path: &Path) -> String {
    let error = decode(path).unwrap_err();
    error.to_string().replace(&path.parent().unwrap().display().to_string(), "")
}

#[test]
fn files_without_sound_are_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    assert_eq!(message(&put("empty.wav", b"")), "/empty.wav: expected audio, found an empty file");
    assert_eq!(message(&put("a.wav", b"hello there\n")), "/a.wav: expected audio, found text: `hello there`");
    let playlist = put("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n");
    assert_eq!(message(&playlist), "/list.m3u8: expected audio, found text: `#EXTM3U`");
    let source = wav(&folder, 16_000, 1, 16, SampleFormat::Int);
    let bytes = fs::read(&source).unwrap();
    assert_eq!(
        message(&put("head.wav", &bytes[..20])),
        "/head.wav: expected audio, found WAV audio that is damaged or cut short"
    );
    assert_eq!(message(&put("none.wav", &bytes[..44])), "/none.wav: the audio has no samples");
    let picture = folder.path().join("a.png");
    image::RgbImage::new(32, 32).save(&picture).unwrap();
    assert_eq!(message(&picture), "/a.png: expected audio, found a PNG image");
    assert_eq!(message(&folder.path().join("x/missing.wav")), "/missing.wav: cannot be read");
    assert!(decode(folder.path()).unwrap_err().to_string().ends_with("expected audio, found a folder"));
    if let Some(video) = converted(&picture, "silent.mp4", &["-pix_fmt", "yuv420p"]) {
        let expected = "/silent.mp4: expected audio, found an MP4 or QuickTime video without an audio track";
        assert_eq!(message(&video), expected);
        let bytes = fs::read(&video).unwrap();
        let expected =
            "/cut.mp4: expected audio, found an MP4 or QuickTime video that is damaged or cut short";
        assert_eq!(message(&put("cut.mp4", &bytes[..bytes.len() / 2])), expected);
    }
}

#[test]
fn a_header_that_announces_no_samples_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zero.wav");
    let spec =
        WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    WavWriter::create(&path, spec).unwrap().finalize().unwrap();
    assert_eq!(message(&path), "/zero.wav: the audio has no samples");
}

#[test]
fn a_truncated_wav_is_used_as_far_as_it_goes_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = wav(&folder, 16_000, 2, 16, SampleFormat::Int);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..44 + 4 * 8_000 + 3]).unwrap();
    let host = TestHost::new();
    assert_eq!(decode_with(&path, &host).unwrap().samples.len(), 8_000);
    let note = host.noted("truncated").unwrap();
    assert_eq!((note["seconds"].as_f64(), note["announced_seconds"].as_f64()), (Some(0.5), Some(1.0)));
    assert!(
        host.warnings.lock().unwrap()[0]
            .ends_with("ends after 0.50 s of the announced 1.00 s; that much is used")
    );
}

#[test]
fn a_wav_from_a_pipe_has_no_true_length_and_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = wav(&folder, 16_000, 1, 16, SampleFormat::Int);
    let mut bytes = fs::read(&path).unwrap();
    bytes[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let host = TestHost::new();
    assert_eq!(decode_with(&path, &host).unwrap().samples.len(), 16_000);
    assert!(host.warnings.lock().unwrap().is_empty());
}

#[test]
fn a_wav_with_numbers_that_are_not_finite_is_refused_by_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.wav");
    for (bad, found) in
        [(f32::NAN, "not a number"), (f32::INFINITY, "infinite"), (f32::NEG_INFINITY, "infinite")]
    {
        for (channels, place) in [(1, "sample 20001"), (2, "sample 10000 of channel 2")] {
            let spec = WavSpec {
                channels,
                sample_rate: 16_000,
                bits_per_sample: 32,
                sample_format: SampleFormat::Float,
            };
            let mut writer = WavWriter::create(&path, spec).unwrap();
            (0..40_000).for_each(|i| writer.write_sample(if i == 20_001 { bad } else { 0.5 }).unwrap());
            writer.finalize().unwrap();
            let error = decode(&path).unwrap_err();
            let seconds = if channels == 1 { "1.250" } else { "0.625" };
            assert_eq!(
                error.to_string().replace(&folder.path().display().to_string(), ""),
                format!("/nan.wav: {place}, at {seconds} s, is {found}, expected numbers in [-1,1]")
            );
            assert!(error.hint_text().is_some());
        }
    }
}

fn survey(path: &Path) -> Layout {
    Session::start().unwrap().survey(path, 0, &|| false).unwrap().unwrap()
}

/// All samples of a file and how they come.
fn read(path: &Path) -> Block {
    let mut reader = testing::listen(path);
    let mut all = Block { rate: reader.rate(), channels: reader.channels(), ..Block::default() };
    while let Some(block) = reader.next_block().unwrap() {
        all.samples.extend(block.samples);
    }
    all
}

#[test]
fn the_track_of_a_wav_is_the_wav() {
    let folder = tempfile::tempdir().unwrap();
    let int = SampleFormat::Int;
    for (rate, channels, bits, format) in [
        (48_000, 2, 16, int),
        (44_100, 1, 24, int),
        (16_000, 1, 8, int),
        (22_050, 6, 16, int),
        (48_000, 2, 32, SampleFormat::Float),
    ] {
        let source = wav(&folder, rate, channels, bits, format);
        let host = TestHost::new();
        let kept = read(&track_of(&source, &host));
        let given = read(&source);
        assert_eq!((kept.rate, kept.channels), (rate, channels));
        let worst = kept.samples.iter().zip(&given.samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert_eq!(kept.samples.len(), given.samples.len());
        assert!(worst <= if bits == 32 { 1e-7 } else { 0.0 }, "{bits} bits: off by {worst}");
        let again = TestHost::new();
        assert!(fs::read(track_of(&source, &again)).unwrap() == fs::read(track_of(&source, &host)).unwrap());
    }
    let source = wav(&folder, 96_000, 2, 24, int);
    let kept = read(&track_of(&source, &TestHost::new()));
    assert_eq!((kept.rate, kept.channels, kept.samples.len()), (48_000, 2, 96_000));
}

#[test]
fn packets_of_aac_and_opus_are_taken_over_and_start_where_the_analysis_starts() {
    let folder = tempfile::tempdir().unwrap();
    let source = wav(&folder, 48_000, 2, 16, SampleFormat::Int);
    for (name, options) in [
        ("a.m4a", &["-c:a", "aac"][..]),
        ("a.mp4", &["-f", "lavfi", "-i", "color=duration=1", "-c:a", "aac"]),
        ("a.mkv", &["-c:a", "aac"]),
        ("a.opus", &["-c:a", "libopus"]),
        ("a.webm", &["-c:a", "libopus"]),
        ("late.mp4", &["-af", "adelay=0", "-c:a", "aac", "-output_ts_offset", "0.5"]),
    ] {
        let Some(path) = converted(&source, name, options) else { return };
        let host = TestHost::new();
        let copy = track_of(&path, &host);
        assert!(payloads(&copy) == payloads(&path), "{name}: other packets");
        let (layout, out) = (survey(&copy), decode(&path).unwrap());
        let expected = (layout.samples as f64 / f64::from(layout.rate) * 16_000.0).round() as usize;
        assert!(out.samples.len().abs_diff(expected) < 400, "{name}: {} and {expected}", out.samples.len());
        let (kept, analysed) = (read(&copy).mono(), out.samples);
        let worst = (2_000..14_000).map(|i| (1.2 * kept[i * 3] - analysed[i]).abs()).fold(0.0, f32::max);
        assert!(worst < 0.02, "{name}: the track and the analysis are off by {worst}");
    }
}

#[test]
fn other_codecs_are_kept_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let source = wav(&folder, 44_100, 2, 16, SampleFormat::Int);
    for (name, options) in [
        ("a.mp3", &["-b:a", "192k"][..]),
        ("a.flac", &[]),
        ("a.ogg", &["-c:a", "libvorbis"]),
        ("a.aac", &["-c:a", "aac"]),
    ] {
        let Some(path) = converted(&source, name, options) else { return };
        let host = TestHost::new();
        let (kept, given) = (read(&track_of(&path, &host)), read(&path));
        assert_eq!(
            (kept.rate, kept.channels, kept.samples.len()),
            (44_100, 2, given.samples.len()),
            "{name}"
        );
        let worst = kept.samples.iter().zip(&given.samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{name}: off by {worst}");
    }
}
