//! `pack.yaml` as written.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use talkgraph_cache::Digest;

use super::{
    extent::Extent,
    layout::{CoefficientLayout, Parsing},
    quality::Steps,
    regions::Regions,
};
use crate::{
    error::{NodeError, Result},
    param::ParamValue,
};

/// The only version of the format so far.
const FORMAT: u32 = 1;
/// The file's name in a pack's folder.
pub(super) const NAME: &str = "pack.yaml";
/// Points of the face mesh, of which a pack's landmarks are some.
pub const MESH: usize = 468;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    talkgraph_pack: u32,
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) licence: String,
    pub(super) resolution: usize,
    pub(super) coefficients: CoefficientLayout,
    pub(super) expression: Vec<String>,
    #[serde(default)]
    pub(super) regions: Regions,
    pub(super) expression_bounds: Option<[f32; 2]>,
    pub(super) expression_range: Option<Extent>,
    pub(super) landmarks: Option<Vec<usize>>,
    #[serde(default)]
    pub(super) unblended: usize,
    pub(super) parsing: Option<Parsing>,
    #[serde(default)]
    pub(super) defaults: BTreeMap<String, BTreeMap<String, ParamValue>>,
    pub(super) roles: BTreeMap<String, RoleEntry>,
    #[serde(default)]
    pub(super) optimisations: BTreeMap<String, Vec<PhaseEntry>>,
}

/// The files of a role.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RoleEntry {
    Both(BothFiles),
    One(FileEntry),
}

/// A model and the same in half precision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BothFiles {
    file: String,
    blake3: Digest,
    half: FileEntry,
}

impl RoleEntry {
    /// The model, and the same in half precision where there is one.
    pub(super) fn files(self) -> (FileEntry, Option<FileEntry>) {
        match self {
            Self::Both(BothFiles { file, blake3, half }) => {
                (FileEntry::Pinned(PinnedFile { file, blake3 }), Some(half))
            }
            Self::One(file) => (file, None),
        }
    }
}

/// A model file: its name alone, or with its digest.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum FileEntry {
    Pinned(PinnedFile),
    Name(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PinnedFile {
    file: String,
    blake3: Digest,
}

impl FileEntry {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Pinned(pinned) => &pinned.file,
            Self::Name(name) => name,
        }
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        match self {
            Self::Pinned(pinned) => Some(pinned.blake3),
            Self::Name(_) => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseEntry {
    pub(super) name: String,
    pub(super) init: FileEntry,
    pub(super) step: FileEntry,
    pub(super) view_step: Option<FileEntry>,
    pub(super) view: Option<FileEntry>,
    pub(super) finish: FileEntry,
    pub(super) steps: Steps,
    pub(super) learning_rate: f64,
    #[serde(default = "beta1")]
    pub(super) beta1: f64,
    #[serde(default = "beta2")]
    pub(super) beta2: f64,
    #[serde(default)]
    pub(super) ramp_up: f64,
    #[serde(default)]
    pub(super) ramp_down: f64,
    #[serde(default)]
    pub(super) view_every: u64,
    pub(super) stop: Option<Stop>,
    pub(super) settle: Option<Settle>,
}

/// When a phase ends before its last step.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Name of a scalar output of the step graph.
    pub loss: String,
    /// The phase ends once that loss is under this.
    pub below: f64,
}

/// When the learning rate of a phase begins to fall before its time, and the phase ends before it is through, because its picture no longer gains.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// Name of a scalar output of the step graph; steps that see a view are left out.
    pub loss: String,
    /// How many steps are averaged.
    pub window: usize,
    /// By what share the mean must be lower than that of the window before.
    pub gain: f64,
}

fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

