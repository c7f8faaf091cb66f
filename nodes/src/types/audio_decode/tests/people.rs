//! Audio as people really have it.

use super::*;

/// A second of a sine at 16 kHz in one channel, as a WAV.
fn mono(folder: &TempDir) -> PathBuf {
    wav(folder, 16_000, 1, 16, SampleFormat::Int)
}

/// The root of the mean square of some samples.
fn level(samples: &[f32]) -> f32 {
    (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt()
}

/// How far `found` is from `expected` between their ends, whichever way round it is.
fn off(found: &[f32], expected: &[f32]) -> f32 {
    let inner = 3_000..expected.len().min(found.len()) - 3_000;
    let worst = |sign: f32| inner.clone().map(|i| (sign * found[i] - expected[i]).abs()).fold(0.0, f32::max);
    worst(1.0).min(worst(-1.0))
}

#[test]
fn speech_in_some_channels_is_analysed_as_loud_as_mono() {
    let folder = tempfile::tempdir().unwrap();
    let source = mono(&folder);
    let expected = decode(&source).unwrap().samples;
    for (name, pan, codec) in [
        ("same.wav", "stereo|c0=c0|c1=c0", "pcm_s16le"),
        ("against.wav", "stereo|c0=c0|c1=-1*c0", "pcm_s16le"),
        ("left.wav", "stereo|c0=c0|c1=0*c0", "pcm_s16le"),
        ("centre.wav", "5.1|FC=c0", "pcm_s16le"),
        ("centre.flac", "5.1|FC=c0", "flac"),
        ("centre.m4a", "5.1|FC=c0", "aac"),
        ("against.m4a", "stereo|c0=c0|c1=-1*c0", "aac"),
    ] {
        let filter = format!("pan={pan}");
        let Some(path) = converted(&source, name, &["-af", &filter, "-c:a", codec]) else { return };
        let found = decode(&path).unwrap().samples;
        let worst = off(&found, &expected);
        assert!(worst < if codec == "aac" { 0.05 } else { 1e-3 }, "{name}: off by {worst}");
    }
}

#[test]
fn a_track_that_starts_after_the_picture_or_has_a_gap_keeps_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let source = mono(&folder);
    let video = ["-f", "lavfi", "-i", "color=size=64x64:rate=25:duration=3", "-map", "1:v", "-map", "0:a"];
    // The second half of the sine plays a second later than the first.
    let parts = "aselect='lt(t,0.512)+gte(t,0.512)',asetpts='PTS+if(gte(T,0.512),1/TB,0)'";
    let late = "asetpts=PTS+0.5/TB";
    for (name, filter, codec, begin, gap) in [
        ("late.mp4", late, "aac", 0.5, None),
        ("late.mkv", late, "pcm_s16le", 0.5, None),
        ("late.webm", late, "libopus", 0.5, None),
        ("gap.mkv", parts, "pcm_s16le", 0.0, Some(0.512)),
        ("gap.mp4", parts, "aac", 0.0, Some(0.512)),
    ] {
        let filter = format!("asetnsamples=1024:p=0,{filter}");
        let mut options = video.to_vec();
        options.extend(["-af", &filter, "-c:a", codec]);
        let Some(path) = converted(&source, name, &options) else { return };
        let host = TestHost::new();
        let found = decode_with(&path, &host).unwrap().samples;
        let second = |from: f64, to: f64| &found[(from * 16e3) as usize..(to * 16e3) as usize];
        let sound = level(second(begin + 0.1, begin + 0.4));
        assert!((sound - 0.3535).abs() < 0.02, "{name}: {sound} where the sine is");
        let quiet = match gap {
            None => second(0.0, begin - 0.03),
            Some(gap) => second(gap + 0.1, gap + 0.9),
        };
        assert!(level(quiet) < 1e-2, "{name}: {} where nothing is", level(quiet));
        let filled = host.noted("silence_filled_in").unwrap().as_f64().unwrap();
        let expected = if gap.is_some() { 1.0 } else { begin };
        // Encoders' priming may be a part of it.
        assert!((filled - expected).abs() < 0.08, "{name}: {filled} s filled in");
        let kept = read(&track_of(&path, &TestHost::new()));
        let lasts = kept.samples.len() as f64 / f64::from(kept.rate) / f64::from(kept.channels);
        assert!((lasts - found.len() as f64 / 16e3).abs() < 1e-3, "{name}: the track lasts {lasts} s");
    }
}

