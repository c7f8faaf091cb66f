use proptest::prelude::*;

use super::{matrix, timecode::Timecode, units::mirrored, *};

const READING: Reading =
    Reading { source: None, otherwise: Rate::new(25, 1), angles: Angles::Radians, strict: false };

/// Apple's list, by the part of the face, spelled out once more: left, right, and what has no side.
const APPLE: &str = "\
eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft \
eyeBlinkRight eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight \
jawForward jawLeft jawRight jawOpen \
mouthClose mouthFunnel mouthPucker mouthLeft mouthRight mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight \
mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper mouthShrugLower \
mouthShrugUpper mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight \
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight \
cheekPuff cheekSquintLeft cheekSquintRight noseSneerLeft noseSneerRight tongueOut";

/// The header that the app writes.
const HEADER: &str = "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,\
EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,EyeWideRight,JawForward,JawRight,\
JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,\
MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,\
MouthPressLeft,MouthPressRight,MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,\
BrowInnerUp,BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,HeadYaw,\
HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll";

fn unit(name: &str) -> usize {
    canonical(name).unwrap()
}

/// Units that are all zero but those named.
fn units(set: &[(&str, f32)]) -> Units {
    let mut units = [0.0; COUNT];
    set.iter().for_each(|(name, value)| units[unit(name)] = *value);
    units
}

fn take(text: &str) -> Take {
    read("x.csv", text.as_bytes(), &READING).unwrap()
}

fn error(text: &str) -> String {
    read("x.csv", text.as_bytes(), &READING).unwrap_err().to_string()
}

/// Three columns and rows at these timecodes.
fn rows(timecodes: &[&str]) -> String {
    let rows: String = timecodes.iter().enumerate().map(|(k, time)| format!("{time},2,0.{k},0\n")).collect();
    format!("Timecode,BlendShapeCount,JawOpen,HeadYaw\n{rows}")
}

fn times(text: &str) -> Vec<f64> {
    let times: Vec<f64> = take(text).frames.iter().map(|frame| frame.time).collect();
    times.iter().map(|time| ((time - times[0]) * 1e6).round() / 1e6).collect()
}

#[test]
fn the_units_are_those_of_apple_in_the_order_of_live_link_face() {
    let mut apple: Vec<_> = APPLE.split_whitespace().collect();
    let mut ours = UNITS.to_vec();
    assert_eq!(ours.len(), 52);
    apple.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, apple);
    let header: Vec<_> = HEADER.split(',').collect();
    assert_eq!(header.len(), 2 + 52 + 9);
    assert_eq!(header[2..54], UNITS.map(upper));
    assert!(UNITS.iter().all(|name| canonical(&upper(name)) == canonical(name)));
    assert_eq!((canonical("EYEBLINKLEFT"), canonical(""), canonical("é")), (None, None, None));
}

#[test]
fn a_mirror_swaps_sides() {
    for name in UNITS {
        let other = UNITS[mirrored(unit(name))];
        assert_eq!(mirrored(unit(other)), unit(name));
        assert_eq!(other != name, name.ends_with("Left") || name.ends_with("Right"), "{name}");
    }
    let mut take = Take::default();
    let frame = Frame {
        time: 0.0,
        units: units(&[("eyeBlinkLeft", 1.0), ("jawOpen", 0.5)]),
        rotation: Some([0.1, 0.2, 0.3]),
        number: 1,
    };
    take.push("x", frame).unwrap();
    take.mirror();
    assert_eq!(take.frames[0].units, units(&[("eyeBlinkRight", 1.0), ("jawOpen", 0.5)]));
    assert_eq!(take.frames[0].rotation, Some([0.1, -0.2, -0.3]));
}