/// Reads and checks the file alone, without looking at models.
pub(super) fn read(folder: &Path) -> Result<PackFile> {
    let path = folder.join(NAME);
    let unread = |found: &str| NodeError::model(format!("pack {}: {NAME} {found}", folder.display()));
    let bytes = talkgraph_yaml::read(&path).map_err(|error| {
        unread("cannot be read")
            .hint("--pack takes a folder with a pack.yaml; the bundled pack is models/studio")
            .caused_by(error)
    })?;
    let text = String::from_utf8(bytes).map_err(|error| unread("is not UTF-8").caused_by(error))?;
    let file: PackFile = talkgraph_yaml::from_str(&text).map_err(|fault| {
        let place = fault.spot.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
        let hint = fault.hint.unwrap_or_else(|| "the format is described in docs/packs.md".into());
        NodeError::model(format!("{}{place}: {}", path.display(), fault.message)).hint(hint)
    })?;
    match fault(&file) {
        Some(fault) => Err(NodeError::model(format!("{}: {fault}", path.display()))
            .hint("the format is described in docs/packs.md")),
        None => Ok(file),
    }
}

fn fault(file: &PackFile) -> Option<String> {
    if file.talkgraph_pack != FORMAT {
        return Some(format!("talkgraph_pack: expected {FORMAT}, found {}", file.talkgraph_pack));
    }
    if file.resolution == 0 {
        return Some("resolution: expected a count of pixels, found 0".into());
    }
    if let Some(fault) = file.coefficients.fault() {
        return Some(fault);
    }
    if file.expression.len() != file.coefficients.expressions() {
        let (names, numbers) = (file.expression.len(), file.coefficients.expressions());
        return Some(format!("expression: expected {numbers} names, one a coefficient, found {names}"));
    }
    let twice = file.expression.iter().enumerate().find(|(at, name)| file.expression[..*at].contains(name));
    if let Some((number, name)) = twice {
        return Some(format!("expression: number {number}: `{name}` stands twice"));
    }
    if let Some(fault) = file.regions.fault(&file.expression) {
        return Some(fault);
    }
    if let Some([low, high]) = file.expression_bounds
        && (low.is_nan() || high.is_nan() || low >= high)
    {
        return Some(format!("expression_bounds: expected a lower and a higher number, found {low}, {high}"));
    }
    if let Some(Err(fault)) = file.expression_range.as_ref().map(|range| range.each(&file.expression)) {
        return Some(fault);
    }
    if let Some(landmarks) = &file.landmarks {
        if landmarks.is_empty() {
            return Some("landmarks: expected numbers of points of the face mesh, found none".into());
        }
        if let Some((number, point)) = landmarks.iter().enumerate().find(|(_, point)| **point >= MESH) {
            return Some(format!(
                "landmarks: number {number}: expected a point from 0 to {}, found {point}",
                MESH - 1
            ));
        }
    }
    if let Some(parsing) = &file.parsing {
        if parsing.size == 0 {
            return Some("parsing.size: expected a count of pixels, found 0".into());
        }
        if parsing.std.contains(&0.0) {
            return Some("parsing.std: expected divisors, found 0".into());
        }
    }
    let phases =
        file.optimisations.iter().flat_map(|(name, phases)| phases.iter().map(move |phase| (name, phase)));
    for (name, phase) in phases {
        let place = format!("optimisations.{name}.{}", phase.name);
        if phase.learning_rate.is_nan() || phase.learning_rate <= 0.0 {
            return Some(format!(
                "{place}.learning_rate: expected more than 0, found {}",
                phase.learning_rate
            ));
        }
        for (key, beta) in [("beta1", phase.beta1), ("beta2", phase.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Some(format!("{place}.{key}: expected a number in [0,1), found {beta}"));
            }
        }
        for (key, ramp) in [("ramp_up", phase.ramp_up), ("ramp_down", phase.ramp_down)] {
            if !(0.0..=1.0).contains(&ramp) {
                return Some(format!("{place}.{key}: expected a fraction in [0,1], found {ramp}"));
            }
        }
        if phase.view.is_some() != (phase.view_every > 0) {
            return Some(format!("{place}: `view` and `view_every` (1 or more) go together"));
        }
        if phase.view_step.is_some() && phase.view.is_none() {
            return Some(format!("{place}: `view_step` needs a `view`"));
        }
    }
    None
}