#[test]
fn one_of_several_tracks_is_chosen_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let source = mono(&folder);
    let Some(path) = converted(
        &source,
        "two.mkv",
        &[
            "-filter_complex",
            "[0:a]asplit[a][b];[b]volume=0.25[c]",
            "-map",
            "[a]",
            "-map",
            "[c]",
            "-c:a",
            "pcm_s16le",
            "-metadata:s:a:1",
            "language=fin",
        ],
    ) else {
        return;
    };
    let with = |stream: i64, host: &TestHost| {
        let set = [("stream", crate::contract::ParamValue::Int(stream))];
        let out = run_value(&node(), &set, &file(&path), host, &no_models())?;
        let track = read(&out.values["track"].file()?.path).samples;
        Ok::<_, crate::error::NodeError>((level(&out.values["audio"].audio()?.samples), level(&track)))
    };
    for (stream, expected) in [(1, 0.3535), (2, 0.0884)] {
        let host = TestHost::new();
        let (audio, track) = with(stream, &host).unwrap();
        assert!(
            (audio - expected).abs() < 1e-3 && (track - expected).abs() < 1e-3,
            "{stream}: {audio}, {track}"
        );
        assert_eq!(host.noted("audio_tracks").unwrap()["taken"], stream);
        assert!(host.warnings.lock().unwrap().is_empty());
    }
    let host = TestHost::new();
    with(0, &host).unwrap();
    let warning = host.warnings.lock().unwrap()[0].replace(&folder.path().display().to_string(), "");
    assert_eq!(
        warning,
        "/two.mkv: 2 audio tracks (1 is pcm_s16le, 1 channel; 2 is pcm_s16le, 1 channel, fin); 1 is taken: choose another \
         with the parameter `stream`"
    );
    let error = with(3, &TestHost::new()).unwrap_err();
    assert!(error.to_string().ends_with("parameter `stream` asks for audio track 3 of 2"), "{error}");
    assert!(error.hint_text().unwrap().contains("2 is pcm_s16le, 1 channel, fin"));
}

#[test]
fn cover_art_is_no_video_to_wait_for() {
    let folder = tempfile::tempdir().unwrap();
    let source = mono(&folder);
    let cover = folder.path().join("cover.png");
    image::RgbImage::new(32, 32).save(&cover).unwrap();
    let cover = cover.display().to_string();
    let options =
        ["-i", &cover, "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic"];
    for name in ["cover.mp3", "cover.flac", "cover.m4a"] {
        let Some(path) = converted(&source, name, &options) else { return };
        let host = TestHost::new();
        let found = decode_with(&path, &host).unwrap().samples;
        assert!(found.len().abs_diff(16_000) < 1_200, "{name}: {} samples", found.len());
        assert_eq!(host.noted("silence_filled_in"), None, "{name}");
    }
}

#[test]
fn lengths_that_only_hold_the_place_of_one_are_read_to_the_end_without_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let path = mono(&folder);
    let bytes = fs::read(&path).unwrap();
    for length in [u32::MAX, u32::MAX - 1, 0x7fff_ffff, 0x7fff_f000, 2_000_000_000, 0] {
        let mut changed = bytes.clone();
        changed[40..44].copy_from_slice(&length.to_le_bytes());
        changed[4..8].copy_from_slice(&length.saturating_add(36).to_le_bytes());
        fs::write(&path, changed).unwrap();
        let host = TestHost::new();
        let found = decode_with(&path, &host).unwrap();
        assert_eq!(found.samples.len(), 16_000, "{length:#x}");
        assert!(worst(&found, 1.0) < 1e-4);
        assert!(host.warnings.lock().unwrap().is_empty() && host.noted("truncated").is_none(), "{length:#x}");
    }
}