#[test]
fn timecodes_are_times() {
    // 60 a second, as the second's last frame says.
    assert_eq!(
        times(&rows(&["10:00:00:58.000", "10:00:00:59.500", "10:00:01:00.000"])),
        [0.0, 0.025, 0.033333]
    );
    assert_eq!(times(&rows(&["00:00:00:29", "00:00:01:00.000"])), [0.0, 0.033333]);
    // No second passes: the graph's 25, where that may be, else the app's 60.
    assert_eq!(times(&rows(&["00:00:00:00.0", "00:00:00:01.0"])), [0.0, 0.04]);
    assert_eq!(times(&rows(&["00:00:00:00.0", "00:00:00:40.0"])), [0.0, 0.666667]);
    // Midnight.
    assert_eq!(
        times(&rows(&["23:59:59:59.000", "00:00:00:00.000", "00:00:00:01.000"])),
        [0.0, 0.016667, 0.033333]
    );
    // 29.97, when the user says so.
    let ntsc = Reading { source: Some(Rate::new(30_000, 1001)), ..READING };
    let text = rows(&["00:00:00:00.000", "00:00:01:00.000"]);
    let take = read("x.csv", text.as_bytes(), &ntsc).unwrap();
    assert!((take.frames[1].time - 1.001).abs() < 1e-9, "{}", take.frames[1].time);
    let short = Reading { source: Some(Rate::new(25, 1)), ..READING };
    assert_eq!(
        read("x.csv", rows(&["00:00:00:25.0"]).as_bytes(), &short).unwrap_err().to_string(),
        "x.csv:2:1: frame 25 of a second, expected less than 25 as `source_fps` says"
    );
    for text in [
        "",
        "1:2:3",
        "24:00:00:00",
        "00:60:00:00",
        "0:0:0:1e3",
        "0:0:0:-1",
        "0:0:0:1.",
        "a:b:c:d",
        "0:0:0:0:0",
    ] {
        assert!(Timecode::parse(text).is_err(), "{text}");
    }
}

#[test]
fn angles_follow_unreal_and_the_units_the_columns() {
    let text = "Timecode,BlendShapeCount,JawOpen,eyeBlinkLeft,HeadYaw,HeadPitch,HeadRoll\r\n\
                00:00:00:00.000,5,0.25,1,0.3,0.2,0.1\r\n";
    let found = take(text);
    assert_eq!(found.frames[0].units, units(&[("jawOpen", 0.25), ("eyeBlinkLeft", 1.0)]));
    // Pitch, yaw, roll.
    assert_eq!(found.frames[0].rotation, Some([0.2, -0.3, -0.1]));
    assert_eq!(found.missing.len(), 50);
    let degrees = Reading { angles: Angles::Degrees, ..READING };
    let text = text.replace(",0.3,", ",90,");
    let found = read("x.csv", text.as_bytes(), &degrees).unwrap().frames[0].rotation.unwrap();
    assert!((found[1] + std::f32::consts::FRAC_PI_2).abs() < 1e-6);
    let error = read("x.csv", text.as_bytes(), &READING).unwrap_err();
    assert_eq!(error.to_string(), "x.csv:2:26: expected an angle of half a turn at most, found 90");
    assert_eq!(error.hint_text(), Some("`angles: degrees` if the file's angles are such"));
}

