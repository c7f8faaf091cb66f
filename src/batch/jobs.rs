//! What each row asks for: a column is an input, an output, a parameter, or a word for names of files.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{Column, Line, Table, pattern::Pattern, wrong};
use crate::{
    check::{Assignment, Stands},
    error::{Diagnostic, Diagnostics},
    graph::Row,
    spec::GraphSpec,
    suggest,
};

/// What all rows ask for where they say nothing else.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// Files of inputs.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Patterns of outputs' files.
    pub outputs: BTreeMap<String, String>,
    /// Parameters.
    pub set: Vec<Assignment>,
}

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its row.
    pub row: Row,
    /// What the row says, by column.
    pub columns: BTreeMap<String, String>,
    /// Files of inputs.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Where outputs go.
    pub outputs: BTreeMap<String, PathBuf>,
    /// Parameters, the row's after those of all rows.
    pub set: Vec<Assignment>,
}

/// What a column is to the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Input,
    Output,
    Param,
    /// Only a word for names of files.
    Word,
}

/// The jobs of a table.
///
/// # Errors
/// Every column and place in a pattern that means nothing; every row without what it needs for its names.
pub fn jobs(table: &Table, spec: &GraphSpec, common: &Common) -> Result<Vec<Job>, Diagnostics> {
    let mut faults = Diagnostics::default();
    let patterns = patterns(table, spec, common, &mut faults);
    let places: BTreeSet<&str> = patterns.values().flat_map(Pattern::places).collect();
    let meanings: Vec<Meaning> =
        table.columns.iter().filter_map(|column| meaning(column, spec, &places, &mut faults)).collect();
    if faults.has_errors() {
        return Err(faults);
    }
    let mut jobs = vec![];
    for line in &table.lines {
        match job(line, table, &meanings, &patterns, common) {
            Ok(job) => jobs.push(job),
            Err(message) => faults.push(wrong(&line.row, message)),
        }
    }
    let named = jobs.iter().any(|job| !job.outputs.is_empty());
    for job in jobs.iter().filter(|job| named && job.outputs.is_empty()) {
        let fault = wrong(&job.row, "no output has a file");
        faults.push(fault.hint("name it in the column, or for all rows with -o"));
    }
    if faults.has_errors() { Err(faults) } else { Ok(jobs) }
}

/// The patterns of outputs that no column gives, read; places that no column or input stands for are mistakes.
fn patterns<'c>(
    table: &Table,
    spec: &GraphSpec,
    common: &'c Common,
    faults: &mut Diagnostics,
) -> BTreeMap<&'c str, Pattern> {
    let known = || {
        let columns = table.columns.iter().map(|column| column.name.as_str());
        columns.chain(common.inputs.keys().map(String::as_str))
    };
    let mut patterns = BTreeMap::new();
    for (output, text) in &common.outputs {
        if !spec.outputs.iter().any(|known| known.name.value == *output) {
            let outputs = spec.outputs.iter().map(|output| output.name.value.as_str());
            let message = format!("-o {output}={text}: the graph has no such output");
            faults.push(Diagnostic::error(message).hint(suggest::hint(output, outputs, "it has none")));
        }
        match Pattern::read(text) {
            Err(message) => faults.push(Diagnostic::error(format!("-o {output}: {message}"))),
            Ok(pattern) => {
                for place in pattern.places().filter(|place| !known().any(|name| name == *place)) {
                    let message = format!("-o {output}={text}: there is no column `{place}`");
                    faults.push(Diagnostic::error(message).hint(Pattern::hint(place, known())));
                }
                patterns.insert(output.as_str(), pattern);
            }
        }
    }
    patterns
}

fn meaning(
    column: &Column,
    spec: &GraphSpec,
    places: &BTreeSet<&str>,
    faults: &mut Diagnostics,
) -> Option<Meaning> {
    let name = column.name.as_str();
    if spec.inputs.iter().any(|input| input.name.value == name) {
        return Some(Meaning::Input);
    }
    if spec.outputs.iter().any(|output| output.name.value == name) {
        return Some(Meaning::Output);
    }
    // Whether the node has the parameter is checked with the graph.
    let hint = match spec.targets("", name) {
        Ok(_) => return Some(Meaning::Param),
        Err(_) if name == crate::check::FPS => return Some(Meaning::Param),
        Err(_) if places.contains(name) => return Some(Meaning::Word),
        Err(hint) if name.contains('.') => hint,
        Err(_) => {
            let inputs = spec.inputs.iter().map(|input| input.name.value.as_str());
            let outputs = spec.outputs.iter().map(|output| output.name.value.as_str());
            let params = spec.params.iter().map(|param| param.name.value.as_str());
            suggest::hint(name, inputs.chain(outputs).chain(params), "")
        }
    };
    let message = format!("column `{name}`: the graph has no such input, output or parameter");
    let mut fault = Diagnostic::error(message).hint(hint);
    fault.place = column.place.clone();
    faults.push(fault);
    None
}

fn job(
    line: &Line,
    table: &Table,
    meanings: &[Meaning],
    patterns: &BTreeMap<&str, Pattern>,
    common: &Common,
) -> Result<Job, String> {
    let mut job = Job {
        row: line.row.clone(),
        columns: BTreeMap::new(),
        inputs: common.inputs.clone(),
        outputs: BTreeMap::new(),
        set: common.set.clone(),
    };
    for ((column, meaning), cell) in table.columns.iter().zip(meanings).zip(&line.cells) {
        let (name, Some(value)) = (column.name.clone(), cell) else { continue };
        job.columns.insert(name.clone(), value.clone());
        match meaning {
            Meaning::Input => drop(job.inputs.insert(name, column.folder.join(value))),
            Meaning::Output => drop(job.outputs.insert(name, column.folder.join(value))),
            Meaning::Param => {
                job.set.push(Assignment { name, value: value.clone(), stands: Stands::Column });
            }
            Meaning::Word => {}
        }
    }
    for (output, pattern) in patterns {
        if !job.outputs.contains_key(*output) {
            let value = |place: &str| word(place, &job);
            let name = pattern.fill(job.row.number, &value);
            let name = name.map_err(|message| format!("the name of output `{output}`: {message}"))?;
            job.outputs.insert((*output).to_owned(), name.into());
        }
    }
    Ok(job)
}

/// What stands for an input or a column in the name of a file: of a file its name without ending.
fn word(place: &str, job: &Job) -> Result<String, String> {
    let word = match (job.inputs.get(place), job.columns.get(place)) {
        (Some(path), _) => stem(path)?,
        // In place of a folder's slash, which would make folders of what a table says.
        (None, Some(value)) => value.replace('/', "-"),
        (None, None) => return Err(format!("column `{place}` is empty")),
    };
    match word.as_str() {
        "." | ".." | "" => Err(format!("`{word}` of column `{place}` is no part of a name")),
        _ if word.contains(['\0', '\n']) => Err(format!("column `{place}` has a line's end in it")),
        _ => Ok(word),
    }
}

/// A file's name without ending; of a pattern that of its folder.
fn stem(path: &Path) -> Result<String, String> {
    let is_pattern = talkgraph_cache::is_pattern(path);
    let named = if is_pattern { path.parent().and_then(Path::file_name) } else { path.file_stem() };
    let named = named.ok_or_else(|| format!("{}: it has no name", path.display()))?;
    named.to_str().map(str::to_owned).ok_or_else(|| format!("{}: the name is not UTF-8", path.display()))
}
