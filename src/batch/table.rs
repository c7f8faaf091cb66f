//! Tables of jobs: CSV, TSV, a JSON object a line, and products of lists.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use talkgraph_cache::{is_pattern, listed};

use crate::{
    check::Assignment,
    error::{Diagnostic, Diagnostics},
    graph::Row,
    place::Place,
};

/// Most rows: each is a graph of its own on the board.
const MOST_ROWS: usize = 10_000;

/// Most bytes of a file of rows.
const MOST_BYTES: u64 = 64 << 20;

/// A column: what a row says under this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Where it is named: the line of a file.
    pub place: Option<Place>,
    /// What paths in it are relative to.
    pub folder: PathBuf,
}

/// A row as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number and place.
    pub row: Row,
    /// What it says, by column; nothing where it is empty.
    pub cells: Vec<Option<String>>,
}

/// A list of values for one column, of which tables are multiplied: `NAME=VALUE,VALUE,…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The column.
    pub name: String,
    /// What it has.
    pub values: Vec<String>,
}

impl std::str::FromStr for List {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Assignment { name, value, .. } = text.parse()?;
        let values: Vec<_> = value.split(',').map(|value| value.trim().to_owned()).collect();
        if values.iter().any(String::is_empty) {
            return Err(format!("expected values with commas between them, found `{value}`"));
        }
        Ok(Self { name, values })
    }
}

/// Rows and columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Columns, in order.
    pub columns: Vec<Column>,
    /// Rows, in order.
    pub lines: Vec<Line>,
}

impl Table {
    /// Reads the file at `path`; its ending says what it is. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// Every mistake with its line.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let shown = path.display();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let reader: fn(&Path, &[u8]) -> Result<Self, Diagnostics> = match ending.as_deref() {
            Some("csv") => |path, bytes| separated(path, bytes, b','),
            Some("tsv") => |path, bytes| separated(path, bytes, b'\t'),
            Some("jsonl" | "ndjson") => objects,
            _ => {
                let message = format!("{shown}: expected a table of jobs, a .csv, .tsv or .jsonl file");
                return Err(Diagnostic::error(message).into());
            }
        };
        let cannot = |error: &std::io::Error| {
            Diagnostics::from(Diagnostic::error(format!("{shown}: cannot read the table")).caused_by(error))
        };
        let size = fs::metadata(path).map_err(|error| cannot(&error))?.len();
        if size > MOST_BYTES {
            let message = format!("{shown}: expected at most {} MiB, found more", MOST_BYTES >> 20);
            return Err(Diagnostic::error(message).into());
        }
        let table = reader(path, &fs::read(path).map_err(|error| cannot(&error))?)?;
        if table.lines.is_empty() {
            return Err(Diagnostic::error(format!("{shown}: the table has no rows")).into());
        }
        table.bounded()
    }

    /// Each row with every combination of the lists' values, the last list's changing first. What is a pattern of files (`faces/*.png`)
    /// stands for those files where `is_list` says that the column takes one file.
    ///
    /// # Errors
    /// A name that a column has already; a pattern that finds nothing; too many rows.
    pub fn times(mut self, lists: &[List], takes_one: &dyn Fn(&str) -> bool) -> Result<Self, Diagnostics> {
        if lists.is_empty() {
            return Ok(self);
        }
        if self.columns.is_empty() {
            self.lines.push(Line { row: Row { number: 1, place: None }, cells: vec![] });
        }
        for list in lists {
            if self.columns.iter().any(|column| column.name == list.name) {
                let message = format!("--matrix {}: there is a column of that name already", list.name);
                return Err(Diagnostic::error(message)
                    .hint("name all its values at once, with commas")
                    .into());
            }
            let values = list.found(takes_one)?;
            self.columns.push(Column { name: list.name.clone(), place: None, folder: PathBuf::new() });
            let rows = self.lines.len().saturating_mul(values.len());
            if rows > MOST_ROWS {
                return Err(too_many(rows));
            }
            let lines = self.lines.iter().flat_map(|line| {
                values.iter().map(|value| {
                    let mut line = line.clone();
                    line.cells.push(Some(value.clone()));
                    line
                })
            });
            self.lines = lines.collect();
        }
        for (index, line) in self.lines.iter_mut().enumerate() {
            line.row.number = index + 1;
        }
        Ok(self)
    }

    fn bounded(self) -> Result<Self, Diagnostics> {
        if self.lines.len() > MOST_ROWS { Err(too_many(self.lines.len())) } else { Ok(self) }
    }
}

