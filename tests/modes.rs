//! The modes from end to end, on small random models: a portrait and a second of speech become a video.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

const SECOND: usize = 16_000;

struct Studio(TempDir);

impl Studio {
    /// A folder with a portrait, two speeches and a driving folder of fewer frames than the speech has.
    fn new() -> Self {
        let studio = Self(tempfile::tempdir().expect("a folder"));
        let portrait = repository("graphs/media/portrait.png");
        fs::copy(&portrait, studio.path("portrait.png")).expect("a portrait");
        fs::create_dir(studio.path("driving")).expect("a folder");
        for frame in 1..=3 {
            fs::copy(&portrait, studio.path(&format!("driving/{frame}.png"))).expect("a frame");
        }
        studio.speech("speech.wav", 0);
        studio.speech("other.wav", SECOND);
        studio
    }

    /// A second and a fifth (30 frames) of the demo's speech, from sample `from` on.
    fn speech(&self, name: &str, from: usize) {
        let mut reader = hound::WavReader::open(repository("graphs/media/speech.wav")).expect("speech");
        let mut writer = hound::WavWriter::create(self.path(name), reader.spec()).expect("a sound");
        for sample in reader.samples::<i16>().skip(from).take(SECOND * 6 / 5) {
            writer.write_sample(sample.expect("a sample")).expect("a sample");
        }
        writer.finalize().expect("a sound");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a mode and gives the status of every node by its name.
    fn run(&self, mode: &str, speech: &str, more: &[&str]) -> BTreeMap<String, String> {
        let graph = repository(&format!("graphs/{mode}.yaml"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
        command.current_dir(self.0.path()).arg("run").arg(&graph).args(["--cache", "cache"]);
        command.args(["-o", "video=out.mp4", "--report", "r.json"]);
        if mode != "reenact" {
            command.args(["-i", &format!("speech={speech}")]);
        }
        // Unoptimised, a frame of the photo's size takes seconds.
        let size = match mode {
            "from_z" => "sharp.size=256",
            "in_photo" => "frames.size=256",
            _ => "size=256",
        };
        command.args(["--set", size]);
        if mode != "from_z" {
            command.args(["-i", "portrait=portrait.png"]).arg("--pack").arg(repository("models/tiny"));
        }
        if ["given_poses", "video_driven", "reenact"].contains(&mode) {
            command.args(["-i", "driving=driving"]);
        }
        let output = command.args(more).output().expect("the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.statuses()
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("r.json")).expect("a report")).expect("JSON")
    }

    /// Writes what the face in the driving frames does to `to`; gives the status of every node by its name.
    fn track(&self, to: &str) -> BTreeMap<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
        command.current_dir(self.0.path()).arg("run").arg(repository("graphs/examples/track_to_arkit.yaml"));
        command.args(["-i", "driving=driving", "--cache", "cache", "--report", "r.json"]);
        command.arg("--pack").arg(repository("models/tiny")).args(["-o", &format!("face={to}")]);
        let output = command.output().expect("the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.statuses()
    }

    /// The status of every node of the last run by its name.
    fn statuses(&self) -> BTreeMap<String, String> {
        let report = self.report();
        let nodes = report["nodes"].as_array().expect("nodes");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        nodes.iter().map(|node| (text(&node["id"]), text(&node["status"]))).collect()
    }

    /// What `mux` noted about the video, which is there and an MP4.
    fn video(&self) -> Value {
        let bytes = fs::read(self.path("out.mp4")).expect("a video");
        assert_eq!(bytes.get(4..8), Some(&b"ftyp"[..]));
        let report = self.report();
        let nodes = report["nodes"].as_array().expect("nodes");
        nodes.iter().find(|node| node["id"] == "mux").expect("mux")["notes"].clone()
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn named<'a>(statuses: &'a BTreeMap<String, String>, status: &str) -> Vec<&'a str> {
    statuses.iter().filter(|(_, found)| *found == status).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_photo_talks_and_the_next_clip_reuses_the_face() {
    let studio = Studio::new();
    let first = studio.run("from_image", "speech.wav", &[]);
    assert_eq!(named(&first, "ran").len(), first.len());
    assert_eq!(
        (studio.video()["frames"].as_u64(), studio.video()["seconds"].as_f64()),
        (Some(30), Some(1.2))
    );

    let again = studio.run("from_image", "speech.wav", &[]);
    assert_eq!(named(&again, "cached").len(), again.len());

    let smoothed = studio.run("from_image", "speech.wav", &["--set", "frames/render/soft.window=1"]);
    assert_eq!(
        named(&smoothed, "ran"),
        ["frames/render/soft", "frames/render/upsample", "frames/sharp", "mux"]
    );

    let other = studio.run("from_image", "other.wav", &[]);
    assert_eq!(
        named(&other, "cached"),
        ["person/face", "person/guess", "person/matte", "person/pti", "person/shape", "portrait"]
    );

    // The example with blinks and idle motion finds the same person in the store.
    let alive = studio.run("examples/alive", "speech.wav", &[]);
    assert_eq!((&*alive["person/pti"], &*alive["talk"], &*alive["life/blink"]), ("cached", "ran", "ran"));
    assert_eq!(studio.video()["frames"], 30);

    // So does the whole photo, whose size the video has then.
    let whole = studio.run("in_photo", "speech.wav", &[]);
    assert_eq!((&*whole["person/pti"], &*whole["whole"]), ("cached", "ran"));
    assert_eq!(studio.video()["frames"], 30);

    // The driven modes find the same person in the store, and are as long as the speech though the driving is shorter.
    let poses = studio.run("given_poses", "speech.wav", &[]);
    assert_eq!(poses["person/pti"], "cached");
    assert_eq!(studio.video()["frames"], 30);
    let driven = studio.run("video_driven", "speech.wav", &[]);
    assert_eq!((&*driven["person/pti"], &*driven["driver/motion"]), ("cached", "cached"));
    assert_eq!(studio.video()["frames"], 30);

    // Without speech it is as long as the driving is; images have no sound.
    let again = studio.run("reenact", "", &[]);
    assert_eq!((&*again["person/pti"], &*again["driver/moved"]), ("cached", "cached"));
    let video = studio.video();
    assert_eq!((video["frames"].as_u64(), video["audio"].as_str()), (Some(3), Some("none")));

    // The same motion as a recording of face units, which other programs take …
    let written = studio.track("face.csv");
    assert_eq!((&*written["motion"], &*written["file"]), ("cached", "ran"));
    studio.track("face.json");
    let csv = fs::read_to_string(studio.path("face.csv")).expect("a recording");
    let fields: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert_eq!(fields, [63; 4], "{csv}");
    // … and from which the same person moves, whichever file it is.
    for take in ["face.csv", "face.json"] {
        let given = format!("take={take}");
        let acted = studio.run("examples/arkit_driven", "speech.wav", &["-i", &given]);
        assert_eq!((&*acted["person/pti"], &*acted["take"], &*acted["moved"]), ("cached", "ran", "ran"));
        assert_eq!(studio.video()["frames"], 3);
        let report = studio.report();
        let nodes = report["nodes"].as_array().expect("nodes");
        let take = nodes.iter().find(|node| node["id"] == "take").expect("the recording");
        assert_eq!(take["notes"]["frames"], 3);
        assert_eq!((&take["notes"]["missing"], &take["notes"]["unmapped"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn devices_share_the_work_and_make_the_same() {
    let studio = Studio::new();
    let run = |device: &str, cache: &str, video: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
        command.current_dir(studio.0.path()).arg("run").arg(repository("graphs/from_image.yaml"));
        command.args(["--cache", cache, "--device", device, "--progress", "json", "--set", "size=256"]);
        // Longer inversions tell by their last bits how many threads ran them, and each device has but its share of those.
        command.args(["--set", "quality=draft", "-o", &format!("video={video}")]);
        command.args(["-i", "portrait=portrait.png", "-i", "speech=speech.wav"]);
        let output = command.arg("--pack").arg(repository("models/tiny")).output().expect("the program");
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{said}");
        let events: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let finished = events.iter().filter(|event| event["event"] == "finished");
        let mut devices: Vec<String> =
            finished.filter_map(|event| Some(event["device"].as_str()?.to_owned())).collect();
        devices.sort();
        devices.dedup();
        (fs::read(studio.path(video)).expect("a video"), devices)
    };
    let (alone, none) = run("cpu", "one", "one.mp4");
    let (shared, both) = run("cpu,cpu", "two", "two.mp4");
    assert_eq!((none, both), (vec![], vec!["cpu.0".to_owned(), "cpu.1".into()]));
    assert!(alone == shared, "another number of devices, another video");
    // Whoever ran it, it is the same: the first one's results are found by both.
    let (again, none) = run("cpu,cpu", "one", "again.mp4");
    assert_eq!(none, Vec::<String>::new());
    assert!(alone == again);
}

/// A role's second model is taken when it is asked for, and only what uses it runs again. What float16 does to numbers is for those to test who make it
/// (`tools/published`): here the second model is the first with a word more in it.
#[test]
fn half_precision_runs_what_uses_it_again() {
    const WORD: &[u8] = b"\x32\x04half"; // field 6 of an ONNX model, its doc_string
    let studio = Studio::new();
    let (tiny, pack) = (repository("models/tiny"), studio.path("pack"));
    fs::create_dir(&pack).expect("a folder");
    for entry in fs::read_dir(&tiny).expect("the pack") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), pack.join(entry.file_name())).expect("a copy");
    }
    let whole = fs::read(pack.join("deep3d.onnx")).expect("a model");
    fs::write(pack.join("deep3d.half.onnx"), [&whole, WORD].concat()).expect("a model");
    let about = fs::read_to_string(pack.join("pack.yaml")).expect("the pack's file");
    let (before, rest) = about.split_once("deep3d: { file: deep3d.onnx").expect("the role");
    let (digest, rest) = rest.split_once('}').expect("its end");
    let halved = format!("{before}deep3d: {{ file: deep3d.onnx{digest}, half: deep3d.half.onnx }}{rest}");
    fs::write(pack.join("pack.yaml"), halved).expect("the pack's file");
    let graph = "talkgraph: 1\ninputs: { photo: image }\nnodes:
  guess: { type: deep3d, in: { image: photo } }
  head: { type: sample, params: { seed: 1 } }
  write_guess: { type: write_tensors, in: { tensors: guess.coefficients } }
  picture: { type: write_image, in: { image: head.image } }
outputs: { guess: write_guess.file, picture: picture.file }\n";
    fs::write(studio.path("graph.yaml"), graph).expect("a graph");
    let run = |pack: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
        command.current_dir(studio.0.path()).args(["run", "graph.yaml", "-i", "photo=portrait.png"]);
        command
            .args(["--cache", "cache", "--device", "cpu", "--report", "r.json", "--pack"])
            .arg(pack)
            .args(more);
        let output = command.output().expect("the program");
        let ran = |node: &&Value| node["status"] == "ran";
        let report = output.status.success().then(|| studio.report());
        let ran = report.as_ref().map(|report| {
            let nodes = report["nodes"].as_array().expect("nodes").iter().filter(ran);
            let mut ran: Vec<String> =
                nodes.filter_map(|node| Some(node["id"].as_str()?.to_owned())).collect();
            ran.sort();
            (ran, report["versions"]["precision"].as_str().unwrap_or_default().to_owned())
        });
        (ran, String::from_utf8(output.stderr).expect("text"))
    };
    let all = ["guess", "head", "photo", "picture", "write_guess"].map(str::to_owned).to_vec();
    assert_eq!(run(&pack, &[]).0, Some((all, "f32".into())));
    // The model gives the same, so what comes after it is found.
    assert_eq!(run(&pack, &["--precision", "f16"]).0, Some((vec!["guess".to_owned()], "f16".into())));
    assert_eq!(run(&pack, &["--precision", "f16"]).0, Some((vec![], "f16".into())));
    assert_eq!(run(&pack, &["--precision", "f32"]).0, Some((vec![], "f32".into())));
    let (none, said) = run(&tiny, &["--precision", "f16"]);
    assert!(none.is_none() && said.contains("pack tiny: precision: f16 was asked for"), "{said}");
    let (none, said) = run(&pack, &["--precision", "f64"]);
    assert!(none.is_none() && said.contains("expected f32 or f16, found `f64`"), "{said}");
}

#[test]
fn a_seed_talks() {
    // The random pack's heads are no faces, so this is the bundled pack.
    let studio = Studio::new();
    let ran = studio.run("from_z", "speech.wav", &["--set", "head.seed=3"]);
    assert_eq!(named(&ran, "ran").len(), ran.len());
    assert_eq!(studio.video()["frames"], 30);
}
