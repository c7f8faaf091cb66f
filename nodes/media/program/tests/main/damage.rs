//! Damaged files: bits turned over, ends cut off, one file spliced into another. `TALKGRAPH_DAMAGED=500` tries so many.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use talkgraph_media::{AudioReader, Pictures, Result, Session};

use super::{heif, made};

/// How many are tried where nothing else is asked for.
const USUAL: usize = 60;

/// Sound files of all kinds that can be made here.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let picture = made::picture(160, 120);
    let mut sources = vec![];
    for name in ["a.png", "a.jpg", "a.webp", "a.tiff", "a.bmp", "a.gif"] {
        let path = folder.join(name);
        made::written(&path, &picture, None);
        sources.push(path);
    }
    for (name, codec) in [("a.heic", heif::HEVC), ("a.avif", heif::AV1)] {
        let path = folder.join(name);
        sources.extend(heif::written(&path, &picture, codec, None).then_some(path));
    }
    let png = folder.join("a.png").display().to_string();
    sources.extend(made::ffmpeg(&["-i", &png, "-c:v", "libjxl"], &folder.join("a.jxl")));
    let both =
        ["-f", "lavfi", "-i", "testsrc=duration=1:size=160x120", "-f", "lavfi", "-i", "sine=duration=1"];
    for name in ["a.mp4", "a.mkv", "a.webm", "a.avi", "a.ts", "a.mpg"] {
        sources.extend(made::ffmpeg(&both, &folder.join(name)));
    }
    for name in ["a.m4a", "a.mp3", "a.ogg", "a.opus", "a.flac", "a.aiff"] {
        sources.extend(made::ffmpeg(&both[4..], &folder.join(name)));
    }
    sources
}

/// `bytes` damaged in one of three ways.
fn damaged(bytes: &[u8], other: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match random.random_range(0..3) {
        0 => {
            for _ in 0..1 << random.random_range(0..10) {
                // Headers matter most.
                let most = if random.random_bool(0.5) { bytes.len().min(512) } else { bytes.len() };
                bytes[random.random_range(0..most)] ^= 1 << random.random_range(0..8);
            }
        }
        1 => bytes.truncate(random.random_range(1..bytes.len())),
        _ => {
            let at = random.random_range(0..bytes.len());
            let from = random.random_range(0..other.len());
            let length = random.random_range(1..=other.len() - from);
            let until = (at + random.random_range(0..=length)).min(bytes.len());
            bytes.splice(at..until, other[from..from + length].iter().copied());
        }
    }
    bytes
}

/// Decodes all that there is in a file, as node types do.
fn decode(path: &Path) -> [Result<()>; 3] {
    let session = || Session::start();
    let picture = session().and_then(|session| session.picture(path, [0; 3], &|| false).map(drop));
    let video = Pictures::open(path, 64).and_then(|mut pictures| {
        while pictures.next_picture()?.is_some() {}
        Ok(())
    });
    let audio = session().and_then(|session| {
        session.survey(path, 0, &|| false)?;
        let mut reader = AudioReader::open(&session, path, 0)?;
        while reader.next_block()?.is_some() {}
        Ok(())
    });
    [picture, video, audio]
}

#[test]
fn damaged_files_are_decoded_or_one_clear_error() {
    let count = std::env::var("TALKGRAPH_DAMAGED").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL);
    let folder = tempfile::tempdir().unwrap();
    let sources = sources(folder.path());
    let contents: Vec<_> = sources.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(20);
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, PathBuf::new());
    for k in 0..count {
        let place = k % sources.len();
        let other = random.random_range(0..sources.len());
        let bytes = damaged(&contents[place], &contents[other], &mut random);
        let ending = sources[place].extension().unwrap().to_str().unwrap();
        let path = folder.path().join(format!("damaged-{k}.{ending}"));
        fs::write(&path, bytes).unwrap();
        let begin = Instant::now();
        for outcome in decode(&path) {
            let kind = match &outcome {
                Ok(()) => "decoded",
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.starts_with(&path.display().to_string()), "{text}");
                    match () {
                        () if text.contains("signal") => "the process crashed",
                        () if text.contains("got nowhere") => "the process was stopped",
                        () if text.contains("gave up") => "a library gave up",
                        () => "refused",
                    }
                }
            };
            if !matches!(kind, "decoded" | "refused") {
                eprintln!("{kind}: {}", outcome.unwrap_err());
            }
            *outcomes.entry(kind).or_default() += 1;
        }
        slowest = slowest.max((begin.elapsed(), path.clone()));
        fs::remove_file(&path).unwrap();
    }
    eprintln!(
        "{count} files, three ways each: {outcomes:?}; slowest {:?} ({})",
        slowest.0,
        slowest.1.display()
    );
    assert_eq!(outcomes.values().sum::<usize>(), 3 * count);
    // The next job is none the worse.
    assert!(Session::start().unwrap().picture(&sources[0], [0; 3], &|| false).is_ok());
}
