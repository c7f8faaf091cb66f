//! Clips as cameras and programs make them: their pictures carry their number, so that it can be told which one came out when.

use talkgraph_media::Block;

use super::*;
use crate::{contract::Rate, testing};

/// Bits of a picture's number, each a square of [`SIDE`] pixels.
const BITS: usize = 12;
const SIDE: usize = 8;

/// A filter source: pictures whose `N`-th shows its number, least bit first.
fn numbered(rate: &str, seconds: &str) -> String {
    let (width, height) = (BITS * SIDE, 2 * SIDE);
    format!(
        "color=black:s={width}x{height}:r={rate}:d={seconds},format=gray,\
         geq=lum='16+219*mod(floor(N/pow(2\\,floor(X/{SIDE})))\\,2)'"
    )
}

/// Makes a clip; `None`, with the reason printed, where the ffmpeg program is not installed.
fn make(folder: &Path, name: &str, args: &[&str]) -> Option<std::path::PathBuf> {
    let path = folder.join(name);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]).args(args).arg(&path);
    match command.status() {
        Ok(status) => assert!(status.success(), "{command:?}"),
        Err(error) => {
            eprintln!("skipped: the ffmpeg program is not installed ({error})");
            return None;
        }
    }
    Some(path)
}

const H264: [&str; 10] =
    ["-c:v", "libx264", "-preset", "veryfast", "-qp", "8", "-g", "30", "-pix_fmt", "yuv420p"];

/// The numbers of the pictures that come out at `fps`.
fn numbers(path: &Path, fps: &str) -> Vec<usize> {
    let out = run_value(
        &node(),
        &[("fps", fps.parse::<Rate>().unwrap().param())],
        &file(path),
        &TestHost::new(),
        &no_models(),
    );
    let mut numbers = vec![];
    for chunk in &out.unwrap().chunks["frames"] {
        let frames = chunk.tensors().unwrap().get("frames").unwrap();
        let &[_, height, width, 3] = frames.shape() else { panic!("shape {:?}", frames.shape()) };
        assert_eq!((width, height), (BITS * SIDE, 2 * SIDE));
        for picture in frames.as_u8().unwrap().chunks_exact(width * height * 3) {
            let bit = |k: usize| usize::from(picture[(SIDE * width + k * SIDE + SIDE / 2) * 3] > 128);
            numbers.push((0..BITS).map(|k| bit(k) << k).sum());
        }
    }
    numbers
}

/// Checks that every frame at `fps` shows one of the pictures nearest to it in time; `times` are those of the pictures, by number.
fn nearest(found: &[usize], fps: &str, times: &[(usize, f64)], what: &str) {
    let rate: Rate = fps.parse().unwrap();
    for (k, &number) in found.iter().enumerate() {
        let time = rate.seconds(k as u64);
        let off = |&(_, at): &(usize, f64)| (at - time).abs();
        let least = times.iter().map(off).fold(f64::INFINITY, f64::min);
        let own = times.iter().find(|(known, _)| *known == number);
        let own =
            own.unwrap_or_else(|| panic!("{what}: frame {k} shows {number}, which is no picture of it"));
        // Containers round times, Matroska to the millisecond.
        assert!(
            off(own) <= least + 0.0015,
            "{what}: frame {k}, at {time:.4} s, shows {number} of {:.4} s",
            own.1
        );
    }
}

/// Pictures `from..to` of a clip of this rate, in time from the first.
fn regular(rate: &str, from: usize, to: usize) -> Vec<(usize, f64)> {
    let rate: Rate = rate.parse().unwrap();
    (from..to).map(|number| (number, rate.seconds((number - from) as u64))).collect()
}

#[test]
fn clips_of_every_rate_keep_their_time_at_every_rate() {
    let folder = tempfile::tempdir().unwrap();
    for rate in ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"] {
        let count = (rate.parse::<Rate>().unwrap().fps() * 2.0).round() as usize;
        let source = numbered(rate, "3");
        // Matroska tells times by the millisecond.
        let endings: &[&str] = if ["30000/1001", "60"].contains(&rate) { &["mp4", "mkv"] } else { &["mp4"] };
        for ending in endings {
            let (name, count_text) = (format!("clip.{ending}"), count.to_string());
            let args = [&["-f", "lavfi", "-i", &source, "-frames:v", &count_text], &H264[..]].concat();
            let Some(clip) = make(folder.path(), &name, &args) else { return };
            let own = numbers(&clip, rate);
            assert_eq!(own, (0..count).collect::<Vec<_>>(), "{rate}, {ending}");
            let seconds = rate.parse::<Rate>().unwrap().seconds(count as u64);
            for fps in ["25", "29.97", "60"] {
                let what = format!("{rate} at {fps}, {ending}");
                let found = numbers(&clip, fps);
                let expected = (seconds * fps.parse::<Rate>().unwrap().fps()).round() as usize;
                assert_eq!(found.len(), expected, "{what}");
                nearest(&found, fps, &regular(rate, 0, count), &what);
            }
        }
    }
}

