mod clips;

use std::{fs, path::Path, process::Command};

use image::{Rgb, RgbImage, imageops};

use super::*;
use crate::{
    contract::ParamValue,
    testing::{TestHost, file, no_models, run_value, shared},
};

/// Sizes of the chunks, size of the pictures, and the red value of each picture's middle.
type Seen = (Vec<usize>, (usize, usize), Vec<u8>);

fn decode_with(path: &Path, set: &[(&str, ParamValue)], host: &TestHost) -> Result<Seen> {
    let out = run_value(&node(), set, &file(path), host, &no_models())?;
    let (mut sizes, mut side, mut reds) = (vec![], (0, 0), vec![]);
    for chunk in &out.chunks["frames"] {
        let frames = chunk.tensors()?.get("frames")?;
        let &[n, height, width, 3] = frames.shape() else { panic!("shape {:?}", frames.shape()) };
        sizes.push(n);
        side = (width, height);
        for picture in frames.as_u8()?.chunks_exact(width * height * 3) {
            reds.push(picture[(height / 2 * width + width / 2) * 3]);
        }
    }
    Ok((sizes, side, reds))
}

fn decode(path: &Path, set: &[(&str, ParamValue)]) -> Result<Seen> {
    decode_with(path, set, &TestHost::new())
}

fn flat(red: u8) -> RgbImage {
    RgbImage::from_pixel(32, 16, Rgb([red, 60, 60]))
}

/// A folder of `n` pictures of growing red, named 1.png, 2.png, …
fn folder(n: u8) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for i in 1..=n {
        flat(i * 4).save(folder.path().join(format!("{i}.png"))).unwrap();
    }
    folder
}

#[test]
fn a_folder_is_read_in_natural_order() {
    let folder = folder(30);
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    fs::write(folder.path().join(".hidden"), "").unwrap();
    let host = TestHost::new();
    let (sizes, side, reds) = decode_with(folder.path(), &[], &host).unwrap();
    assert_eq!((sizes, side), (vec![25, 5], (32, 16)));
    assert_eq!(reds, (1..=30).map(|i| i * 4).collect::<Vec<_>>());
    assert_eq!(*host.done.lock().unwrap(), (30, Some(30)));
}

#[test]
fn large_pictures_are_scaled_down() {
    let (_, side, reds) = decode(folder(2).path(), &[("max_side", ParamValue::Int(8))]).unwrap();
    assert_eq!((side, reds), ((8, 4), vec![4, 8]));
}