#[test]
fn rows_without_a_face_are_bridged_and_noted() {
    let text = "Timecode,BlendShapeCount,JawOpen,Strange\n00:00:00:00.000,2,0,1\n00:00:00:01.000,0\n\
                00:00:00:02.000,0,0,0\n00:00:00:03.000,2,0.6,1\n00:00:00:03.000,2,0.9,1\n00:00:00:04.000,61,0,1\n";
    let found = take(text);
    let jaw: Vec<f32> = found.at(Rate::new(25, 1), false).map(|(units, _)| units[unit("jawOpen")]).collect();
    assert!(jaw.iter().zip([0.0, 0.2, 0.4, 0.6, 0.0]).all(|(a, b)| (a - b).abs() < 1e-5), "{jaw:?}");
    let nearest: Vec<f32> =
        found.at(Rate::new(25, 1), true).map(|(units, _)| units[unit("jawOpen")]).collect();
    assert_eq!(nearest, [0.0, 0.0, 0.6, 0.6, 0.0]);
    let notes: std::collections::BTreeMap<_, _> = found.notes().into_iter().collect();
    assert_eq!(
        (notes["dropped"].as_u64(), notes["repeated"].as_u64(), notes["miscounted"].as_u64()),
        (Some(2), Some(1), Some(1))
    );
    assert_eq!(notes["unknown"][0], "Strange");
    let warning = found.warning("x.csv");
    assert_eq!(warning.as_deref(), Some("x.csv: 2 of 6 frames show no face and are bridged"));
    assert_eq!(
        found.check_gaps("x.csv", 0.1).unwrap_err().to_string(),
        "x.csv:5:1: 0.12 s after the frame before, the most is 0.1"
    );
    assert!(found.check_gaps("x.csv", 0.12).is_ok());
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let head = "Timecode,BlendShapeCount,JawOpen,TongueOut\n";
    let with = |rows: &str| error(&format!("{head}{rows}"));
    assert_eq!(error(""), "x.csv: expected face units, found an empty file");
    assert_eq!(error(" \n\n"), "x.csv: expected face units, found an empty file");
    assert_eq!(error(head), "x.csv: no frame with a face, found 0 without one");
    assert_eq!(with("00:00:00:00.000,0\n"), "x.csv: no frame with a face, found 1 without one");
    assert_eq!(with("00:00:00:00.000,2,0.1,x\n"), "x.csv:2:23: expected a number, found `x`");
    assert_eq!(with("\n\r\n00:00:00:00.000,2,nan,0\n"), "x.csv:4:19: expected a number, found `nan`");
    assert_eq!(with("00:00:00:00.000,2,,0\n"), "x.csv:2:19: expected a number, found nothing");
    assert_eq!(with("00:00:00:00.000,2,0\n"), "x.csv:2:21: expected 4 fields as in the header, found 3");
    assert_eq!(with("00:00:00:00.000,2,0,0,0\n"), "x.csv:2:23: expected 4 fields as in the header, found 5");
    assert_eq!(
        with("00:00:00:00.000,two,0,0\n"),
        "x.csv:2:17: expected a count of blend shapes, found `two`"
    );
    assert_eq!(with("0.04,2,0,0\n"), "x.csv:2:1: expected a timecode HH:MM:SS:FF.sss, found `0.04`");
    assert_eq!(
        with("00:00:00:02.000,2,0,0\n00:00:00:01.000,2,0,0\n"),
        "x.csv:3:1: 0.040 s before the frame of line 2, expected times that rise"
    );
    assert_eq!(
        error("Timecode,BlendShapeCount,JawOpen,jawOpen\n"),
        "x.csv:1:34: the column `jawOpen` comes twice"
    );
    assert_eq!(
        error("a,b\n1,2\n"),
        "x.csv:1:1: expected the columns Timecode, BlendShapeCount, EyeBlinkLeft, …, found `a,b`"
    );
    assert_eq!(
        read("x.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &READING).unwrap_err().to_string(),
        "x.csv: expected a Live Link Face CSV or MediaPipe's JSON, found a PNG image"
    );
    let latin = [head.as_bytes(), b"00:00:00:00.000,2,\xe9,0\n"].concat();
    assert_eq!(read("x.csv", &latin, &READING).unwrap_err().to_string(), "x.csv:2:1: expected text in UTF-8");
    let strict = Reading { strict: true, ..READING };
    let message = read("x.csv", HEADER.replace(",JawOpen", "").as_bytes(), &strict).unwrap_err();
    assert_eq!(message.to_string(), "x.csv:1:1: no column JawOpen");
}

/// A result of MediaPipe's, with these scores.
fn result(set: &[(&str, f32)], more: &str) -> String {
    let categories: Vec<_> = [("_neutral", 0.1)]
        .iter()
        .chain(set)
        .enumerate()
        .map(|(k, (name, score))| {
            format!(r#"{{"index":{k},"score":{score},"categoryName":"{name}","displayName":""}}"#)
        })
        .collect();
    format!(r#"{{"faceBlendshapes":[{{"categories":[{}]}}]{more}}}"#, categories.join(","))
}

#[test]
fn json_comes_alone_in_a_list_or_line_by_line() {
    let one = |jaw: f32, ms: u32| result(&[("jawOpen", jaw)], &format!(r#","timestampMs":{ms}"#));
    let jaws = |text: &str| -> Vec<(f32, f64)> {
        let found = read("x.json", text.as_bytes(), &READING).unwrap();
        found.frames.iter().map(|frame| (frame.units[unit("jawOpen")], frame.time)).collect()
    };
    assert_eq!(jaws(&one(0.5, 0)), [(0.5, 0.0)]);
    let expected = [(0.5, 1.0), (0.75, 1.033)];
    assert_eq!(jaws(&format!("[{},\n{}]", one(0.5, 1000), one(0.75, 1033))), expected);
    assert_eq!(jaws(&format!("{}\n{}\n", one(0.5, 1000), one(0.75, 1033))), expected);
    // Names as in Python, without times: the graph's rate. A frame without a face counts in time.
    let python = r#"[{"face_blendshapes":[[{"category_name":"jawOpen","score":0.5}]]},{"face_blendshapes":[]},
                     {"face_blendshapes":[[{"category_name":"jawOpen","score":0.25}]]}]"#;
    assert_eq!(jaws(python), [(0.5, 0.0), (0.25, 0.08)]);
}

#[test]
fn matrices_are_read_in_columns_and_in_rows() {
    let angles = [0.2, -0.4, 0.1];
    let rows = matrix::rotation(angles);
    let flat = |number: &dyn Fn(usize, usize) -> f64| -> String {
        (0..16).map(|k| number(k / 4, k % 4).to_string()).collect::<Vec<_>>().join(",")
    };
    // 1.5 times as large, and moved.
    let of = |row: usize, column: usize| match (row, column) {
        (3, 3) => 1.0,
        (3, _) => 0.0,
        (row, 3) => [1.0, 2.0, -40.0][row],
        (row, column) => 1.5 * rows[row][column],
    };
    let columns = format!(r#"{{"rows":4,"columns":4,"data":[{}]}}"#, flat(&|k, l| of(l, k)));
    let plain = format!("[{}]", flat(&|k, l| of(l, k)));
    let nested: Vec<String> =
        (0..4).map(|row| format!("[{},{},{},{}]", of(row, 0), of(row, 1), of(row, 2), of(row, 3))).collect();
    for matrix in [columns, plain, format!("[{}]", nested.join(","))] {
        let text = result(&[("jawOpen", 0.5)], &format!(r#","facialTransformationMatrixes":[{matrix}]"#));
        let found = read("x.json", text.as_bytes(), &READING).unwrap().frames[0].rotation.unwrap();
        assert!(found.iter().zip(angles).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {matrix}");
    }
    // The nose of a head that turns to the image's right, and nods down.
    let nose = matrix::rotation([0.3, 0.5, 0.0]).map(|row| row[2]);
    assert!(nose[0] > 0.4 && nose[1] < -0.2 && nose[2] > 0.7, "{nose:?}");
}

#[test]
fn what_is_wrong_in_json_is_said_with_its_place() {
    let error = |text: &str| read("x.json", text.as_bytes(), &READING).unwrap_err().to_string();
    let good = result(&[("jawOpen", 0.5)], "");
    assert_eq!(error("{\"a\": 1,\n x"), "x.json:2:2: key must be a string");
    assert_eq!(error("[1]"), "x.json: [0]: expected an object with `faceBlendshapes`, found 1");
    assert_eq!(error("{\"a\": 1}"), "x.json:1:1: expected `faceBlendshapes`, found `a`");
    assert_eq!(error("[]"), "x.json: no frame with a face, found 0 without one");
    assert_eq!(
        error(&format!("{good}\n{}", good.replace("0.5", "\"much\""))),
        "x.json:2:1: faceBlendshapes[0].categories[1].score: expected a number, found `much`"
    );
    assert_eq!(
        error(&result(&[("jawOpen", 0.5), ("jawOpen", 0.4)], "")),
        "x.json:1:1: faceBlendshapes[0].categories[2]: `jawOpen` comes twice"
    );
    assert_eq!(error(&result(&[], "")), "x.json:1:1: faceBlendshapes[0]: no face unit among 1 categories");
    let timed = result(&[("jawOpen", 0.5)], ",\"timestamp_ms\":7");
    assert_eq!(
        error(&format!("{timed}\n{good}")),
        "x.json:2:1: expected a `timestampMs` as the frames before, found none"
    );
    let earlier = result(&[("jawOpen", 0.5)], ",\"timestamp_ms\":5");
    assert_eq!(
        error(&format!("[{timed},{earlier}]")),
        "x.json: [1]: 0.002 s before the frame of [0], expected times that rise"
    );
    assert_eq!(
        error(&result(&[("jawOpen", 0.5)], ",\"facialTransformationMatrixes\":[[1,2]]")),
        "x.json:1:1: facialTransformationMatrixes[0]: expected a matrix of 4 x 4 numbers, found a list of 2"
    );
    let strict = Reading { strict: true, ..READING };
    let all: Vec<_> = UNITS.iter().filter(|unit| **unit != "tongueOut").map(|&unit| (unit, 0.5)).collect();
    assert!(read("x.json", result(&all, "").as_bytes(), &strict).is_ok());
    let message = read("x.json", result(&all[1..], "").as_bytes(), &strict).unwrap_err();
    assert_eq!(message.to_string(), "x.json:1:1: faceBlendshapes[0]: no category eyeBlinkLeft");
}

#[test]
fn the_face_at_rest_is_taken_off() {
    let text = "Timecode,BlendShapeCount,JawOpen,HeadYaw\n00:00:00:00.000,2,0.1,0.2\n00:00:00:01.000,2,0.3,0.2\n\
                00:00:00:02.000,2,1,0.5\n00:00:00:03.000,2,0,0.2\n";
    let mut found = take(text);
    found.rest(0.08);
    let jaw: Vec<f32> = found.frames.iter().map(|frame| frame.units[unit("jawOpen")]).collect();
    assert!(jaw.iter().zip([0.0, 0.125, 1.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-5), "{jaw:?}");
    let yaw = found.frames[2].rotation.unwrap()[1];
    assert!((yaw + 0.3).abs() < 1e-6, "{yaw}");
}

#[test]
fn a_csv_has_the_apps_bytes() {
    let one =
        units(&[("jawOpen", 0.5), ("eyeLookOutLeft", 1.0), ("eyeLookInRight", 1.0), ("eyeLookUpLeft", 0.5)]);
    let frames = [(one, [0.1, 0.2, -0.3]), ([0.0; COUNT], [0.0; 3])];
    let text =
        String::from_utf8(to_csv(frames.into_iter(), Rate::new(30, 1), Angles::Radians).unwrap()).unwrap();
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    assert_eq!((lines.len(), lines[0]), (3, HEADER));
    let fields: Vec<&str> = lines[1].split(',').collect();
    assert_eq!((fields.len(), fields[0], fields[1]), (63, "00:00:00:00.000", "61"));
    assert_eq!(fields[2 + unit("jawOpen")], "0.50000000");
    assert_eq!(fields[54..57], ["-0.20000000", "0.10000000", "0.30000001"]);
    // Both eyes look to the person's left, which is -yaw; the left one also up.
    assert_eq!(
        fields[57..],
        ["-0.60000002", "-0.22499999", "0.00000000", "-0.60000002", "0.00000000", "0.00000000"]
    );
    assert_eq!(lines[2], format!("00:00:00:01.000,61{}", ",0.00000000".repeat(61)));
    assert!(text.ends_with('\n') && !text.contains('\r'));
}

#[test]
fn json_has_every_name_once() {
    let frames = [(units(&[("jawOpen", 0.1)]), [0.0; 3])];
    let bytes = to_json(frames.into_iter(), Rate::new(25, 1), true).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let categories = value[0]["faceBlendshapes"][0]["categories"].as_array().unwrap();
    assert_eq!((categories.len(), &categories[0]["categoryName"]), (53, &"_neutral".into()));
    assert_eq!(categories[1]["categoryName"], "browDownLeft");
    assert!(categories.iter().any(|one| one["categoryName"] == "jawOpen" && one["score"] == 0.1));
    let data = &value[0]["facialTransformationMatrixes"][0]["data"];
    assert_eq!(
        (data.as_array().unwrap().len(), data[0].as_f64(), data[15].as_f64()),
        (16, Some(1.0), Some(1.0))
    );
}

/// Frames with any units and small turns.
fn frames() -> impl Strategy<Value = Vec<(Units, [f32; 3])>> {
    let units = prop::collection::vec(0.0f32..=1.0, COUNT).prop_map(|all| std::array::from_fn(|k| all[k]));
    let turn = prop::array::uniform3(-1.2f32..1.2);
    prop::collection::vec((units, turn), 1..70)
}

fn rate() -> impl Strategy<Value = Rate> {
    let all = [(24, 1), (25, 1), (30, 1), (50, 1), (60, 1), (120, 1), (15, 1), (10, 1)];
    prop::sample::select(all.map(|(num, den)| Rate::new(num, den)).to_vec())
}

fn alike(found: &Take, frames: &[(Units, [f32; 3])], rate: Rate) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len_at(rate), frames.len());
    for ((units, turn), (expected, turned)) in found.at(rate, false).zip(frames) {
        prop_assert!(units.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4));
        prop_assert!(turn.iter().zip(turned).all(|(a, b)| (a - b).abs() < 1e-4), "{:?} {:?}", turn, turned);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(frames in frames(), rate in rate()) {
        let reading = Reading { otherwise: rate, ..READING };
        let csv = to_csv(frames.iter().copied(), rate, Angles::Radians).unwrap();
        alike(&read("x.csv", &csv, &reading).unwrap(), &frames, rate)?;
        let json = to_json(frames.iter().copied(), rate, true).unwrap();
        alike(&read("x.json", &json, &reading).unwrap(), &frames, rate)?;
    }

    #[test]
    fn coefficients_come_back(values in prop::collection::vec(0.0f32..=1.0, 12), signs in prop::collection::vec(any::<bool>(), 12)) {
        let names = mapping::tests::names();
        let mapping = Mapping::by_names(&names, |_| [-1.1, 1.1]);
        // Lids, brows and the corners go both ways, and the eyes.
        let least = |name: &str| match name {
            "smile" | "blink_left" | "blink_right" | "brow" => -0.4,
            "gaze_x" | "gaze_y" => -1.0,
            _ => 1.0,
        };
        let row: Vec<f32> =
            (0..12).map(|k| if signs[k] { values[k] * least(&names[k]) } else { values[k] }).collect();
        let (units, cut) = mapping.units(&row);
        prop_assert!(!cut && units.iter().all(|unit| (0.0..=1.0).contains(unit)));
        let back: Vec<f32> = mapping.coefficients(&units, 1.0).collect();
        prop_assert!(back.iter().zip(&row).all(|(a, b)| (a - b).abs() < 1e-5), "{:?} {:?}", row, back);
    }

    #[test]
    fn damaged_files_are_read_or_refused(
        csv in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..12),
    ) {
        let frames = [(units(&[("jawOpen", 0.5)]), [0.1; 3]); 4];
        let rate = Rate::new(25, 1);
        let written = if csv { to_csv(frames.into_iter(), rate, Angles::Radians) } else { to_json(frames.into_iter(), rate, true) };
        let mut bytes = written.unwrap();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len().max(1));
            match kind {
                0 => bytes.insert(at.min(bytes.len()), byte),
                1 => bytes.iter_mut().skip(at).take(1).for_each(|one| *one = byte),
                2 => drop(bytes.drain(at.min(bytes.len())..(at + usize::from(byte)).min(bytes.len()))),
                _ => bytes.truncate(bytes.len().saturating_sub(usize::from(byte) / 16)),
            }
        }
        match read("x", &bytes, &READING) {
            Ok(take) => {
                let at = take.at(rate, false).take(100);
                prop_assert!(at.flat_map(|(units, turn)| units.into_iter().chain(turn)).all(f32::is_finite));
            }
            Err(error) => prop_assert!(error.to_string().starts_with("x:"), "{}", error),
        }
    }
}

#[test]
fn a_pack_with_the_names_gets_the_units_as_they_are() {
    let mut names = UNITS.map(String::from).to_vec();
    names.reverse();
    names.push("other".into());
    let mapping = Mapping::by_names(&names, |_| [-0.4, 1.1]);
    assert_eq!(mapping.unmapped, ["other"]);
    let mut all: Units = std::array::from_fn(|k| k as f32 / 52.0);
    // As they are: not even bounds count.
    all[0] = 1.5;
    let row: Vec<f32> = mapping.coefficients(&all, 1.0).collect();
    assert_eq!(row, all.iter().rev().copied().chain([0.0]).collect::<Vec<_>>());
    let (back, cut) = mapping.units(&row);
    assert!(cut && back[0] == 1.0 && back[1..] == all[1..]);
}

#[test]
fn the_bundled_packs_names_are_mixed_of_units() {
    let names = mapping::tests::names();
    let mapping = Mapping::by_names(&names, |_| [-0.4, 1.1]);
    let made = |set: &[(&str, f32)]| -> Vec<(String, f32)> {
        let units = units(set);
        let row = mapping.coefficients(&units, 1.0);
        names.iter().cloned().zip(row).filter(|(_, value)| *value != 0.0).collect()
    };
    let one = |name: &str, value: f32| vec![(name.to_owned(), value)];
    assert_eq!(made(&[("jawOpen", 0.7)]), one("jaw", 0.7));
    assert_eq!(made(&[("eyeBlinkLeft", 1.0)]), one("blink_left", 1.0));
    assert_eq!(made(&[("eyeWideRight", 1.0)]), one("blink_right", -0.4));
    assert_eq!(made(&[("mouthSmileLeft", 0.5), ("mouthSmileRight", 0.5)]), one("smile", 0.5));
    assert_eq!(made(&[("browDownLeft", 1.0), ("browDownRight", 1.0)]), one("brow", -0.4));
    assert_eq!(
        made(&[("mouthClose", 1.0), ("mouthRollLower", 1.0), ("mouthRollUpper", 1.0)]),
        one("press", 1.1)
    );
    // To the person's left, which is the image's right.
    assert_eq!(made(&[("eyeLookOutLeft", 1.0), ("eyeLookInRight", 1.0)]), one("gaze_x", 1.0));
    assert_eq!(made(&[("eyeLookDownLeft", 1.0), ("eyeLookDownRight", 1.0)]), one("gaze_y", -0.4));
    assert!(made(&[("cheekPuff", 1.0), ("tongueOut", 1.0)]).is_empty());
    // Pressed lips over an open jaw are closed ones.
    let mut row = vec![0.0; 12];
    (row[0], row[3]) = (0.3, 0.8);
    let (back, cut) = mapping.units(&row);
    let places = ["jawOpen", "mouthClose", "mouthPressLeft", "mouthPressRight"];
    assert_eq!((places.map(|name| back[unit(name)]), cut), ([0.3, 0.3, 0.5, 0.5], false));
    row[1] = -0.2;
    assert!(mapping.units(&row).1);
}
