//! Model packs: `pack.yaml` and the ONNX files that fill the roles node types ask for (docs/packs.md).

mod check;
mod extent;
mod file;
mod layout;
mod phase;
mod quality;
mod regions;
mod roles;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use serde::Serialize;
use talkgraph_cache::Fingerprint;

pub use self::{
    file::{MESH, Settle, Stop},
    layout::{CoefficientLayout, Parsing},
    phase::Phase,
    quality::{Quality, Steps},
    regions::{Region, Regions},
};
use crate::{
    error::{NodeError, Result},
    file::ModelFile,
    home::Home,
    param::ParamValue,
    precision::Precision,
};

/// What stands before the name of a file that set-up made.
const SETUP_PREFIX: &str = "@setup/";

/// A pack whose `pack.yaml` is sound and whose files exist with the digests it states.
#[derive(Debug)]
pub struct Pack {
    folder: PathBuf,
    file_name: String,
    version: u32,
    licence: String,
    resolution: usize,
    coefficients: CoefficientLayout,
    expression: Vec<String>,
    regions: Regions,
    expression_bounds: Option<[f32; 2]>,
    expression_range: Option<Vec<[f32; 2]>>,
    landmarks: Option<Vec<usize>>,
    unblended: usize,
    parsing: Option<Parsing>,
    defaults: BTreeMap<String, BTreeMap<String, ParamValue>>,
    roles: BTreeMap<String, ModelFile>,
    /// By role, what is not used: in half precision, or with [`Precision::F16`] the whole.
    others: BTreeMap<String, ModelFile>,
    precision: Precision,
    optimisations: BTreeMap<String, Vec<Phase>>,
    /// Everything that has a digest, by name: roles, graphs of phases, settings.
    models: BTreeMap<String, ModelFile>,
    /// What [`Self::check`] said, once it was asked.
    faults: OnceLock<Vec<String>>,
}

impl Pack {
    /// Reads `pack.yaml` in `folder`, finds every file and compares its digest, which `read` tells ([`fingerprint`], or
    /// a store's memory of digests, so that a remembered file costs one stat). Tensors are not looked at: see
    /// [`check`](Self::check).
    pub fn open(folder: &Path, home: &Home, read: &dyn Fn(&Path) -> Result<Fingerprint>) -> Result<Self> {
        let file = file::read(folder)?;
        let place = |entry: &str| format!("pack {}: {entry}", file.name);
        let resolve = |name: String, entry: &file::FileEntry| -> Result<ModelFile> {
            let path = match entry.name().strip_prefix(SETUP_PREFIX) {
                Some(network) => home.network(network).map_err(|error| error.at(place(&name)))?,
                None => folder.join(entry.name()),
            };
            if !path.is_file() {
                return Err(NodeError::model(format!("{}: {} is missing", place(&name), path.display()))
                    .hint("the pack is incomplete: restore the file"));
            }
            let files = read(&path)?;
            let found = files.content();
            let model = ModelFile::of(name, path, files);
            match entry.digest() {
                Some(expected) if expected != found => Err(model.differs(expected, found)),
                _ => Ok(model),
            }
        };
        let (mut roles, mut halves) = (BTreeMap::new(), BTreeMap::new());
        for (name, entry) in file.roles {
            if roles::find(&name).is_none() {
                let known: Vec<_> = roles::ROLES.iter().map(|role| role.name).collect();
                return Err(NodeError::model(format!("{}: unknown role", place(&name)))
                    .hint(format!("the roles are {}", known.join(", "))));
            }
            let (whole, half) = entry.files();
            if let Some(half) = half {
                halves.insert(name.clone(), resolve(format!("{name}.half"), &half)?);
            }
            roles.insert(name.clone(), resolve(name, &whole)?);
        }
        let mut optimisations = BTreeMap::new();
        for (name, entries) in file.optimisations {
            let phases = entries.into_iter().map(|entry| Phase::resolve(&name, entry, &resolve));
            let phases = phases.collect::<Result<Vec<_>>>()?;
            optimisations.insert(name, phases);
        }
        // Its faults were told when the file was read.
        let expression_range = file.expression_range.and_then(|range| range.each(&file.expression).ok());
        let mut pack = Self {
            folder: folder.to_owned(),
            file_name: file.name,
            version: file.version,
            licence: file.licence,
            resolution: file.resolution,
            coefficients: file.coefficients,
            expression: file.expression,
            regions: file.regions,
            expression_bounds: file.expression_bounds,
            expression_range,
            landmarks: file.landmarks,
            unblended: file.unblended,
            parsing: file.parsing,
            defaults: file.defaults,
            roles,
            others: halves,
            precision: Precision::F32,
            optimisations,
            models: BTreeMap::new(),
            faults: OnceLock::new(),
        };
        pack.models = pack.index();
        Ok(pack)
    }

