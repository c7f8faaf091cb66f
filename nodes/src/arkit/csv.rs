//! Live Link Face's CSV: a header, and a row for every frame with timecode, count, 52 units and nine angles.

use ::csv::{ReaderBuilder, StringRecord, WriterBuilder};

use super::{
    Angles, COUNT, Frame, Reading, Take, Units, canonical,
    timecode::{Clock, Timecode},
    units::{ANGLES, UNITS, upper},
};
use crate::{
    contract::Rate,
    error::{NodeError, Result},
};

/// The first two columns.
const TIME: &str = "Timecode";
const COUNTED: &str = "BlendShapeCount";

/// By how much of the head's angles a file's yaw, pitch and roll go: Unreal turns to the person's right and leans to their left (docs/arkit.md).
const SIGNS: [f32; 3] = [-1.0, 1.0, -1.0];

/// Radians of an eye that looks to the side, or up and down, as far as its unit goes.
const LOOK: [f32; 2] = [0.6, 0.45];

/// More radians than any head turns by.
const MOST: f64 = 3.2;

/// What a column holds.
#[derive(Clone, Copy)]
enum Column {
    Time,
    Count,
    Unit(usize),
    /// Yaw, pitch or roll of the head.
    Head(usize),
    /// What nothing is made of.
    Other,
}

/// A row as written, without its time.
struct Row {
    timecode: Timecode,
    frame: Frame,
}

/// Reads the CSV called `name`.
pub(super) fn read(name: &str, bytes: &[u8], reading: &Reading) -> Result<Take> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let mut record = StringRecord::new();
    let mut take = Take::default();
    let mut next = |record: &mut StringRecord| -> Result<Option<usize>> {
        let start = reader.position().byte();
        let found = reader.read_record(record);
        let line = lines.of(start);
        match found {
            Ok(more) => Ok(more.then_some(line)),
            Err(error) => Err(NodeError::input(format!("{name}:{line}:1: {}", words(&error)))),
        }
    };
    let Some(line) = next(&mut record)? else {
        return Err(NodeError::input(format!("{name}: expected a Live Link Face CSV, found an empty file")));
    };
    let header = header(name, line, &record, reading, &mut take)?;
    let mut rows: Vec<Row> = vec![];
    while let Some(line) = next(&mut record)? {
        rows.extend(row(name, line, &record, &header, reading, &mut take)?);
    }
    let clock = clock(name, &rows, reading)?;
    take.clock = Some(clock.rate());
    let mut days = 0.0;
    for Row { timecode, mut frame } in rows {
        frame.time = clock.time(timecode) + days;
        // Midnight may come in the middle.
        if take.frames.last().is_some_and(|last| frame.time < last.time - clock.day() / 2.0) {
            days += clock.day();
            frame.time += clock.day();
        }
        take.push(name, frame)?;
    }
    Ok(take)
}

/// What is wrong with a record.
fn words(error: &::csv::Error) -> &'static str {
    match error.kind() {
        ::csv::ErrorKind::Utf8 { .. } => "expected text in UTF-8",
        _ => "cannot be read as CSV",
    }
}

/// Numbers of lines by places in the file, which only rise.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// Line of the record that begins at or, after empty lines, behind `byte`.
    fn of(&mut self, byte: u64) -> usize {
        let mut to = usize::try_from(byte).unwrap_or(usize::MAX).min(self.bytes.len());
        to += self.bytes[to..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = &self.bytes[self.at.min(to)..to];
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count();
        self.at = to;
        self.line
    }
}

/// Where field `index` of `record` begins, as editors count: characters of the line from 1 on.
fn column(record: &StringRecord, index: usize) -> usize {
    1 + record.iter().take(index).map(|field| field.chars().count() + 1).sum::<usize>()
}

