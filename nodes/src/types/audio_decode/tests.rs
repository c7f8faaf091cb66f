use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use hound::{SampleFormat, WavSpec, WavWriter};
use tempfile::TempDir;

use super::*;
use crate::{
    artifact::Audio,
    testing::{TestHost, file, no_models, run_value, shared},
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
        let gain = if channels == 1 { 1.0 } else { 0.75 };
        assert_eq!((audio.rate, audio.samples.len()), (16_000, 16_000));
        let off = worst(&audio, gain);
        assert!(off < tolerance, "{rate} Hz, {channels} channels, {bits} bits: off by {off}");
    }
}

/// Converts with the ffmpeg program; `None` where it is not installed.
fn converted(from: &Path, to: &str, options: &[&str]) -> Option<PathBuf> {
    let to = from.with_file_name(to);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(from).args(options).arg(&to);
    match command.status() {
        Ok(status) => {
            assert!(status.success(), "{command:?}");
            Some(to)
        }
        Err(error) => {
            eprintln!("skipped: the ffmpeg program is not installed ({error})");
            None
        }
    }
}

#[test]
fn what_ffmpeg_reads_keeps_its_place_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let source = wav(&folder, 44_100, 2, 16, SampleFormat::Int);
    for (name, options, tolerance) in [
        ("a.mp3", &[][..], 0.02),
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
        let off = worst(&inner, 0.75);
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
    assert_eq!(message(&put("empty.wav", b"")), "/empty.wav: expected sound, found an empty file");
    assert_eq!(message(&put("a.wav", b"hello there\n")), "/a.wav: expected sound, found text: `hello there`");
    let playlist = put("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n");
    assert_eq!(message(&playlist), "/list.m3u8: expected sound, found text: `#EXTM3U`");
    let source = wav(&folder, 16_000, 1, 16, SampleFormat::Int);
    let bytes = fs::read(&source).unwrap();
    assert_eq!(
        message(&put("head.wav", &bytes[..20])),
        "/head.wav: expected sound, found WAV sound that is damaged or cut short"
    );
    assert_eq!(message(&put("none.wav", &bytes[..44])), "/none.wav: the sound has no samples");
    let picture = folder.path().join("a.png");
    image::RgbImage::new(32, 32).save(&picture).unwrap();
    assert_eq!(message(&picture), "/a.png: expected sound, found a PNG picture");
    assert_eq!(message(&folder.path().join("x/missing.wav")), "/missing.wav: cannot be read");
    assert!(decode(folder.path()).unwrap_err().to_string().ends_with("expected sound, found a folder"));
    if let Some(video) = converted(&picture, "silent.mp4", &["-pix_fmt", "yuv420p"]) {
        let expected = "/silent.mp4: expected sound, found an MP4 or QuickTime video without a sound track";
        assert_eq!(message(&video), expected);
        let bytes = fs::read(&video).unwrap();
        let expected =
            "/cut.mp4: expected sound, found an MP4 or QuickTime video that is damaged or cut short";
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
    assert_eq!(message(&path), "/zero.wav: the sound has no samples");
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
fn numbers_that_are_not_finite_become_silence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.wav");
    let spec =
        WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let mut writer = WavWriter::create(&path, spec).unwrap();
    [0.5f32, f32::NAN, f32::INFINITY, -0.5]
        .into_iter()
        .for_each(|sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    let host = TestHost::new();
    assert_eq!(decode_with(&path, &host).unwrap().samples, [0.5, 0.0, 0.0, -0.5]);
    assert_eq!(host.warnings.lock().unwrap().len(), 1);
}