#[test]
fn a_clip_of_variable_rate_keeps_its_time() {
    let folder = tempfile::tempdir().unwrap();
    // Of seven pictures at 60 a second, three; then a long stand-still, as phones and screens record it.
    let kept = |n: usize| (n < 180 && [0, 3, 4].contains(&(n % 7))) || n == 200;
    let select =
        "select='lt(n\\,180)*(eq(mod(n\\,7)\\,0)+eq(mod(n\\,7)\\,3)+eq(mod(n\\,7)\\,4))+eq(n\\,200)'";
    let source = format!("{},{select}", numbered("60", "5"));
    let args = [&["-f", "lavfi", "-i", &source, "-vsync", "vfr"], &H264[..]].concat();
    let Some(clip) = make(folder.path(), "clip.mp4", &args) else { return };
    let times: Vec<_> = (0..=200).filter(|&n| kept(n)).map(|n| (n, n as f64 / 60.0)).collect();
    for fps in ["25", "29.97", "60"] {
        let found = numbers(&clip, fps);
        nearest(&found, fps, &times, fps);
        let rate = fps.parse::<Rate>().unwrap();
        // It lasts until after its last picture, and not much longer than pictures there take.
        let lasts = rate.seconds(found.len() as u64) - 200.0 / 60.0;
        assert!((0.0..0.5).contains(&lasts), "{fps}: the last picture takes {lasts} s");
        assert_eq!(found.last(), Some(&200));
    }
}

#[test]
fn ten_bits_become_eight_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let source = numbered("30", "2");
    let encoders = [["libx264", "yuv420p10le"], ["libx265", "yuv420p10le"], ["libvpx-vp9", "yuv420p"]];
    for [codec, format] in encoders {
        let mut args =
            vec!["-f", "lavfi", "-i", &source, "-c:v", codec, "-pix_fmt", format, "-g", "30", "-b:v", "2M"];
        if codec == "libx265" {
            args.extend(["-x265-params", "log-level=none"]);
        }
        let Some(clip) = make(folder.path(), &format!("{codec}.mp4"), &args) else { return };
        assert_eq!(numbers(&clip, "30"), (0..60).collect::<Vec<_>>(), "{codec}");
    }
}

#[test]
fn an_edit_list_cuts_pictures_and_sound_alike() {
    let folder = tempfile::tempdir().unwrap();
    let source = numbered("30", "4");
    let args =
        [&["-f", "lavfi", "-i", &source, "-f", "lavfi", "-i", CLICKS, "-t", "4", "-c:a", "aac"], &H264[..]]
            .concat();
    let Some(clip) = make(folder.path(), "whole.mp4", &args) else { return };
    let clip = clip.display().to_string();
    // Between key pictures: the file holds more than it shows.
    let cut = make(folder.path(), "cut.mp4", &["-ss", "1.5", "-i", &clip, "-c", "copy"]).unwrap();
    assert_eq!(numbers(&cut, "30"), (45..120).collect::<Vec<_>>());
    let onsets = onsets(&cut);
    // The clicks at 2 and 3 seconds.
    assert_eq!(onsets.len(), 2, "{onsets:?}");
    for (found, expected) in onsets.iter().zip([0.5, 1.5]) {
        assert!((found - expected).abs() < 0.008, "{onsets:?}");
    }
}

#[test]
fn phones_turn_their_videos() {
    let folder = folder(3);
    // Left is bright.
    RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 240 } else { 10 }, 60, 60]))
        .save(folder.path().join("1.png"))
        .unwrap();
    let Some(path) = video(folder.path(), "a.mp4", 25, &BT709) else { return };
    for (angle, size, bright) in
        [("90", (16, 32), "below"), ("180", (32, 16), "right"), ("270", (16, 32), "above")]
    {
        let turned = folder.path().join("turned.mp4");
        let try_with = |options: &[&str], after: &[&str]| {
            let mut command = Command::new("ffmpeg");
            command.args(["-v", "quiet", "-y"]).args(options).arg("-i").arg(&path);
            command.args(["-c", "copy"]).args(after).arg(&turned).status().unwrap().success()
        };
        // Programs before version 6 know the older way alone.
        let metadata = format!("rotate={angle}");
        assert!(
            try_with(&["-display_rotation:v:0", angle], &[]) || try_with(&[], &["-metadata:s:v", &metadata])
        );
        let out = run_value(&node(), &[], &file(&turned), &TestHost::new(), &no_models()).unwrap();
        let frames = out.chunks["frames"][0].tensors().unwrap().get("frames").unwrap().clone();
        let (width, height) = size;
        assert_eq!(frames.shape(), [3, height, width, 3], "{angle}");
        let pixels = frames.as_u8().unwrap();
        let red = |x: usize, y: usize| pixels[(y * width + x) * 3] > 128;
        let found = match [red(1, 1), red(width - 2, 1), red(1, height - 2), red(width - 2, height - 2)] {
            [true, true, false, false] => "above",
            [false, false, true, true] => "below",
            [false, true, false, true] => "right",
            [true, false, true, false] => "left",
            other => panic!("{angle}: {other:?}"),
        };
        assert_eq!(found, bright, "{angle}");
    }
}