#[test]
fn pictures_of_other_sizes_are_fitted_into_the_first_without_distortion() {
    let mixed = folder(2);
    let ringed = |width, height| {
        let edge = |x: u32, y: u32| x == 0 || y == 0 || x == width - 1 || y == height - 1;
        RgbImage::from_fn(width, height, |x, y| if edge(x, y) { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
    };
    flat(200).save(mixed.path().join("3.png")).unwrap();
    // Twice as large, square, and tall.
    imageops::resize(&flat(90), 64, 32, imageops::FilterType::Nearest)
        .save(mixed.path().join("4.png"))
        .unwrap();
    ringed(16, 16).save(mixed.path().join("5.png")).unwrap();
    ringed(8, 64).save(mixed.path().join("6.png")).unwrap();
    let host = TestHost::new();
    let out = run_value(&node(), &[], &file(mixed.path()), &host, &no_models()).unwrap();
    let chunk = out.chunks["frames"][0].tensors().unwrap().get("frames").unwrap().clone();
    assert_eq!(chunk.shape(), [6, 16, 32, 3]);
    let pixels = chunk.as_u8().unwrap();
    let pixel = |frame: usize, x: usize, y: usize| {
        let at = ((frame * 16 + y) * 32 + x) * 3;
        [pixels[at], pixels[at + 1], pixels[at + 2]]
    };
    assert_eq!((pixel(2, 31, 15), pixel(3, 0, 0)), ([200, 60, 60], [90, 60, 60]));
    let row = |frame: usize, y: usize| (0..32).map(|x| pixel(frame, x, y)).collect::<Vec<_>>();
    let grey = [128; 3];
    // A square stays one: sixteen columns in the middle, its edge and all.
    for y in [0, 7, 15] {
        let row = row(4, y);
        assert!(row[..8].iter().chain(&row[24..]).all(|&pixel| pixel == grey), "{row:?}");
        assert!(row[8][0] > 200 && row[23][0] > 200, "{row:?}");
    }
    assert_eq!(row(5, 8).iter().filter(|&&pixel| pixel != grey).count(), 2);
    assert_eq!(host.notes.lock().unwrap()["sizes"], serde_json::json!(["32x16", "64x32", "16x16", "8x64"]));
    let warnings = host.warnings.lock().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("(64x32, 16x16, 8x64 besides 32x16)"), "{warnings:?}");
}

#[test]
fn a_pattern_takes_its_pictures_in_natural_order() {
    let folder = folder(12);
    fs::write(folder.path().join("1.txt"), "hello").unwrap();
    let (_, _, reds) = decode(&folder.path().join("1*"), &[]).unwrap();
    assert_eq!(reds, [4, 40, 44, 48]);
    let error = decode(&folder.path().join("*.jpg"), &[]).unwrap_err();
    assert!(error.to_string().ends_with("*.jpg: cannot be read"), "{error}");
    let error = decode(&folder.path().join("*.txt"), &[]).unwrap_err();
    assert!(error.to_string().contains("*.txt: no images among 1 files"), "{error}");
}

#[test]
fn bad_folders_are_clear_errors() {
    let message = |path: &Path| {
        let error = decode(path, &[]).unwrap_err();
        error.to_string().replace(&path.display().to_string(), "F")
    };
    let empty = tempfile::tempdir().unwrap();
    assert!(message(empty.path()).starts_with("F: no images among 0 files"));
    let broken = folder(2);
    fs::write(broken.path().join("2.png"), "hello").unwrap();
    assert!(message(broken.path()).starts_with("F/2.png: expected an image"));
    assert!(message(&broken.path().join("none")).ends_with("cannot be read"));
}

/// A video made by the ffmpeg program from pictures named 1.png, 2.png, …; `None` where it is not installed.
fn video(folder: &Path, name: &str, fps: u32, options: &[&str]) -> Option<std::path::PathBuf> {
    let path = folder.join(name);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-framerate", &fps.to_string(), "-i"]).arg(folder.join("%d.png"));
    command.args(options).arg(&path);
    match command.status() {
        Ok(status) => assert!(status.success(), "{command:?}"),
        Err(error) => {
            eprintln!("skipped: the ffmpeg program is not installed ({error})");
            return None;
        }
    }
    Some(path)
}

const BT709: [&str; 10] = [
    "-vf",
    "scale=out_color_matrix=bt709",
    "-colorspace",
    "bt709",
    "-pix_fmt",
    "yuv444p",
    "-c:v",
    "libx264",
    "-qp",
    "1",
];

fn near(found: &[u8], expected: impl Iterator<Item = u8>) {
    let expected: Vec<u8> = expected.collect();
    assert_eq!(found.len(), expected.len());
    for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!(a.abs_diff(*b) <= 3, "frame {i}: {a}, expected {b}; {found:?}");
    }
}

#[test]
fn a_video_of_the_same_rate_gives_every_picture_in_its_colours() {
    let folder = folder(30);
    let Some(path) = video(folder.path(), "a.mp4", 25, &BT709) else { return };
    let (sizes, side, reds) = decode(&path, &[]).unwrap();
    assert_eq!((sizes, side), (vec![25, 5], (32, 16)));
    near(&reds, (1..=30).map(|i| i * 4));
}

