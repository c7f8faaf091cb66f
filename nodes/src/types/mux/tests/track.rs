//! Audio as given: what goes into the video of the user's own track.

use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};
use talkgraph_media::Session;
use tempfile::TempDir;

use super::*;
use crate::{
    artifact::FileRef,
    testing::{converted, payloads, track_of},
};

/// Noise in two channels, with half a second of silence and then a click in the left one.
fn source(folder: &TempDir, rate: u32, seconds: f64) -> PathBuf {
    let path = folder.path().join("source.wav");
    let spec =
        WavSpec { channels: 2, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::create(&path, spec).unwrap();
    let mut state = 1u32;
    for i in 0..(f64::from(rate) * seconds) as u32 {
        let click = i.abs_diff(rate / 2) < rate / 2000;
        for channel in 0..2 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = if i > rate * 6 / 10 { (state >> 18) as i16 - 8_192 } else { 0 };
            writer.write_sample(if click && channel == 0 { 30_000 } else { noise / (channel + 1) }).unwrap();
        }
    }
    writer.finalize().unwrap();
    path
}

/// A video of `frames` frames with the track of `path`, and the note on its audio.
fn video(path: &Path, frames: usize, name: &str, host: &TestHost) -> (PathBuf, serde_json::Value) {
    let track = track_of(path, host);
    let chunks: Vec<_> = (0..frames.div_ceil(25))
        .map(|k| {
            let file = Value::File(FileRef { path: track.clone(), digest: None });
            inputs(k, vec![("frames", pictures(k * 25, (frames - k * 25).min(25), 64, 48)), ("track", file)])
        })
        .collect();
    let path = mux(&chunks, &container(name), host).unwrap();
    (path, host.noted("audio").unwrap())
}

/// Codec, rate and channels of the audio track, and its bits a second by the size of its packets.
fn kind(path: &Path) -> (codec::Id, u32, u16, f64) {
    ffmpeg_next::init().unwrap();
    let file = format::input(path).unwrap();
    let id = file.streams().best(media::Type::Audio).unwrap().parameters().id();
    let decoder = testing::listen(path);
    let bytes: usize = payloads(path).iter().map(Vec::len).sum();
    let seconds = Session::start().unwrap().seconds(path).unwrap();
    (id, decoder.rate(), decoder.channels(), bytes as f64 * 8.0 / seconds)
}

/// Seconds from the first frame to the loudest sample before the noise.
fn click(path: &Path) -> f64 {
    let file = format::input(path).unwrap();
    let frames = file.streams().best(media::Type::Video).unwrap();
    let start = frames.start_time() as f64 * f64::from(frames.time_base());
    let (channels, rate) = {
        let reader = testing::listen(path);
        (reader.channels(), reader.rate())
    };
    let left: Vec<_> =
        heard(path).into_iter().step_by(channels.into()).take(rate as usize * 58 / 100).collect();
    let peak = (0..left.len()).max_by(|&a, &b| left[a].abs().total_cmp(&left[b].abs())).unwrap();
    peak as f64 / f64::from(rate) - start
}

#[test]
fn a_stereo_wav_is_encoded_once_at_its_own_rate_with_both_channels() {
    let folder = tempfile::tempdir().unwrap();
    for rate in [48_000, 44_100] {
        let wav = source(&folder, rate, 2.0);
        for name in ["mp4", "mov", "mkv"] {
            let host = TestHost::new();
            let (path, note) = video(&wav, 50, name, &host);
            let (id, found, channels, bits) = kind(&path);
            assert_eq!((id, found, channels), (codec::Id::AAC, rate, 2), "{name}");
            assert_eq!(note["done"], "encoded", "{name}");
            // Half of the source is noise: the encoder's mean is lower than its aim.
            assert!(bits > 160_000.0 * 0.6, "{name}: {bits} bits a second");
            assert!((click(&path) - 0.5).abs() < 0.001, "{name}: click at {}", click(&path));
        }
    }
}

#[test]
fn aac_is_taken_over_packet_by_packet_and_cut_to_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let wav = source(&folder, 44_100, 2.3);
    let Some(m4a) = converted(&wav, "a.m4a", &["-c:a", "aac", "-b:a", "128k"]) else { return };
    let given = payloads(&m4a);
    for name in ["mp4", "mov", "mkv", "fmp4"] {
        // 33 frames end within a packet.
        for frames in [33, 50] {
            let host = TestHost::new();
            let (path, note) = video(&m4a, frames, name, &host);
            assert_eq!((&note["done"], &note["rate"]), (&"copied".into(), &44_100.into()), "{name}");
            let taken = payloads(&path);
            let samples = frames * 44_100 / 25;
            assert_eq!(taken.len(), (samples + 1_024).div_ceil(1_024), "{name}");
            assert!(given.starts_with(&taken), "{name}: other packets");
            assert!((click(&path) - 0.5).abs() < 0.001, "{name}: click at {}", click(&path));
            match name {
                "mp4" | "mov" => {
                    let track = format::input(&path).unwrap();
                    let audio = track.streams().best(media::Type::Audio).unwrap();
                    let length = audio.duration() as f64 * f64::from(audio.time_base()) * 44_100.0;
                    assert_eq!((length.round() as usize, audio.start_time()), (samples, 0), "{name}");
                }
                "mkv" => {
                    assert_eq!(heard(&path).len() / 2, samples + 1_024, "{name}");
                }
                _ => {}
            }
        }
    }
    let host = TestHost::new();
    let (path, note) = video(&m4a, 50, "webm", &host);
    assert_eq!((kind(&path).0, &note["done"]), (codec::Id::OPUS, &"encoded".into()));
}