fn header(
    name: &str,
    line: usize,
    record: &StringRecord,
    reading: &Reading,
    take: &mut Take,
) -> Result<Vec<Column>> {
    let mut columns = vec![];
    let mut seen: Vec<String> = vec![];
    for (index, field) in record.iter().enumerate() {
        let field = field.trim();
        let column = match canonical(field) {
            Some(unit) => Column::Unit(unit),
            None if field == TIME => Column::Time,
            None if field == COUNTED => Column::Count,
            None => match ANGLES.iter().position(|angle| *angle == field) {
                Some(axis @ 0..3) => Column::Head(axis),
                // Eyes look where their units say.
                Some(_) => Column::Other,
                None => {
                    take.unknown.insert(field.to_owned());
                    Column::Other
                }
            },
        };
        let known = upper(field);
        if seen.contains(&known) && !field.is_empty() {
            let place = self::column(record, index);
            return Err(NodeError::input(format!("{name}:{line}:{place}: the column `{field}` comes twice")));
        }
        seen.push(known);
        columns.push(column);
    }
    let units: Vec<usize> = columns
        .iter()
        .filter_map(|column| if let Column::Unit(unit) = column { Some(*unit) } else { None })
        .collect();
    let timed = columns.iter().any(|column| matches!(column, Column::Time));
    if !timed || units.is_empty() {
        let found: String = record.iter().collect::<Vec<_>>().join(",").chars().take(60).collect();
        return Err(NodeError::input(format!(
            "{name}:{line}:1: expected the columns {TIME}, {COUNTED}, {}, …, found `{found}`",
            upper(UNITS[0])
        ))
        .hint("Live Link Face writes such a file for every take"));
    }
    take.missing = (0..COUNT).filter(|unit| !units.contains(unit)).map(|unit| UNITS[unit]).collect();
    if reading.strict && !take.missing.is_empty() {
        let names: Vec<_> = take.missing.iter().map(|unit| upper(unit)).collect();
        return Err(NodeError::input(format!("{name}:{line}:1: no column {}", names.join(", ")))
            .hint("`missing: zero` takes them as zero"));
    }
    Ok(columns)
}

/// One frame; `None` where the app saw no face.
fn row(
    name: &str,
    line: usize,
    record: &StringRecord,
    columns: &[Column],
    reading: &Reading,
    take: &mut Take,
) -> Result<Option<Row>> {
    let wrong = |index: usize, message: String| {
        NodeError::input(format!("{name}:{line}:{}: {message}", column(record, index)))
    };
    let field = |of: fn(&Column) -> bool| {
        columns.iter().position(of).and_then(|index| Some((index, record.get(index)?.trim())))
    };
    let Some((at, text)) = field(|column| matches!(column, Column::Time)) else {
        let message = format!("expected {} fields as in the header, found {}", columns.len(), record.len());
        return Err(wrong(record.len(), message));
    };
    let timecode = match Timecode::parse(text) {
        Ok(timecode) => timecode,
        Err(message) => return Err(wrong(at, message)),
    };
    if let Some((index, text)) = field(|column| matches!(column, Column::Count)) {
        let Ok(count) = text.parse::<u16>() else {
            return Err(wrong(index, format!("expected a count of blend shapes, found `{text}`")));
        };
        // Frames without a face have no blend shapes, or zeros.
        if count == 0 || record.len() <= 2 {
            take.dropped += 1;
            return Ok(None);
        }
        take.miscounted += usize::from(usize::from(count) != columns.len() - 2);
    }
    if record.len() != columns.len() {
        let (expected, found) = (columns.len(), record.len());
        let message = format!("expected {expected} fields as in the header, found {found}");
        return Err(wrong(found.min(expected), message));
    }
    let (mut units, mut head, mut posed) = ([0.0; COUNT], [0.0; 3], false);
    for (index, (column, text)) in columns.iter().zip(record).enumerate() {
        let text = text.trim();
        let number = || match text.parse::<f64>() {
            Ok(number) if (number as f32).is_finite() => Ok(number),
            _ if text.is_empty() => Err(wrong(index, "expected a number, found nothing".into())),
            _ => Err(wrong(index, format!("expected a number, found `{text}`"))),
        };
        match *column {
            Column::Unit(unit) => units[unit] = number()? as f32,
            Column::Head(axis) => {
                let angle = number()? * reading.angles.radians();
                if angle.abs() > MOST {
                    let message = format!("expected an angle of half a turn at most, found {text}");
                    return Err(wrong(index, message).hint("`angles: degrees` if the file's angles are such"));
                }
                head[axis] = angle as f32;
                posed = true;
            }
            Column::Time | Column::Count | Column::Other => {}
        }
    }
    let [yaw, pitch, roll] = std::array::from_fn(|axis| SIGNS[axis] * head[axis]);
    let rotation = posed.then_some([pitch, yaw, roll]);
    Ok(Some(Row { timecode, frame: Frame { time: 0.0, units, rotation, number: line } }))
}

