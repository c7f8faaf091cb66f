//! MediaPipe's JSON: what its face landmarker gives for a picture, one object a frame: alone, in a list, or one after the other (JSON
//! Lines). Names as in JavaScript (`faceBlendshapes`) or Python (`face_blendshapes`).

use serde_json::{Deserializer, Map, Value, json};

use super::{COUNT, Frame, Reading, Take, UNITS, Units, canonical, matrix, units::TONGUE};
use crate::{
    contract::Rate,
    error::{NodeError, Result},
};

/// The category that stands for a face at rest; no unit.
const NEUTRAL: &str = "_neutral";

/// Names of a frame's time, and how many seconds one of them is.
const TIMES: [(&str, f64); 4] =
    [("timestampMs", 1e-3), ("timestamp_ms", 1e-3), ("timestamp", 1e-3), ("time", 1.0)];

/// Reads the JSON called `name`.
pub(super) fn read(name: &str, bytes: &[u8], reading: &Reading) -> Result<Take> {
    let mut reader =
        Reader { name, reading, take: Take::default(), frames: 0, timed: None, seen: [false; COUNT] };
    let mut stream = Deserializer::from_slice(bytes).into_iter::<Value>();
    let (mut line, mut at) = (1, 0);
    loop {
        let start = stream.byte_offset();
        let start = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        line += bytes[at..start].iter().filter(|&&byte| byte == b'\n').count();
        at = start;
        let Some(document) = stream.next() else { break };
        let document = document.map_err(|error| {
            let place = format!("{name}:{}:{}", error.line(), error.column());
            NodeError::input(format!("{place}: {}", reason(&error)))
        })?;
        match document {
            Value::Array(items) => {
                reader.take.items = true;
                for (number, item) in items.iter().enumerate() {
                    reader.frame(&format!("{name}: [{number}]"), number, item)?;
                }
            }
            document => reader.frame(&format!("{name}:{line}:1"), line, &document)?,
        }
    }
    reader.finish()
}

/// What is wrong, without the place at its end.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

struct Reader<'a> {
    name: &'a str,
    reading: &'a Reading,
    take: Take,
    /// Frames so far, those without a face among them.
    frames: usize,
    /// Whether frames have times, once one was seen.
    timed: Option<bool>,
    /// Units that some frame has.
    seen: [bool; COUNT],
}

/// The value of the first of `names` that `object` has.
fn either<'a>(object: &'a Map<String, Value>, names: [&str; 2]) -> Option<&'a Value> {
    names.into_iter().find_map(|name| object.get(name)).filter(|value| !value.is_null())
}

/// A few words for what was found.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".into(),
        Value::String(text) => format!("`{}`", text.chars().take(40).collect::<String>()),
        other => other.to_string(),
    }
}

/// An error about `found` at `place`.
fn wrong(place: &str, expected: &str, found: &Value) -> NodeError {
    NodeError::input(format!("{place}: expected {expected}, found {}", kind(found)))
}

impl Reader<'_> {
    fn frame(&mut self, place: &str, number: usize, value: &Value) -> Result<()> {
        let object =
            value.as_object().ok_or_else(|| wrong(place, "an object with `faceBlendshapes`", value))?;
        let faces = ["faceBlendshapes", "face_blendshapes"];
        if !faces.iter().any(|name| object.contains_key(*name)) {
            let keys = object.keys().take(5).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            return Err(NodeError::input(format!("{place}: expected `faceBlendshapes`, found {keys}"))
                .hint("MediaPipe's face landmarker gives it with `outputFaceBlendshapes: true`"));
        }
        let time = self.time(place, object)?;
        self.frames += 1;
        let none = vec![];
        let list = match either(object, faces) {
            None => &none,
            Some(list) => list.as_array().ok_or_else(|| wrong(place, "a list of faces", list))?,
        };
        let Some(face) = list.first() else {
            self.take.dropped += 1;
            return Ok(());
        };
        self.take.crowded += usize::from(list.len() > 1);
        let units = self.units(&format!("{place}: faceBlendshapes[0]"), face)?;
        let matrices = ["facialTransformationMatrixes", "facial_transformation_matrixes"];
        let place = format!("{place}: facialTransformationMatrixes");
        let rotation = match either(object, matrices) {
            None => None,
            Some(list) => match list.as_array() {
                None => return Err(wrong(&place, "a list of matrices", list)),
                Some(list) => {
                    list.first().map(|matrix| rotation(&format!("{place}[0]"), matrix)).transpose()?
                }
            },
        };
        self.take.push(self.name, Frame { time, units, rotation, number })
    }

    /// The frame's time: as it says, or by its number.
    fn time(&mut self, place: &str, object: &Map<String, Value>) -> Result<f64> {
        let found = TIMES.iter().find_map(|(name, unit)| Some((name, unit, object.get(*name)?)));
        let timed = *self.timed.get_or_insert(found.is_some());
        match found {
            Some((name, unit, value)) if timed => match value.as_f64().filter(|time| time.abs() < 1e15) {
                Some(time) => Ok(time * unit),
                None => Err(wrong(&format!("{place}: {name}"), "a number", value)),
            },
            None if !timed => {
                let rate = self.reading.source.unwrap_or(self.reading.otherwise);
                self.take.clock = Some(rate);
                Ok(rate.seconds(self.frames as u64))
            }
            _ => Err(NodeError::input(format!(
                "{place}: expected {} as the frames before, found {}",
                if timed { "a `timestampMs`" } else { "no time" },
                if timed { "none" } else { "one" }
            ))),
        }
    }

    /// The units of one face: categories in an object, as in JavaScript, or in a list, as in Python.
    fn units(&mut self, place: &str, face: &Value) -> Result<Units> {
        let categories = face.get("categories").unwrap_or(face);
        let list = categories.as_array().ok_or_else(|| wrong(place, "`categories`", categories))?;
        let (mut units, mut seen) = ([0.0; COUNT], [false; COUNT]);
        for (index, category) in list.iter().enumerate() {
            let place = || format!("{place}.categories[{index}]");
            let object = category.as_object();
            let named = object.and_then(|object| either(object, ["categoryName", "category_name"]));
            let name = named
                .and_then(Value::as_str)
                .ok_or_else(|| wrong(&place(), "an object with `categoryName`", category))?;
            if name == NEUTRAL {
                continue;
            }
            let Some(unit) = canonical(name) else {
                self.take.unknown.insert(name.chars().take(40).collect());
                continue;
            };
            let score = category.get("score").unwrap_or(&Value::Null);
            let number = score.as_f64().map(|score| score as f32).filter(|score| score.is_finite());
            units[unit] = number.ok_or_else(|| wrong(&format!("{}.score", place()), "a number", score))?;
            if std::mem::replace(&mut seen[unit], true) {
                return Err(NodeError::input(format!("{}: `{name}` comes twice", place())));
            }
        }
        let absent = |unit: &usize| !seen[*unit] && UNITS[*unit] != TONGUE;
        let missing: Vec<_> = (0..COUNT).filter(absent).map(|unit| UNITS[unit]).collect();
        if self.reading.strict && !missing.is_empty() {
            return Err(NodeError::input(format!("{place}: no category {}", missing.join(", ")))
                .hint("`missing: zero` takes them as zero"));
        }
        if missing.len() + 1 >= COUNT && !seen.contains(&true) {
            return Err(NodeError::input(format!("{place}: no face unit among {} categories", list.len())));
        }
        (0..COUNT).for_each(|unit| self.seen[unit] |= seen[unit]);
        Ok(units)
    }

    fn finish(mut self) -> Result<Take> {
        self.take.missing = (0..COUNT).filter(|&unit| !self.seen[unit]).map(|unit| UNITS[unit]).collect();
        Ok(self.take)
    }
}