#[test]
fn other_rates_take_the_nearest_picture() {
    let folder = folder(60);
    let Some(fast) = video(folder.path(), "fast.mp4", 50, &BT709) else { return };
    near(&decode(&fast, &[]).unwrap().2, (0..30).map(|k| (2 * k + 1) * 4));
    let slow = video(folder.path(), "slow.mp4", 10, &BT709).unwrap();
    let expected = (0..150u32).map(|k| ((f64::from(k) * 0.4 - 1e-9).round() as u8).min(59) * 4 + 4);
    near(&decode(&slow, &[]).unwrap().2, expected);
    assert_eq!(decode(&slow, &[("fps", ParamValue::Int(10))]).unwrap().2.len(), 60);
}

#[test]
fn a_turned_video_comes_out_upright() {
    let folder = folder(3);
    RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 240 } else { 10 }, 60, 60]))
        .save(folder.path().join("1.png"))
        .unwrap();
    let Some(path) = video(folder.path(), "a.mp4", 25, &BT709) else { return };
    let turned = folder.path().join("turned.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(&path).args(["-c", "copy", "-metadata:s:v", "rotate=90"]);
    assert!(command.arg(&turned).status().unwrap().success());
    let host = TestHost::new();
    let out = run_value(&node(), &[], &file(&turned), &host, &no_models()).unwrap();
    let frames = out.chunks["frames"][0].tensors().unwrap().get("frames").unwrap().clone();
    assert_eq!(frames.shape(), [3, 32, 16, 3]);
    // As the ffmpeg program shows this file: what was left is below.
    let pixels = frames.as_u8().unwrap();
    assert!(
        pixels[0] < 60 && pixels[31 * 16 * 3] > 200,
        "{} above, {} below",
        pixels[0],
        pixels[31 * 16 * 3]
    );
}

#[test]
fn what_is_no_video_is_a_clear_error() {
    let Some(speech) = shared("data/speech_a.wav") else { return };
    let error = decode(&speech, &[]).unwrap_err().to_string();
    assert!(
        error.ends_with("expected a video or a folder of images, found WAV audio without images"),
        "{error}"
    );
}

#[test]
fn the_shared_driving_frames() {
    let Some(driving) = shared("data/driving") else { return };
    let (sizes, side, _) = decode(&driving, &[]).unwrap();
    assert_eq!((sizes, side), (vec![25, 25, 25], (256, 256)));
}

#[test]
fn a_video_that_changes_its_size_is_scaled_to_the_first() {
    let folder = folder(4);
    let part = |name, scale, offset| {
        let mut options = BT709.to_vec();
        options[1] = scale;
        options.extend(["-bf", "0", "-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", offset]);
        video(folder.path(), name, 25, &options)
    };
    let Some(one) = part("one.ts", BT709[1], "0") else { return };
    let two = part("two.ts", "scale=64:32:out_color_matrix=bt709", "0.16").unwrap();
    let both = folder.path().join("both.ts");
    fs::write(&both, [fs::read(one).unwrap(), fs::read(two).unwrap()].concat()).unwrap();
    let host = TestHost::new();
    let (_, side, reds) = decode_with(&both, &[], &host).unwrap();
    assert_eq!(side, (32, 16));
    near(&reds, [4, 8, 12, 16, 4, 8, 12, 16].into_iter());
    assert_eq!(host.noted("sizes").unwrap(), serde_json::json!(["32x16", "64x32"]));
    let warning = host.warnings.lock().unwrap()[0].clone();
    assert!(warning.ends_with("to 64x32; all frames are scaled to the first size, 32x16"), "{warning}");
}

#[test]
fn cover_art_is_no_video() {
    let folder = folder(1);
    let path = folder.path().join("cover.mp3");
    let mut command = Command::new("ffmpeg");
    command
        .args(["-v", "error", "-f", "lavfi", "-i", "anullsrc=duration=1", "-i"])
        .arg(folder.path().join("1.png"));
    command.args(["-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic"]).arg(&path);
    match command.status() {
        Ok(status) => assert!(status.success(), "{command:?}"),
        Err(error) => return eprintln!("skipped: the ffmpeg program is not installed ({error})"),
    }
    let error = decode(&path, &[]).unwrap_err().to_string();
    assert!(
        error.ends_with("expected a video or a folder of images, found MP3 audio without images"),
        "{error}"
    );
}