/// The clock of all rows.
fn clock(name: &str, rows: &[Row], reading: &Reading) -> Result<Clock> {
    let frames = |row: &Row| row.timecode.frames.floor() as u32;
    let most = rows.iter().map(frames).max().unwrap_or(0);
    let Some(rate) = reading.source else {
        let wrap = rows.windows(2).any(|pair| pair[1].timecode.seconds != pair[0].timecode.seconds);
        return Ok(Clock::found(most, wrap, reading.otherwise));
    };
    let clock = Clock::named(rate);
    match rows.iter().find(|row| frames(row) >= clock.base) {
        None => Ok(clock),
        Some(row) => Err(NodeError::input(format!(
            "{name}:{}:1: frame {} of a second, expected less than {} as `source_fps` says",
            row.frame.number,
            frames(row),
            clock.base
        ))),
    }
}

/// Writes all columns; angles of the eyes come from their units.
pub(super) fn write(
    frames: impl Iterator<Item = (Units, [f32; 3])>,
    rate: Rate,
    angles: Angles,
) -> Result<Vec<u8>> {
    let failed = |error: ::csv::Error| NodeError::input("cannot be written as CSV").caused_by(error);
    let mut writer = WriterBuilder::new().from_writer(vec![]);
    let names = UNITS.iter().map(|unit| upper(unit)).chain(ANGLES.map(String::from));
    let header: Vec<_> = [TIME.to_owned(), COUNTED.to_owned()].into_iter().chain(names).collect();
    writer.write_record(&header).map_err(failed)?;
    let (clock, count) = (Clock::of(rate), header.len() - 2);
    for (k, (units, [pitch, yaw, roll])) in frames.enumerate() {
        let of = |name: &str| canonical(name).map_or(0.0, |unit| units[unit]);
        let eye = |side: &str| {
            let out = of(&format!("eyeLookOut{side}")) - of(&format!("eyeLookIn{side}"));
            let left = if side == "Left" { out } else { -out };
            let down = of(&format!("eyeLookDown{side}")) - of(&format!("eyeLookUp{side}"));
            [LOOK[0] * left, LOOK[1] * down, 0.0]
        };
        let turns = [[yaw, pitch, roll], eye("Left"), eye("Right")];
        let turns = turns
            .iter()
            .flat_map(|turn| (0..3).map(|axis| f64::from(SIGNS[axis] * turn[axis]) / angles.radians()));
        let numbers = units.iter().map(|&unit| f64::from(unit)).chain(turns);
        // Zero has one form, whatever its sign.
        let numbers = numbers.map(|number| format!("{:.8}", number + 0.0)).map(|text| match text.as_str() {
            "-0.00000000" => "0.00000000".to_owned(),
            _ => text,
        });
        let row = [clock.write(k as u64, rate), count.to_string()].into_iter().chain(numbers);
        writer.write_record(row).map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|error| NodeError::input("cannot be written as CSV").caused_by(error.into_error()))
}
