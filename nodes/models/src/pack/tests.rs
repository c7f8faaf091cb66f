use std::fs;

use tempfile::TempDir;

use super::*;
use talkgraph_cache::Digest;

use crate::{file::fingerprint, testing::onnx::Model};

const HEAD: &str = "\
talkgraph_pack: 1
name: sample
version: 1
licence: CC0-1.0
resolution: 32
coefficients: { size: 12, identity: [0, 3], expression: [3, 5], texture: [5, 6], rotation: [6, 9], translation: [9, 12] }
expression: [jaw, wide]
parsing: { mouth: [7, 8, 9], torso: [10], size: 32, mean: [0, 0, 0], std: [1, 1, 1] }
defaults: { pti: { steps: 120 } }
";

/// An ONNX file with these ports and nothing else.
fn onnx(inputs: &[(&str, &str)], outputs: &[(&str, &str)]) -> Vec<u8> {
    let model = inputs.iter().fold(Model::new(), |model, (name, sizes)| model.input(name, sizes));
    outputs.iter().fold(model, |model, (name, sizes)| model.output(name, sizes)).file()
}

fn pack(rest: &str, models: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pack.yaml"), format!("{HEAD}{rest}")).unwrap();
    for (name, bytes) in models {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn open(folder: &TempDir) -> Result<Pack> {
    Pack::open(folder.path(), &Home::at(folder.path()), &fingerprint)
}

fn error(rest: &str, models: &[(&str, Vec<u8>)]) -> String {
    open(&pack(rest, models)).unwrap_err().to_string()
}

#[test]
fn tells_what_nodes_ask_for() {
    let deep3d = onnx(&[("image", "n,3,x,x")], &[("coefficients", "n,12")]);
    let digest = Digest::of(&deep3d);
    let folder =
        pack(&format!("roles: {{ deep3d: {{ file: d.onnx, blake3: {digest} }} }}"), &[("d.onnx", deep3d)]);
    let pack = open(&folder).unwrap();
    assert_eq!((pack.name(), pack.resolution(), pack.coefficients().expressions()), ("sample", 32, 2));
    assert_eq!(pack.default("pti", "steps"), Some(&ParamValue::Int(120)));
    assert_eq!(pack.model("deep3d").unwrap().digest, digest);
    assert!(pack.check().is_empty());
    let missing = pack.model("parse").unwrap_err();
    assert_eq!(missing.to_string(), "pack sample has no role `parse`");
    let row: Vec<f32> = (0..12).map(|k| k as f32).collect();
    assert_eq!(pack.coefficients().pose_of(&row).unwrap(), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
    assert!(pack.coefficients().expression_of(&row[1..]).is_err());
}

#[test]
fn files_and_digests_are_checked_when_opened() {
    assert!(error("roles: { deep3d: { file: d.onnx, blake3: 00 } }", &[]).contains("pack.yaml"));
    let zeros = "0".repeat(64);
    let entry = format!("roles: {{ deep3d: {{ file: d.onnx, blake3: {zeros} }} }}");
    assert!(error(&entry, &[]).ends_with("d.onnx is missing"));
    assert!(error(&entry, &[("d.onnx", vec![1])]).contains("expected blake3 00000000…"));
    assert!(error("roles: { nose: d.onnx }", &[]).contains("nose: unknown role"));
    assert!(error("roles: { face_mesh: '@setup/m.onnx' }", &[]).contains("the network m.onnx was not found"));
}

#[test]
fn faults_of_the_file_name_the_key() {
    let broken = |from: &str, to: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pack.yaml"), format!("{HEAD}roles: {{}}\n").replace(from, to)).unwrap();
        open(&folder).unwrap_err().to_string()
    };
    assert!(
        broken("talkgraph_pack: 1", "talkgraph_pack: 2").ends_with("talkgraph_pack: expected 1, found 2")
    );
    assert!(broken("[jaw, wide]", "[jaw]").ends_with("expected 2 names, one a coefficient, found 1"));
    assert!(broken("[jaw, wide]", "[jaw, jaw]").ends_with("expression: number 1: `jaw` stands twice"));
    assert!(broken("rotation: [6, 9]", "rotation: [5, 8]").ends_with("[5, 8] overlaps texture"));
    assert!(broken("translation: [9, 12]", "translation: [9, 13]").contains("within 0..12"));
    assert!(broken("version: 1", "versoin: 1").contains("versoin"));
}

#[test]
fn tensors_are_checked_against_the_role() {
    let faults = |inputs: &[(&str, &str)], outputs: &[(&str, &str)]| {
        let folder = pack("roles: { deep3d: d.onnx }", &[("d.onnx", onnx(inputs, outputs))]);
        let faults = open(&folder).unwrap().check();
        assert_eq!(faults.len(), 1);
        faults[0].to_string()
    };
    let image = [("image", "n,3,x,x")];
    assert!(faults(&image, &[("out", "n,12")]).ends_with("output `coefficients` is missing, found out"));
    assert!(faults(&image, &[("coefficients", "12")]).ends_with("expected f32 [n,K], found f32 [12]"));
    let wrong = faults(&image, &[("coefficients", "n,9")]);
    assert!(wrong.ends_with("expected K = 12 as in coefficients.size, found f32 [n,9]"), "{wrong}");
    let surplus = faults(&[("photo", "n,3,x,x")], &[("coefficients", "n,12")]);
    assert!(surplus.ends_with("input `photo` is not offered; the role has image"), "{surplus}");
}

/// `source` of the role `render` may be absent, but not of another shape.
#[test]
fn outputs_that_may_be_absent_are_checked_where_they_are() {
    let fault = |outputs: &[(&str, &str)]| {
        let folder = pack("roles: { render: r.onnx }", &[("r.onnx", onnx(&[("origins", "1,N,3")], outputs))]);
        open(&folder).unwrap().check().first().map(ToString::to_string)
    };
    let rendered = [("features", "1,8,N"), ("alpha", "1,1,N")];
    let with = |source| fault(&[&rendered[..], &[("source", source)]].concat());
    assert_eq!((fault(&rendered), with("1,3,N")), (None, None));
    let wrong = with("1,N,3,1").unwrap();
    assert!(wrong.ends_with("output `source`: expected f32 [1,3,N], found f32 [1,N,3,1]"), "{wrong}");
}

#[test]
fn symbols_agree_between_roles() {
    let camera = onnx(&[("pose", "n,6")], &[("origins", "n,16,3"), ("directions", "n,16,3")]);
    let upsample = onnx(&[("features", "1,8,5,5")], &[("image", "1,3,32,32")]);
    let folder =
        pack("roles: { camera: c.onnx, upsample: u.onnx }", &[("c.onnx", camera), ("u.onnx", upsample)]);
    let pack = open(&folder).unwrap();
    assert!(pack.ensure_sound().unwrap_err().to_string().starts_with("pack sample: role `upsample`"));
    let faults = pack.check();
    assert!(faults[0].to_string().ends_with("R = 5 needs N = 25 rays, found 16"), "{}", faults[0]);
}

#[test]
fn phases_are_models_and_their_schedule_enters_keys() {
    let init = onnx(&[], &[("params", "4")]);
    let step =
        onnx(&[("params", "4")], &[("params_out", "4"), ("m_out", "4"), ("v_out", "4"), ("loss", "1")]);
    let phase = |rate: &str| {
        let steps = "{ draft: 1, standard: 5, fine: 9 }";
        let graphs = "init: i.onnx, step: s.onnx, finish: i.onnx";
        let entry = format!("{graphs}, steps: {steps}, learning_rate: {rate}");
        let folder = pack(
            &format!("roles: {{}}\noptimisations: {{ pti: [{{ name: pivot, {entry} }}] }}"),
            &[("i.onnx", init.clone()), ("s.onnx", step.clone())],
        );
        open(&folder).map(|pack| (folder, pack))
    };
    let (_folder, one) = phase("0.1").unwrap();
    assert!(one.check().is_empty());
    let steps = one.phases("pti").unwrap()[0].steps;
    assert_eq!(
        [Quality::Draft, Quality::Standard, Quality::Fine].map(|quality| steps.of(quality)),
        [1, 5, 9]
    );
    assert_eq!(Quality::NAMES.map(|name| Quality::named(name).unwrap() as usize), [0, 1, 2]);
    assert_eq!(Steps::Same(7).of(Quality::Draft), 7);
    let names = one.optimisation_roles("pti").unwrap();
    assert_eq!(names, ["pti.pivot.init", "pti.pivot.step", "pti.pivot.finish", "pack.optimisations.pti"]);
    let digests = |pack: &Pack| names.iter().map(|name| pack.model(name).unwrap().digest).collect::<Vec<_>>();
    let (_folder, other) = phase("0.2").unwrap();
    assert_eq!(digests(&one)[..3], digests(&other)[..3]);
    assert_ne!(digests(&one)[3], digests(&other)[3]);
    assert!(
        phase("0").err().unwrap().to_string().ends_with("pivot.learning_rate: expected more than 0, found 0")
    );
}

#[test]
fn what_a_face_does_and_which_landmarks_it_has() {
    let one = |more: &str| open(&pack(&format!("{more}roles: {{}}"), &[]));
    let plain = one("").unwrap();
    assert_eq!((plain.expression_range(), plain.landmarks(), plain.unblended()), (None, None, 0));
    assert!(plain.stated(&["pack.landmarks", "pack.expression_range", "pack.unblended"]).is_empty());
    let all = one("expression_range: [-3, 3]\nlandmarks: [0, 467, 13]\nunblended: 3\n").unwrap();
    assert_eq!(all.expression_range(), Some(&[[-3.0, 3.0]; 2][..]));
    assert_eq!((all.landmarks(), all.unblended()), (Some(&[0, 467, 13][..]), 3));
    let settings = ["pack.landmarks", "pack.expression_range", "pack.unblended"];
    assert_eq!(all.stated(&settings), settings);
    let each = one("expression_range: [[-3, 3], [-1, 0.5]]\n").unwrap();
    assert_eq!(each.expression_range(), Some(&[[-3.0, 3.0], [-1.0, 0.5]][..]));
    let digest = |pack: &Pack| pack.model("pack.expression_range").unwrap().digest;
    assert_ne!(digest(&all), digest(&each));
    for (more, fault) in [
        ("expression_range: [1, 1]", "expression_range: expected a lower and a higher number, found 1, 1"),
        (
            "expression_range: [[0, 1]]",
            "expression_range: expected one pair, or 2 pairs, one a coefficient, found 1",
        ),
        (
            "expression_range: [[0, 1], [2, .nan]]",
            "number 1 (`wide`): expected a lower and a higher number, found 2, NaN",
        ),
        ("landmarks: []", "landmarks: expected numbers of points of the face mesh, found none"),
        ("landmarks: [3, 468]", "landmarks: number 1: expected a point from 0 to 467, found 468"),
    ] {
        let error = one(&format!("{more}\n")).unwrap_err().to_string();
        assert!(error.ends_with(fault), "{error}");
    }
    let error = one("unblended: -1\n").unwrap_err().to_string();
    assert!(error.contains("pack.yaml:10:"), "{error}");
    let error = one("expression_range: wide\n").unwrap_err().to_string();
    assert!(error.contains("pack.yaml:10:"), "{error}");
}

#[test]
fn landmarks_and_channels_agree_with_the_models() {
    let model = onnx(
        &[("coefficients", "n,12")],
        &[("vertices", "n,9,3"), ("landmarks", "n,4,2"), ("contour", "n,5,2")],
    );
    let upsample = onnx(&[("features", "1,8,4,4")], &[("image", "1,3,32,32")]);
    let faults = |more: &str| {
        let roles = "roles: { morphable_model: m.onnx, upsample: u.onnx }";
        let folder =
            pack(&format!("{more}\n{roles}"), &[("m.onnx", model.clone()), ("u.onnx", upsample.clone())]);
        open(&folder).unwrap().check().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(faults("landmarks: [1, 2, 3, 4]\nunblended: 7").is_empty());
    let found = faults("landmarks: [1, 2, 3]\nunblended: 8");
    assert!(found[0].ends_with("expected M = 3 as in landmarks, found f32 [n,4,2]"), "{found:?}");
    assert!(
        found[1].starts_with("unblended: expected less than the 8 channels of role `upsample`"),
        "{found:?}"
    );
}

#[test]
fn a_role_in_half_precision_takes_the_place_of_the_whole() {
    let model = |symbol: &str| onnx(&[("image", &format!("{symbol},3,x,x"))], &[("coefficients", "n,12")]);
    let (whole, half) = (Digest::of(&model("n")), Digest::of(&model("m")));
    let parse = onnx(&[("image", "n,3,32,32")], &[("logits", "n,16,32,32")]);
    let roles = |files: &str| format!("roles: {{ deep3d: {files}, parse: p.onnx }}");
    let models = [("d.onnx", model("n")), ("h.onnx", model("m")), ("p.onnx", parse)];
    let folder = pack(
        &roles(&format!("{{ file: d.onnx, blake3: {whole}, half: {{ file: h.onnx, blake3: {half} }} }}")),
        &models,
    );
    let digest = |pack: &Pack| pack.model("deep3d").unwrap().digest;
    let plain = open(&folder).unwrap();
    assert_eq!((digest(&plain), plain.models().count()), (whole, 3));
    assert!(plain.check().is_empty());
    let asked = open(&folder).unwrap().in_precision(Precision::F16).unwrap();
    assert_eq!((digest(&asked), asked.models().count()), (half, 3));
    assert_eq!(asked.model("deep3d").unwrap().name, "deep3d.half");
    assert_eq!(asked.model("parse").unwrap().digest, plain.model("parse").unwrap().digest);
    assert_eq!(["deep3d", "parse"].map(|role| asked.precision_of(role)), [Precision::F16, Precision::F32]);
    assert_eq!(plain.precision_of("deep3d"), Precision::F32);
    assert_eq!(digest(&asked.in_precision(Precision::F32).unwrap()), whole);

    let without = open(&pack(&roles("d.onnx"), &models)).unwrap();
    let error = without.in_precision(Precision::F16).unwrap_err();
    assert!(error.to_string().ends_with("no model of it is in half precision"), "{error}");
    let zeros = "0".repeat(64);
    let damaged = format!("{{ file: d.onnx, blake3: {whole}, half: {{ file: h.onnx, blake3: {zeros} }} }}");
    assert!(self::error(&roles(&damaged), &models).starts_with("model deep3d.half: "));
}

/// What computes in half precision is held to the contract of its role even where it is not used.
#[test]
fn models_in_half_precision_are_checked() {
    let whole = onnx(&[("image", "n,3,x,x")], &[("coefficients", "n,12")]);
    let half = onnx(&[("image", "n,3,x,x")], &[("coefficients", "n,9")]);
    let entry = format!("{{ file: d.onnx, blake3: {}, half: h.onnx }}", Digest::of(&whole));
    let folder = pack(&format!("roles: {{ deep3d: {entry} }}"), &[("d.onnx", whole), ("h.onnx", half)]);
    let faults = open(&folder).unwrap().check();
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].to_string().contains("h.onnx") && faults[0].to_string().contains("K = 12"),
        "{}",
        faults[0]
    );
}
