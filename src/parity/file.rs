//! `parity.yaml`: which networks run on which recorded numbers, and what must come out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use serde::Deserialize;
use talkgraph_nodes::{
    error::NodeError,
    models::Models,
    onnx::Signature,
    safetensors,
    tensor::{Tensor, TensorData, Tensors},
};

use super::Limit;
use crate::{
    error::{Diagnostic, Diagnostics, plain},
    suggest,
};

/// The file's name in a folder of recorded numbers.
const NAME: &str = "parity.yaml";
/// The only version of the format so far.
const FORMAT: u32 = 1;
/// Where the format is described.
const HELP: &str = "docs/cli.md describes parity.yaml";
/// Most numbers of a tensor that is filled with one.
const MOST: usize = 1 << 28;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParityFile {
    #[serde(default = "format")]
    talkgraph_parity: u32,
    cases: Vec<Entry>,
}

fn format() -> u32 {
    FORMAT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    role: String,
    #[serde(default)]
    first: Vec<String>,
    file: String,
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
    measure: Measure,
    tolerance: Option<f64>,
    least: Option<f64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measure {
    Max,
    Psnr,
}

/// What an input is fed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Name(String),
    Shaped(Shaped),
    Filled(Filled),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shaped {
    tensor: String,
    shape: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filled {
    fill: f32,
    shape: Vec<usize>,
}

/// What an output is compared with.
#[derive(Deserialize)]
#[serde(untagged)]
enum Output {
    Name(String),
    Part(Part),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    tensor: String,
    shape: Option<Vec<usize>>,
    every: Option<Vec<usize>>,
}

/// Recorded numbers: the cases of a folder.
pub struct Golden {
    /// In the file's order.
    pub cases: Vec<Case>,
}

/// A network, what it is fed and what it must give.
pub struct Case {
    entry: Entry,
    limit: Limit,
    recorded: Arc<Tensors>,
}

/// What is expected of an output.
pub struct Expected {
    /// The recorded numbers.
    pub tensor: Tensor,
    shape: Option<Vec<usize>>,
    every: Option<Vec<usize>>,
}

impl Golden {
    /// Reads `folder`: `parity.yaml` and the files that it names. With `only`, the cases of these names.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn read(folder: &Path, only: &[String]) -> Result<Self, Diagnostics> {
        let path = folder.join(NAME);
        let place = path.display();
        let bytes = talkgraph_yaml::read(&path).map_err(|error| {
            Diagnostic::error(format!("{place}: cannot be read"))
                .caused_by(&error)
                .hint("--golden takes a folder with a parity.yaml and the safetensors files that it names")
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Diagnostic::error(format!("{place}: is not UTF-8")).hint(HELP))?;
        let file: ParityFile = talkgraph_yaml::from_str(&text).map_err(|fault| {
            let at = fault.spot.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
            let hint = fault.hint.unwrap_or_else(|| HELP.into());
            Diagnostic::error(format!("{place}{at}: {}", fault.message)).hint(hint)
        })?;
        if file.talkgraph_parity != FORMAT {
            let found = file.talkgraph_parity;
            let message = format!("{place}: talkgraph_parity: expected {FORMAT}, found {found}");
            return Err(Diagnostic::error(message).hint(HELP).into());
        }
        let mut names = BTreeSet::new();
        let mut faults = vec![];
        for entry in &file.cases {
            if !names.insert(entry.name.clone()) {
                faults.push(Diagnostic::error(format!("{place}: case `{}` stands there twice", entry.name)));
            }
        }
        for name in only.iter().filter(|name| !names.contains(*name)) {
            let hint = suggest::hint(name, names.iter().map(String::as_str), "leave --case out for all");
            faults.push(Diagnostic::error(format!("{place}: no case `{name}`")).hint(hint));
        }
        let mut files = BTreeMap::new();
        let mut cases = vec![];
        for entry in file.cases {
            if !only.is_empty() && !only.contains(&entry.name) {
                continue;
            }
            let place = format!("{place}: case `{}`", entry.name);
            let recorded =
                files.entry(entry.file.clone()).or_insert_with(|| decode(&folder.join(&entry.file)));
            match recorded {
                Ok(recorded) => match Case::new(entry, Arc::clone(recorded), &place) {
                    Ok(case) => cases.push(case),
                    Err(found) => faults.extend(found),
                },
                Err(fault) => faults
                    .push(Diagnostic { message: format!("{place}: {}", fault.message), ..fault.clone() }),
            }
        }
        if cases.is_empty() && faults.is_empty() {
            faults.push(Diagnostic::error(format!("{place}: cases: expected at least one")).hint(HELP));
        }
        if faults.is_empty() { Ok(Self { cases }) } else { Err(Diagnostics(faults)) }
    }
}

fn decode(path: &Path) -> Result<Arc<Tensors>, Diagnostic> {
    let place = path.display();
    let bytes = fs::read(path)
        .map_err(|error| Diagnostic::error(format!("{place}: cannot be read: {}", plain(&error))))?;
    let tensors =
        safetensors::decode(&bytes).map_err(|error| Diagnostic::from_node(&place.to_string(), &error))?;
    Ok(Arc::new(tensors))
}

impl Case {
    fn new(entry: Entry, recorded: Arc<Tensors>, place: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = vec![];
        let limit = limit(&entry).unwrap_or_else(|message| {
            faults.push(Diagnostic::error(format!("{place}: {message}")).hint(HELP));
            Limit::Max { tolerance: 0.0 }
        });
        if entry.outputs.is_empty() {
            faults.push(Diagnostic::error(format!("{place}: outputs: expected at least one")).hint(HELP));
        }
        let case = Self { entry, limit, recorded };
        let inputs = case.entry.inputs.iter().map(|(name, input)| (name, case.input(input).err()));
        let outputs = case.entry.outputs.iter().map(|(name, output)| (name, case.expected(output).err()));
        for (kind, name, error) in inputs
            .map(|(name, error)| ("inputs", name, error))
            .chain(outputs.map(|(name, error)| ("outputs", name, error)))
        {
            if let Some(error) = error {
                let context = format!("{place}: {kind}.{name}: {}", case.entry.file);
                faults.push(Diagnostic::from_node(&context, &error));
            }
        }
        if faults.is_empty() { Ok(case) } else { Err(faults) }
    }

    /// What is wrong with it for the pack of `models`: roles that the pack does not fill, ports that their networks do not have.
    pub fn faults(&self, models: &Models) -> Vec<NodeError> {
        let place = |error: NodeError| error.at(format_args!("case `{}`", self.name()));
        match self.ports(models) {
            Ok(faults) => faults.into_iter().map(place).collect(),
            Err(error) => vec![place(error)],
        }
    }

    fn ports(&self, models: &Models) -> Result<Vec<NodeError>, NodeError> {
        let pack = models.pack()?;
        let read = |role: &String| Signature::read(&pack.model(role)?.path);
        let own = read(&self.entry.role)?;
        let signatures = self.entry.first.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let takes: BTreeSet<&str> =
            signatures.iter().chain([&own]).flat_map(|one| &one.inputs).map(|port| &*port.name).collect();
        let gives: BTreeSet<&str> = own.outputs.iter().map(|port| &*port.name).collect();
        let mut faults = vec![];
        for (name, kind, known) in self
            .entry
            .inputs
            .keys()
            .map(|name| (name, "input", &takes))
            .chain(self.entry.outputs.keys().map(|name| (name, "output", &gives)))
        {
            if !known.contains(name.as_str()) {
                let list: Vec<_> = known.iter().copied().collect();
                let message =
                    format!("role `{}` of pack {} has no {kind} `{name}`", self.role(), pack.name());
                faults.push(NodeError::input(message).hint(format!("it has {}", list.join(", "))));
            }
        }
        Ok(faults)
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// The role whose network gives what is compared.
    pub fn role(&self) -> &str {
        &self.entry.role
    }

    /// Roles that run before it, in this order, each on all that is known by then.
    pub fn first(&self) -> &[String] {
        &self.entry.first
    }

    /// What its outputs may be off.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// What is fed, by the networks' names.
    pub fn inputs(&self) -> Result<Tensors, NodeError> {
        let inputs = self.entry.inputs.iter();
        inputs
            .map(|(name, input)| Ok((name.clone(), self.input(input)?)))
            .collect::<Result<_, _>>()
            .map(Tensors)
    }

    /// What is expected, by the role's names of its outputs.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, Result<Expected, NodeError>)> {
        self.entry.outputs.iter().map(|(name, output)| (name.as_str(), self.expected(output)))
    }

    fn input(&self, input: &Input) -> Result<Tensor, NodeError> {
        match input {
            Input::Name(name) => self.recorded.get(name).cloned(),
            Input::Shaped(shaped) => self.recorded.get(&shaped.tensor)?.clone().reshape(shaped.shape.clone()),
            Input::Filled(filled) => {
                let count = filled.shape.iter().try_fold(1usize, |all, size| all.checked_mul(*size));
                let count = count.filter(|count| *count <= MOST).ok_or_else(|| {
                    NodeError::input(format!("shape {:?}: more than {MOST} numbers", filled.shape))
                })?;
                Tensor::f32(filled.shape.clone(), vec![filled.fill; count])
            }
        }
    }

    fn expected(&self, output: &Output) -> Result<Expected, NodeError> {
        match output {
            Output::Name(name) => {
                Ok(Expected { tensor: self.recorded.get(name)?.clone(), shape: None, every: None })
            }
            Output::Part(part) => {
                if part.every.as_ref().is_some_and(|every| every.contains(&0)) {
                    return Err(NodeError::input("every: expected 1 or more along each axis, found 0"));
                }
                let tensor = self.recorded.get(&part.tensor)?.clone();
                Ok(Expected { tensor, shape: part.shape.clone(), every: part.every.clone() })
            }
        }
    }
}

/// What the entry allows; its fault in words.
fn limit(entry: &Entry) -> Result<Limit, String> {
    let sound = |name: &str, value: Option<f64>| match value {
        Some(value) if value.is_finite() && value >= 0.0 => Ok(value),
        Some(value) => Err(format!("{name}: expected a number of 0 or more, found {value}")),
        None => Err(format!("{name} is missing")),
    };
    match (entry.measure, entry.tolerance, entry.least) {
        (Measure::Max, tolerance, None) => Ok(Limit::Max { tolerance: sound("tolerance", tolerance)? }),
        (Measure::Psnr, None, least) => Ok(Limit::Psnr { least: sound("least", least)? }),
        (Measure::Max, ..) => {
            Err("`least` goes with `measure: psnr`, `tolerance` with `measure: max`".into())
        }
        (Measure::Psnr, ..) => {
            Err("`tolerance` goes with `measure: max`, `least` with `measure: psnr`".into())
        }
    }
}

impl Expected {
    /// What of `found`, that a network gave, was recorded.
    pub fn part(&self, found: &Tensor) -> Result<Tensor, NodeError> {
        let found = match &self.shape {
            Some(shape) => found.clone().reshape(shape.clone())?,
            None => found.clone(),
        };
        match &self.every {
            Some(every) => every_one(&found, every),
            None => Ok(found),
        }
    }
}

/// Of each axis the first and every so-manyth after it.
fn every_one(tensor: &Tensor, every: &[usize]) -> Result<Tensor, NodeError> {
    let shape = tensor.shape();
    if every.len() != shape.len() {
        return Err(NodeError::input(format!(
            "every: {} steps for a tensor of shape {shape:?}",
            every.len()
        )));
    }
    let size: Vec<usize> = shape.iter().zip(every).map(|(size, step)| size.div_ceil(*step)).collect();
    let mut places = vec![0];
    for axis in 0..shape.len() {
        let at = |place: &usize| {
            let first = place * shape[axis];
            (0..size[axis]).map(move |index| first + index * every[axis])
        };
        places = places.iter().flat_map(at).collect();
    }
    match tensor.data() {
        TensorData::F32(data) => Tensor::f32(size, places.iter().map(|&at| data[at]).collect()),
        TensorData::F64(data) => Tensor::f64(size, places.iter().map(|&at| data[at]).collect()),
        TensorData::I64(data) => Tensor::i64(size, places.iter().map(|&at| data[at]).collect()),
        TensorData::U8(data) => Tensor::u8(size, places.iter().map(|&at| data[at]).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_so_manyth_along_each_axis() {
        let tensor = Tensor::i64([2, 3, 4], (0..24).collect()).unwrap();
        let part = every_one(&tensor, &[1, 2, 3]).unwrap();
        assert_eq!(
            (part.shape(), part.as_i64().unwrap()),
            (&[2, 2, 2][..], &[0, 3, 8, 11, 12, 15, 20, 23][..])
        );
        assert!(every_one(&tensor, &[1, 2]).unwrap_err().to_string().contains("2 steps"));
    }
}