/// A filter source: silence with a click of a fiftieth of a second at every second.
const CLICKS: &str = "aevalsrc='if(lt(mod(t,1),0.02),0.8*sin(2*PI*1000*t),0)':s=48000:d=10";

/// The file of the output `track`.
fn track(path: &Path, host: &TestHost) -> std::path::PathBuf {
    let out = run_value(&node(), &[], &file(path), host, &no_models()).unwrap();
    out.values["track"].file().unwrap().path.clone()
}

/// Rate and samples, of the first channel, of the output `track`.
fn heard(path: &Path) -> (u32, Vec<f32>) {
    let host = TestHost::new();
    let mut reader = testing::listen(&track(path, &host));
    let (mut rate, mut samples) = (0, vec![]);
    while let Some(Block { rate: own, channels, samples: more, .. }) = reader.next_block().unwrap() {
        rate = own;
        samples.extend(more.iter().step_by(channels.into()));
    }
    (rate, samples)
}

/// When clicks begin in the output `track`, in seconds.
fn onsets(path: &Path) -> Vec<f64> {
    let (rate, samples) = heard(path);
    let (mut onsets, mut quiet) = (vec![], usize::MAX);
    for (at, sample) in samples.iter().enumerate() {
        if sample.abs() > 0.2 {
            if quiet > rate as usize / 10 {
                onsets.push(at as f64 / f64::from(rate));
            }
            quiet = 0;
        } else {
            quiet = quiet.saturating_add(1);
        }
    }
    onsets
}

#[test]
fn the_track_begins_and_ends_with_the_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let source = numbered("25", "3");
    // Sound before the pictures, after them, too short, too long; packets that are taken over and such that are not.
    for (codec, ending) in [("aac", "mp4"), ("pcm_s16le", "mov"), ("libopus", "mkv")] {
        for (delay_video, delay_sound, seconds) in
            [("0", "0", "3"), ("0.72", "0", "5"), ("0", "0.7", "2"), ("0", "0", "1.2"), ("0", "0.01", "4")]
        {
            let what =
                format!("{codec}: pictures after {delay_video} s, {seconds} s of sound after {delay_sound}");
            let args = [
                &["-itsoffset", delay_video, "-f", "lavfi", "-i", &source, "-itsoffset", delay_sound][..],
                &["-t", seconds, "-f", "lavfi", "-i", CLICKS, "-vsync", "vfr", "-c:a", codec, "-ac", "1"],
                &H264,
            ]
            .concat();
            let Some(clip) = make(folder.path(), &format!("clip.{ending}"), &args) else { return };
            let (rate, samples) = heard(&clip);
            let lasts = samples.len() as f64 / f64::from(rate);
            if ending == "mkv" {
                // Matroska does not say how long each stream is.
                assert!(lasts > 0.9, "{what}: {lasts} s");
            } else {
                assert!((lasts - 3.0).abs() < 0.022, "{what}: {lasts} s");
            }
            let late: f64 = delay_sound.parse::<f64>().unwrap() - delay_video.parse::<f64>().unwrap();
            let heard =
                |click: &f64| (0.0..2.95).contains(&(click + late)) && *click < seconds.parse().unwrap();
            let expected: Vec<_> =
                [0.0, 1.0, 2.0, 3.0].into_iter().filter(heard).map(|click| click + late).collect();
            let mut found = onsets(&clip);
            found.retain(|onset| *onset < 2.95 && (late >= 0.0 || *onset > 0.02));
            let expected: Vec<_> =
                expected.into_iter().filter(|&click| late >= 0.0 || click > 0.02).collect();
            // FFmpeg's Matroska is off by the priming of Opus, 6.5 ms, besides.
            let slack = if ending == "mkv" { 0.012 } else { 0.008 };
            assert_eq!(found.len(), expected.len(), "{what}: {found:?}, expected {expected:?}");
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < slack,
                    "{what}: a click at {found} s, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn what_has_no_sound_gives_an_empty_track() {
    let empty = |path: &Path| {
        let host = TestHost::new();
        let size = fs::metadata(track(path, &host)).unwrap().len();
        (size == 0, host.warnings.lock().unwrap().clone())
    };
    let pictures = folder(2);
    assert_eq!(empty(pictures.path()), (true, vec![]));
    let source = numbered("25", "1");
    let silent = [&["-f", "lavfi", "-i", &source], &H264[..]].concat();
    let Some(clip) = make(pictures.path(), "silent.mp4", &silent) else { return };
    assert_eq!(empty(&clip), (true, vec![]));
}