fn too_many(rows: usize) -> Diagnostics {
    let message = format!("expected at most {MOST_ROWS} rows, found {rows}");
    Diagnostic::error(message).hint("make several tables: what they share is found in the cache").into()
}

impl List {
    fn found(&self, takes_one: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Diagnostics> {
        let mut values = vec![];
        for value in &self.values {
            let path = Path::new(value);
            if !takes_one(&self.name) || !is_pattern(path) {
                values.push(value.clone());
                continue;
            }
            let wrong = |message: String| Diagnostic::error(format!("--matrix {}: {message}", self.name));
            let files = listed(path).map_err(|error| wrong(error.to_string()))?.unwrap_or_default();
            if files.is_empty() {
                return Err(wrong(format!("`{value}` finds no files")).into());
            }
            for file in files {
                let text = file.to_str().ok_or_else(|| {
                    Diagnostics::from(wrong(format!("{}: the name is not UTF-8", file.display())))
                })?;
                values.push(text.to_owned());
            }
        }
        Ok(values)
    }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

fn columns(path: &Path, names: Vec<String>, line: usize) -> Result<Vec<Column>, Diagnostics> {
    let place = Place::line(path, line);
    let mut known = BTreeSet::new();
    let mut faults = Diagnostics::default();
    for (number, name) in names.iter().enumerate() {
        if name.is_empty() {
            faults.push(Diagnostic::error(format!("column {} has no name", number + 1)).at(place.clone()));
        } else if !known.insert(name) {
            faults.push(Diagnostic::error(format!("column `{name}` is there twice")).at(place.clone()));
        }
    }
    if faults.has_errors() {
        return Err(faults);
    }
    let column = |name| Column { name, place: Some(place.clone()), folder: folder(path) };
    Ok(names.into_iter().map(column).collect())
}

/// A table whose cells are separated by a character, the first line with the columns' names.
fn separated(path: &Path, bytes: &[u8], separator: u8) -> Result<Table, Diagnostics> {
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).trim(csv::Trim::All).from_reader(bytes);
    let fault = |error: csv::Error| {
        let line = error.position().map_or(1, |position| line_of(bytes, position));
        let message = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("expected {expected_len} cells as in the first line, found {len}")
            }
            csv::ErrorKind::Utf8 { .. } => "expected text in UTF-8, found other bytes".into(),
            _ => error.to_string(),
        };
        Diagnostics::from(Diagnostic::error(message).at(Place::line(path, line)))
    };
    let names: Vec<String> = reader.headers().map_err(fault)?.iter().map(str::to_owned).collect();
    if names.is_empty() {
        let message = "the table is empty";
        return Err(Diagnostic::error(message)
            .at(Place::line(path, 1))
            .hint("its first line names the columns")
            .into());
    }
    let columns = columns(path, names, 1)?;
    let mut lines = vec![];
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let line = record.position().map_or(0, |position| line_of(bytes, position));
        let cells = record.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).collect();
        let row = Row { number: lines.len() + 1, place: Some(Place::line(path, line)) };
        lines.push(Line { row, cells });
    }
    Ok(Table { columns, lines })
}