/// Pitch, yaw and roll of a matrix from the face at rest to the camera's space, x to the image's right, y up, z to the camera: 16 numbers
/// in columns (`data`, or a plain list), or four rows of four (NumPy).
fn rotation(place: &str, value: &Value) -> Result<[f32; 3]> {
    let list = value.get("data").unwrap_or(value);
    let expected = "a matrix of 4 x 4 numbers";
    let items = list.as_array().ok_or_else(|| wrong(place, expected, list))?;
    let nested = items.iter().all(Value::is_array);
    let flat: Vec<&Value> = match nested {
        true => items.iter().filter_map(Value::as_array).flatten().collect(),
        false => items.iter().collect(),
    };
    let numbers: Vec<f64> = flat.iter().filter_map(|number| number.as_f64()).collect();
    if numbers.len() != 16 || flat.len() != 16 {
        return Err(wrong(place, expected, list));
    }
    // The row of 0, 0, 0, 1 tells rows from columns, whoever wrote them.
    let last_row = |at: [usize; 3]| at.iter().all(|&k| numbers[k].abs() < 1e-6);
    let rows = if nested { last_row([12, 13, 14]) || !last_row([3, 7, 11]) } else { !last_row([3, 7, 11]) };
    let at = |row: usize, column: usize| numbers[if rows { 4 * row + column } else { 4 * column + row }];
    let matrix = std::array::from_fn(|row| std::array::from_fn(|column| at(row, column)));
    let turned = matrix::unscaled(&matrix).ok_or_else(|| wrong(place, "a rotation", list))?;
    Ok(matrix::angles(&turned))
}

/// Writes a list of results: all units by name behind `_neutral`, and the head's rotation where the frames are `posed`.
pub(super) fn write(
    frames: impl Iterator<Item = (Units, [f32; 3])>,
    rate: Rate,
    posed: bool,
) -> Result<Vec<u8>> {
    let mut order: Vec<usize> = (0..COUNT).collect();
    order.sort_by_key(|&unit| UNITS[unit]);
    let mut bytes = b"[".to_vec();
    for (k, (units, rotation)) in frames.enumerate() {
        let names =
            std::iter::once((NEUTRAL, 0.0)).chain(order.iter().map(|&unit| (UNITS[unit], units[unit])));
        let categories: Vec<_> = names
            .enumerate()
            .map(|(index, (name, score))| {
                json!({ "index": index, "score": short(score), "categoryName": name, "displayName": "" })
            })
            .collect();
        let mut frame = json!({
            "timestampMs": rate.seconds(k as u64) * 1e3,
            "faceBlendshapes": [{ "categories": categories, "headIndex": -1, "headName": "" }],
        });
        if posed {
            let rows = matrix::rotation(rotation);
            let column = |column: usize| [rows[0][column], rows[1][column], rows[2][column], 0.0];
            let data: Vec<f64> = [column(0), column(1), column(2), [0.0, 0.0, 0.0, 1.0]].concat();
            frame["facialTransformationMatrixes"] = json!([{ "rows": 4, "columns": 4, "data": data }]);
        }
        bytes.extend(if k == 0 { "\n" } else { ",\n" }.bytes());
        serde_json::to_writer(&mut bytes, &frame)
            .map_err(|error| NodeError::input("cannot be written as JSON").caused_by(error))?;
    }
    bytes.extend(b"\n]\n");
    Ok(bytes)
}

/// The shortest decimal that reads back as the same f32.
fn short(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(0.0)
}