    /// The same pack, whose roles are filled in this precision where it has such models.
    ///
    /// # Errors
    /// When it has no model in half precision and that was asked for.
    pub fn in_precision(mut self, precision: Precision) -> Result<Self> {
        if precision == self.precision {
            return Ok(self);
        }
        if self.others.is_empty() {
            return Err(NodeError::model(format!(
                "pack {}: precision: {precision} was asked for, no model of it is in half precision",
                self.file_name
            ))
            .hint("use --precision f32, or a pack whose roles have a `half`"));
        }
        for (role, half) in &mut self.others {
            if let Some(whole) = self.roles.get_mut(role) {
                std::mem::swap(whole, half);
            }
        }
        self.precision = precision;
        self.models = self.index();
        Ok(self)
    }

    /// What was asked for.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// In what the model of `role` computes.
    pub fn precision_of(&self, role: &str) -> Precision {
        if self.others.contains_key(role) { self.precision } else { Precision::F32 }
    }

    /// Those of [`roles`](Self::roles) that there are in the other precision too.
    pub fn variants(&self) -> impl Iterator<Item = (&str, &ModelFile)> {
        self.others.iter().map(|(name, model)| (name.as_str(), model))
    }

    /// Compares the tensors of every model with the contract of its role; gives every fault. Reads the files' headers
    /// only, without ONNX Runtime.
    pub fn check(&self) -> Vec<NodeError> {
        check::faults(self)
    }

    /// Fails when [`check`](Self::check) finds a fault; looks only once. Asked before the first model is loaded, so that a
    /// pack of mismatched parts stops a run before any work.
    pub fn ensure_sound(&self) -> Result<()> {
        let faults = self.faults.get_or_init(|| self.check().iter().map(ToString::to_string).collect());
        let more = match faults.len() {
            0 => return Ok(()),
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        Err(NodeError::model(format!("pack {}: {}{more}", self.file_name, faults[0]))
            .hint("`talkgraph pack verify` lists every fault"))
    }

    /// Where the pack is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.file_name
    }

    /// Version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Licence of the weights.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// Side of a finished frame in pixels, P.
    pub fn resolution(&self) -> usize {
        self.resolution
    }

    /// Layout of the coefficients.
    pub fn coefficients(&self) -> &CoefficientLayout {
        &self.coefficients
    }

    /// Names of the expression coefficients, in order.
    pub fn expression(&self) -> &[String] {
        &self.expression
    }

    /// Which of them move which part of the face.
    pub fn regions(&self) -> &Regions {
        &self.regions
    }

    /// What they stay within, lowest and highest, where the pack says so.
    pub fn expression_bounds(&self) -> Option<[f32; 2]> {
        self.expression_bounds
    }

    /// The least and the most of each of them that is looked at to find how far a face may move, where the pack says so.
    pub fn expression_range(&self) -> Option<&[[f32; 2]]> {
        self.expression_range.as_deref()
    }

    /// Which points of the face mesh are the M landmarks of its morphable model; `None`: all of them.
    pub fn landmarks(&self) -> Option<&[usize]> {
        self.landmarks.as_deref()
    }

    /// Number of last feature channels that are not blended with painted ones.
    pub fn unblended(&self) -> usize {
        self.unblended
    }