/// The line on which a record begins: its position may be that of an empty line before.
fn line_of(bytes: &[u8], position: &csv::Position) -> usize {
    let rest = bytes.get(position.byte() as usize..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    position.line() as usize + empty.filter(|byte| **byte == b'\n').count()
}

/// A JSON object a line; columns are all their keys.
fn objects(path: &Path, bytes: &[u8]) -> Result<Table, Diagnostics> {
    let mut names: Vec<String> = vec![];
    let mut rows = vec![];
    let mut faults = Diagnostics::default();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let place = Place::line(path, number + 1);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let object: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(object) => object,
            Err(error) => {
                let message = format!("expected a JSON object on a line of its own: {error}");
                faults.push(Diagnostic::error(message).at(place));
                continue;
            }
        };
        for (name, value) in &object {
            if !names.contains(name) {
                names.push(name.clone());
            }
            if matches!(value, Value::Array(_) | Value::Object(_)) {
                let message = format!("column `{name}`: expected one value, found a list or an object");
                faults.push(Diagnostic::error(message).at(place.clone()));
            }
        }
        rows.push((place, object));
    }
    if faults.has_errors() {
        return Err(faults);
    }
    let cell = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        other => Some(other.to_string()),
    };
    let lines = rows.iter().enumerate().map(|(number, (place, object))| Line {
        row: Row { number: number + 1, place: Some(place.clone()) },
        cells: names.iter().map(|name| object.get(name).and_then(cell)).collect(),
    });
    let lines = lines.collect();
    let first = rows.first().map_or(1, |(place, _)| place.line);
    Ok(Table { columns: columns(path, names, first)?, lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, content: &str) -> Result<Table, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a table");
        let shown = format!("{}/", folder.path().display());
        Table::read(&path).map_err(|faults| faults.to_string().replace(&shown, ""))
    }

    fn cells(table: &Table) -> Vec<Vec<Option<&str>>> {
        table.lines.iter().map(|line| line.cells.iter().map(Option::as_deref).collect()).collect()
    }

    #[test]
    fn every_format_gives_the_same_rows() {
        let csv = table("j.csv", "\u{feff}portrait, talk.window\na.png, 3\n\n\"b, c.png\",\n").expect("rows");
        let tsv = table("j.tsv", "portrait\ttalk.window\na.png\t3\n\nb, c.png\t\n").expect("rows");
        let objects = "{\"portrait\": \"a.png\", \"talk.window\": 3}\n\n{\"portrait\": \"b, c.png\", \"talk.window\": null}\n";
        let jsonl = table("j.jsonl", objects).expect("rows");
        let expected = vec![vec![Some("a.png"), Some("3")], vec![Some("b, c.png"), None]];
        for table in [&csv, &tsv, &jsonl] {
            assert_eq!(cells(table), expected);
            assert_eq!(table.columns[1].name, "talk.window");
        }
        let lines = |table: &Table| {
            table.lines.iter().map(|line| line.row.place.as_ref().unwrap().line).collect::<Vec<_>>()
        };
        assert_eq!((lines(&csv), lines(&jsonl)), (vec![2, 4], vec![1, 3]));
    }

    #[test]
    fn mistakes_have_their_lines() {
        for (name, content, said) in [
            ("j.csv", "a,b\n1,2\n3\n", "j.csv:3: error: expected 2 cells as in the first line, found 1"),
            ("j.csv", "a,b,a\n1,2,3\n", "j.csv:1: error: column `a` is there twice"),
            ("j.csv", "a,,c\n1,2,3\n", "j.csv:1: error: column 2 has no name"),
            ("j.csv", "a,b\n", "error: j.csv: the table has no rows"),
            ("j.csv", "", "j.csv:1: error: the table is empty"),
            ("j.jsonl", "{\"a\": 1}\n[1]\n", "j.jsonl:2: error: expected a JSON object on a line of its own"),
            ("j.jsonl", "{\"a\": [1]}\n", "j.jsonl:1: error: column `a`: expected one value"),
            ("j.txt", "a\n1\n", "error: j.txt: expected a table of jobs"),
        ] {
            let found = table(name, content).expect_err(said);
            assert!(found.contains(said), "{said}: {found}");
        }
        let many = format!("a\n{}", "1\n".repeat(MOST_ROWS + 1));
        assert!(table("j.csv", &many).expect_err("too many").contains("expected at most 10000 rows"));
    }

    #[test]
    fn lists_multiply_rows() {
        let list = |text: &str| text.parse::<List>().expect("a list");
        let lists = [list("a=1,2,3"), list("b=x, y")];
        let product = Table::default().times(&lists, &|_| false).expect("a product");
        let rows: Vec<String> =
            cells(&product).iter().map(|row| row.iter().map(|cell| cell.unwrap()).collect()).collect();
        assert_eq!(rows, ["1x", "1y", "2x", "2y", "3x", "3y"]);
        assert_eq!(product.lines[5].row, Row { number: 6, place: None });
        let more =
            table("j.csv", "c\nu\nv\n").expect("rows").times(&lists[1..], &|_| false).expect("a product");
        assert_eq!(cells(&more)[3], [Some("v"), Some("y")]);
        assert!(Table::default().times(&[list("a=1"), list("a=2")], &|_| false).is_err());
        assert!("a=1,,2".parse::<List>().is_err() && "a".parse::<List>().is_err());
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["2.png", "10.png", "x.txt"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let pattern = format!("p={}/*.png", folder.path().display());
        let found = Table::default().times(&[list(&pattern)], &|_| true).expect("files");
        assert!(cells(&found)[1][0].is_some_and(|name| name.ends_with("/10.png")) && found.lines.len() == 2);
        let nothing = format!("p={}/*.jpg", folder.path().display());
        assert!(Table::default().times(&[list(&nothing)], &|_| true).is_err());
    }
}
