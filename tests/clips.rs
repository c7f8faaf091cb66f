//! Clips with sound through decoding, the rate of a graph, and encoding: picture and sound stay together to the end.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use talkgraph_nodes::contract::Rate;
use tempfile::TempDir;

/// Seconds of a clip: a rate of 30 in place of 29.97 is off by more than half a frame at its end.
const SECONDS: f64 = 30.0;

/// Bits of a picture's number, each a square of [`SIDE`] pixels.
const BITS: usize = 12;
const SIDE: usize = 8;

/// Samples a second of what is heard.
const HERTZ: f64 = 48_000.0;

/// A sound every second, a fiftieth long.
const CLICKS: &str = "aevalsrc='if(lt(mod(t,1),0.02),0.8*sin(2*PI*1000*t),0)':s=44100";

/// Of seven pictures at 60 a second, three.
const VARIABLE: &str = "select='eq(mod(n\\,7)\\,0)+eq(mod(n\\,7)\\,3)+eq(mod(n\\,7)\\,4)'";

fn program(name: &str) -> Option<Command> {
    let mut command = Command::new(name);
    match Command::new(name).arg("-version").stdout(Stdio::null()).status() {
        Ok(_) => {
            command.args(["-v", "error"]);
            Some(command)
        }
        Err(error) => {
            eprintln!("skipped: the {name} program is not installed ({error})");
            None
        }
    }
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("a program");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A clip whose pictures carry their number: of `rate`, or of a variable one with 60 numbers a second.
fn clip(folder: &Path, rate: &str, sound: &[&str]) -> Option<()> {
    let (base, pick) =
        if rate == "variable" { ("60", format!(",{VARIABLE}")) } else { (rate, String::new()) };
    let (width, height) = (BITS * SIDE, 2 * SIDE);
    let pictures = format!(
        "color=black:s={width}x{height}:r={base}:d={SECONDS},format=gray,\
         geq=lum='16+219*mod(floor(N/pow(2\\,floor(X/{SIDE})))\\,2)'{pick}"
    );
    let mut command = program("ffmpeg")?;
    command.args(["-y", "-f", "lavfi", "-i", &pictures, "-f", "lavfi", "-i", CLICKS, "-shortest"]);
    command
        .args(["-vsync", "vfr", "-c:v", "libx264", "-preset", "veryfast", "-qp", "8", "-pix_fmt", "yuv420p"]);
    output(command.args(sound).arg(folder.join("clip.mov")));
    Some(())
}

fn talkgraph(folder: &TempDir, fps: &str, more: &[&str]) -> Value {
    let graph = format!(
        "talkgraph: 1\nfps: {fps}\ninputs: {{ driving: frames }}\n\
         nodes:\n  mux: {{ type: mux, in: {{ frames: driving, track: driving.track }}, params: {{ crf: 8 }} }}\n\
         outputs: {{ video: mux.video }}\n"
    );
    fs::write(folder.path().join("graph.yaml"), graph).expect("a graph");
    let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
    command.args([
        "run",
        "graph.yaml",
        "-i",
        "driving=clip.mov",
        "-o",
        "video=out.mp4",
        "--report",
        "r.json",
    ]);
    command.args(["--cache", "cache"]).args(more).current_dir(folder.path());
    for name in ["TALKGRAPH_PACK", "TALKGRAPH_HOME", "TALKGRAPH_CACHE_SIZE", "TALKGRAPH_CONFIG"] {
        command.env_remove(name);
    }
    output(command.env("XDG_CONFIG_HOME", "/nonexistent"));
    serde_json::from_slice(&fs::read(folder.path().join("r.json")).expect("a report")).expect("JSON")
}

/// Numbers of the pictures of `out.mp4`.
fn numbers(folder: &Path) -> Vec<usize> {
    let mut command = program("ffmpeg").expect("ffmpeg");
    command.arg("-i").arg(folder.join("out.mp4"));
    let pixels =
        output(command.args(["-map", "0:v", "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "gray", "-"]));
    let width = BITS * SIDE;
    let bit = |picture: &[u8], k: usize| usize::from(picture[SIDE * width + k * SIDE + SIDE / 2] > 128) << k;
    let pictures = pixels.chunks_exact(width * 2 * SIDE);
    pictures.map(|picture| (0..BITS).map(|k| bit(picture, k)).sum()).collect()
}

/// When the sounds of `out.mp4` begin, in seconds.
fn onsets(folder: &Path) -> Vec<f64> {
    let mut command = program("ffmpeg").expect("ffmpeg");
    command.arg("-i").arg(folder.join("out.mp4"));
    let bytes = output(command.args(["-map", "0:a", "-f", "f32le", "-ac", "1", "-ar", "48000", "-"]));
    let (mut onsets, mut last) = (vec![], -HERTZ);
    for (at, sample) in bytes.as_chunks::<4>().0.iter().enumerate() {
        if f32::from_le_bytes(*sample).abs() > 0.2 {
            if at as f64 - last > HERTZ / 10.0 {
                onsets.push(at as f64 / HERTZ);
            }
            last = at as f64;
        }
    }
    onsets
}

/// Pictures of the file `name`, their rate as written, and seconds of its video and its audio.
fn probe(folder: &Path, name: &str) -> (u64, String, f64, f64) {
    let mut command = program("ffprobe").expect("ffprobe");
    command.args(["-show_entries", "stream=codec_type,nb_frames,avg_frame_rate,duration", "-of", "json"]);
    let found: Value = serde_json::from_slice(&output(command.arg(folder.join(name)))).expect("JSON");
    let stream = |kind: &str| {
        let mut streams = found["streams"].as_array().expect("streams").iter();
        streams.find(|stream| stream["codec_type"] == kind).expect("a stream").clone()
    };
    let number = |value: &Value| value.as_str().expect("text").parse::<f64>().expect("a number");
    let (video, audio) = (stream("video"), stream("audio"));
    let rate = video["avg_frame_rate"].as_str().expect("a rate").to_owned();
    (number(&video["nb_frames"]) as u64, rate, number(&video["duration"]), number(&audio["duration"]))
}

#[test]
fn picture_and_sound_stay_together_at_every_rate() {
    if program("ffprobe").is_none() {
        return;
    }
    println!("| clip | graph | frames | video s | sound s | drift at the end ms |");
    for (source, sound, graphs) in [
        ("24000/1001", &["-c:a", "aac"][..], ["25", "60"]),
        ("25", &["-c:a", "pcm_s16le", "-ac", "2"], ["29.97", "60"]),
        ("30000/1001", &["-c:a", "aac", "-ar", "48000"], ["25", "60"]),
        ("30", &["-c:a", "alac"], ["25", "29.97"]),
        ("50", &["-c:a", "aac"], ["25", "29.97"]),
        ("60", &["-c:a", "libmp3lame"], ["23.976", "29.97"]),
        ("variable", &["-c:a", "aac"], ["25", "29.97"]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        if clip(folder.path(), source, sound).is_none() {
            return;
        }
        let (.., seconds, _) = probe(folder.path(), "clip.mov");
        let base: Rate = if source == "variable" { "60" } else { source }.parse().expect("a rate");
        for fps in graphs {
            let what = format!("{source} at {fps}");
            let rate: Rate = fps.parse().expect("a rate");
            talkgraph(&folder, fps, &[]);
            let (frames, written, video, audio) = probe(folder.path(), "out.mp4");
            assert_eq!(written.parse(), Ok(rate), "{what}");
            assert!(
                (frames as f64 - seconds * rate.fps()).abs() < 0.51,
                "{what}: {frames} frames of {seconds} s"
            );
            assert!((video - rate.seconds(frames)).abs() < 1e-3, "{what}: {video} s of {frames} frames");
            assert!((audio - video).abs() < 1e-3, "{what}: {audio} s of sound, {video} s of pictures");

            let numbers = numbers(folder.path());
            assert_eq!(numbers.len() as u64, frames, "{what}");
            // How late pictures come, and sounds, within the last second but one.
            let second = rate.fps().round() as usize;
            let late = numbers.iter().enumerate().rev().skip(second).take(second);
            let late: f64 =
                late.map(|(k, &number)| rate.seconds(k as u64) - base.seconds(number as u64)).sum();
            let mut onsets = onsets(folder.path());
            // A clip of whole frames may last a little longer.
            onsets.retain(|&onset| onset < SECONDS - 0.5);
            assert_eq!(onsets.len(), SECONDS as usize, "{what}: {onsets:?}");
            let last = onsets[onsets.len() - 1];
            let drift = late / second as f64 - (last - last.round());
            println!("| {source} | {rate} | {frames} | {video:.3} | {audio:.3} | {:+.1} |", drift * 1e3);
            // Where a sound begins is told to the millisecond.
            assert!(drift.abs() <= rate.seconds(1) / 2.0 + 0.001, "{what}: {drift} s");
        }
    }
}

#[test]
fn the_command_line_chooses_another_rate_and_only_that_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    if clip(folder.path(), "25", &["-c:a", "aac"]).is_none() || program("ffprobe").is_none() {
        return;
    }
    let keys = |report: &Value| {
        report["nodes"].as_array().expect("nodes").iter().map(|node| node["key"].clone()).collect::<Vec<_>>()
    };
    let status = |report: &Value| report["nodes"][1]["status"].clone();
    let first = talkgraph(&folder, "25", &[]);
    // Another spelling of the same rate.
    let same = talkgraph(&folder, "50/2", &[]);
    assert_eq!((keys(&first), status(&same)), (keys(&same), "cached".into()));
    let other = talkgraph(&folder, "25", &["--set", "fps=29.97"]);
    assert_eq!(probe(folder.path(), "out.mp4").1, "30000/1001");
    assert_ne!(keys(&other), keys(&first));
    assert_eq!(keys(&talkgraph(&folder, "30000/1001", &[])), keys(&other));
}

#[test]
fn pictures_make_a_silent_video() {
    let folder = tempfile::tempdir().expect("a folder");
    let pictures = folder.path().join("clip.mov");
    fs::create_dir(&pictures).expect("a folder");
    for k in 0..5u8 {
        image::RgbImage::from_pixel(32, 16, image::Rgb([k * 40; 3]))
            .save(pictures.join(format!("{k}.png")))
            .expect("a picture");
    }
    let report = talkgraph(&folder, "25", &[]);
    let mux = &report["nodes"][1];
    assert_eq!((&mux["notes"]["audio"], &mux["notes"]["frames"]), (&"none".into(), &5.into()));
    let Some(mut command) = program("ffprobe") else { return };
    let found = output(
        command
            .args(["-show_entries", "stream=codec_type", "-of", "csv=p=0"])
            .arg(folder.path().join("out.mp4")),
    );
    assert_eq!(String::from_utf8_lossy(&found).trim(), "video");

    // A pattern takes the same pictures under the same key.
    let from = ["-i", "driving=clip.mov/[0-4].png"];
    fs::write(pictures.join("notes.txt"), "hello").expect("a file");
    let again = talkgraph(&folder, "25", &from);
    assert_eq!(again["nodes"][0]["key"], report["nodes"][0]["key"]);
    assert_eq!(again["nodes"][1]["status"], "cached");
}