    /// Those of `settings` that the pack states: `pack.landmarks`, `pack.expression_range`, `pack.unblended`. What a pack leaves out is no part
    /// of a key.
    pub fn stated<'a>(&self, settings: &[&'a str]) -> Vec<&'a str> {
        settings.iter().copied().filter(|setting| self.models.contains_key(*setting)).collect()
    }

    /// The parse network's input and classes, where the pack parses faces.
    pub fn parsing(&self) -> Option<&Parsing> {
        self.parsing.as_ref()
    }

    /// The default that this pack prefers for a parameter of a node type.
    pub fn default(&self, node_type: &str, param: &str) -> Option<&ParamValue> {
        self.defaults.get(node_type)?.get(param)
    }

    /// All preferred defaults, by node type and parameter.
    pub fn defaults(&self) -> &BTreeMap<String, BTreeMap<String, ParamValue>> {
        &self.defaults
    }

    /// The roles that the pack fills.
    pub fn roles(&self) -> impl Iterator<Item = (&str, &ModelFile)> {
        self.roles.iter().map(|(name, model)| (name.as_str(), model))
    }

    /// Whether the pack fills `role`.
    pub fn has(&self, role: &str) -> bool {
        self.roles.contains_key(role)
    }

    /// The phases of every optimisation.
    pub fn optimisations(&self) -> &BTreeMap<String, Vec<Phase>> {
        &self.optimisations
    }

    /// The phases of the optimisation called `name`.
    pub fn phases(&self, name: &str) -> Result<&[Phase]> {
        self.optimisations.get(name).map(Vec::as_slice).ok_or_else(|| {
            let known: Vec<_> = self.optimisations.keys().map(String::as_str).collect();
            NodeError::model(format!(
                "pack {} has no optimisation `{name}`, it has: {}",
                self.file_name,
                known.join(", ")
            ))
        })
    }

    /// Names of everything that the optimisation called `name` depends on: its graphs and its schedule. For
    /// `NodeType::roles`.
    pub fn optimisation_roles(&self, name: &str) -> Result<Vec<String>> {
        let graphs = self.phases(name)?.iter().flat_map(Phase::models).map(|model| model.name.clone());
        Ok(graphs.chain([format!("pack.optimisations.{name}")]).collect())
    }

    /// The model file of `role`, of a phase's graph (`pti.pivot.step`), or of a setting of `pack.yaml`
    /// (`pack.coefficients`, `pack.parsing`, `pack.resolution`, `pack.expression`, `pack.regions`, `pack.expression_bounds`, `pack.optimisations.NAME`, and
    /// those of [`stated`](Self::stated)), whose digest is that of its canonical JSON: a node type that reads a setting lists it among its roles, so that it
    /// enters the key.
    pub fn model(&self, role: &str) -> Result<&ModelFile> {
        self.models.get(role).ok_or_else(|| {
            let known: Vec<_> = self.roles.keys().map(String::as_str).collect();
            NodeError::model(format!("pack {} has no role `{role}`", self.file_name))
                .hint(format!("use another pack; this one fills {}", known.join(", ")))
        })
    }

    /// Every model file: roles in both precisions, then graphs of phases.
    pub fn models(&self) -> impl Iterator<Item = &ModelFile> {
        self.roles
            .values()
            .chain(self.others.values())
            .chain(self.optimisations.values().flatten().flat_map(Phase::models))
    }

    fn index(&self) -> BTreeMap<String, ModelFile> {
        let mut index = self.roles.clone();
        let graphs = self.optimisations.values().flatten().flat_map(Phase::models);
        index.extend(graphs.map(|model| (model.name.clone(), model.clone())));
        let mut setting = |name: String, json: String| {
            let model = ModelFile::setting(name.clone(), self.folder.join(file::NAME), &json);
            index.insert(name, model);
        };
        setting("pack.resolution".into(), canonical(&self.resolution));
        setting("pack.coefficients".into(), canonical(&self.coefficients));
        setting("pack.expression".into(), canonical(&self.expression));
        setting("pack.regions".into(), canonical(&self.regions));
        setting("pack.expression_bounds".into(), canonical(&self.expression_bounds));
        if let Some(range) = &self.expression_range {
            setting("pack.expression_range".into(), canonical(range));
        }
        if let Some(landmarks) = &self.landmarks {
            setting("pack.landmarks".into(), canonical(landmarks));
        }
        if self.unblended > 0 {
            setting("pack.unblended".into(), canonical(&self.unblended));
        }
        if let Some(parsing) = &self.parsing {
            setting("pack.parsing".into(), canonical(parsing));
        }
        for (name, phases) in &self.optimisations {
            let schedules: Vec<_> = phases.iter().map(Phase::schedule).collect();
            setting(format!("pack.optimisations.{name}"), canonical(&schedules));
        }
        index
    }
}

/// Plain data always has a JSON form; a failure would only make two settings look alike that no pack can hold.
fn canonical(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