#[test]
fn opus_is_taken_over_by_webm_and_matroska() {
    let folder = tempfile::tempdir().unwrap();
    let wav = source(&folder, 48_000, 2.3);
    let Some(opus) = converted(&wav, "a.opus", &["-c:a", "libopus"]) else { return };
    for name in ["webm", "mkv"] {
        let host = TestHost::new();
        let (path, note) = video(&opus, 33, name, &host);
        assert_eq!(note["done"], "copied", "{name}");
        assert!(payloads(&opus).starts_with(&payloads(&path)), "{name}: other packets");
        assert_eq!(heard(&path).len() / 2, 33 * 1_920, "{name}");
        assert!((click(&path) - 0.5).abs() < 0.001, "{name}: click at {}", click(&path));
    }
    let host = TestHost::new();
    assert_eq!(kind(&video(&opus, 33, "mp4", &host).0).0, codec::Id::AAC);
}

#[test]
fn an_mp3_becomes_aac_of_its_rate() {
    let folder = tempfile::tempdir().unwrap();
    let wav = source(&folder, 44_100, 2.0);
    let Some(mp3) = converted(&wav, "a.mp3", &["-b:a", "192k"]) else { return };
    let host = TestHost::new();
    let (path, note) = video(&mp3, 50, "mp4", &host);
    let (id, rate, channels, _) = kind(&path);
    assert_eq!((id, rate, channels, &note["done"]), (codec::Id::AAC, 44_100, 2, &"encoded".into()));
    assert!((click(&path) - 0.5).abs() < 0.002, "click at {}", click(&path));
}

#[test]
fn a_track_that_ends_before_the_frames_is_filled_up_with_silence() {
    let folder = tempfile::tempdir().unwrap();
    let wav = source(&folder, 48_000, 1.1);
    let Some(m4a) = converted(&wav, "a.m4a", &["-c:a", "aac"]) else { return };
    let Some(opus) = converted(&wav, "a.opus", &["-c:a", "libopus"]) else { return };
    for (given, name, done) in [
        (&m4a, "mp4", "copied"),
        (&m4a, "mkv", "copied"),
        (&opus, "webm", "copied"),
        (&wav, "mp4", "encoded"),
        (&wav, "webm", "encoded"),
    ] {
        let host = TestHost::new();
        let (path, note) = video(given, 50, name, &host);
        assert_eq!(note["done"], done, "{name}");
        assert_eq!(note["silent_packets"].as_u64().is_some_and(|packets| packets > 30), done == "copied");
        let mut reader = testing::listen(&path);
        let mut all = vec![];
        while let Some(block) = reader.next_block().unwrap() {
            all.extend(block.samples);
        }
        assert_eq!(reader.damaged, 0, "{name}");
        assert!((all.len() / 2).abs_diff(96_000) <= 1_024, "{name}: {} samples", all.len() / 2);
        let loudest = all[2 * 60_000..].iter().fold(0.0f32, |loudest, sample| loudest.max(sample.abs()));
        assert!(loudest < 0.01, "{name}: {loudest} after the end");
        assert!(
            host.warnings.lock().unwrap().iter().any(|text| text.contains("filled up with silence")),
            "{name}"
        );
    }
}

#[test]
fn any_number_of_channels_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for channels in 1..=8 {
        let path = folder.path().join(format!("{channels}.wav"));
        let spec =
            WavSpec { channels, sample_rate: 32_000, bits_per_sample: 24, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        (0..32_000 * i32::from(channels)).for_each(|i| writer.write_sample(i % 4_001 * 500).unwrap());
        writer.finalize().unwrap();
        for (name, codec, rate) in [("mp4", codec::Id::AAC, 32_000), ("webm", codec::Id::OPUS, 48_000)] {
            let host = TestHost::new();
            let (path, note) = video(&path, 25, name, &host);
            let (id, found, count, _) = kind(&path);
            assert_eq!((id, found, count), (codec, rate, channels), "{name}");
            assert_eq!((&note["rate"], &note["channels"]), (&rate.into(), &channels.into()), "{name}");
        }
    }
}

#[test]
fn audio_and_track_together_are_refused() {
    let error = testing::body(&node(), &[], &["frames", "audio", "track"]).err().unwrap();
    assert_eq!(error.to_string(), "`audio` and `track` are both connected, expected one of them");
}
