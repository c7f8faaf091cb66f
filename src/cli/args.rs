//! Flags that several commands share.

use std::{collections::BTreeMap, path::PathBuf};

use talkgraph_nodes::precision::Precision;

use crate::{
    check::{Assignment, Settings},
    config::Config,
    engine::Request,
    error::{Diagnostic, Failure},
};

/// What determines the work: a graph, its inputs and outputs, and where it runs. Shared by `run`, `plan` and
/// `dot --plan`.
#[derive(Clone, Debug, clap::Args)]
pub struct GraphArgs {
    /// Graph: a file, or the name of one in `graphs` or installed
    #[arg(value_name = "GRAPH")]
    pub graph: PathBuf,
    /// File for a graph input
    #[arg(short, long = "input", value_name = "NAME=PATH")]
    pub input: Vec<Assignment>,
    /// Where a graph output goes; the name's ending decides the format, `-` is standard output
    #[arg(short, long = "output", value_name = "NAME=PATH")]
    pub output: Vec<Assignment>,
    /// Parameter of a node, in place of the graph's; `fps=RATE`: frames a second of the whole graph
    #[arg(long, value_name = "NODE.PARAM=VALUE")]
    pub set: Vec<Assignment>,
    /// Which pack.
    #[command(flatten)]
    pub pack: PackArg,
    /// Device of the models: auto, cpu, cuda:N; several share the work: cuda:0,1
    #[arg(long, value_name = "DEVICE", env = "TALKGRAPH_DEVICE")]
    pub device: Option<String>,
    /// In which precision.
    #[command(flatten)]
    pub precision: PrecisionArg,
    /// Which cache.
    #[command(flatten)]
    pub cache: CacheArg,
    /// Run this node again even when its result is stored
    #[arg(long, value_name = "NODE")]
    pub refresh: Vec<String>,
}

/// Which pack.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PackArg {
    /// Model pack: a folder, or the name of an installed one
    #[arg(long, value_name = "PACK", env = "TALKGRAPH_PACK")]
    pub pack: Option<PathBuf>,
}

impl PackArg {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.pack = self.pack.take().or_else(|| config.pack.clone());
    }
}

/// In which precision.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PrecisionArg {
    /// Precision of the models: f32, or f16 for those that the pack has so
    #[arg(long, value_name = "PRECISION", env = "TALKGRAPH_PRECISION")]
    pub precision: Option<Precision>,
}

impl PrecisionArg {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.precision = self.precision.or(config.precision);
    }

    /// What was said, else float32.
    pub fn chosen(&self) -> Precision {
        self.precision.unwrap_or_default()
    }
}

/// Which cache.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CacheArg {
    /// Folder of the cache
    #[arg(long, value_name = "DIR", env = "TALKGRAPH_CACHE", global = true)]
    pub cache: Option<PathBuf>,
}

impl CacheArg {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.cache = self.cache.take().or_else(|| config.cache.folder.clone());
    }
}

impl GraphArgs {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.pack.fill(config);
        self.cache.fill(config);
        self.precision.fill(config);
        self.device = self.device.take().or_else(|| config.device.clone());
    }

    /// What the flags ask of the graph. A node is refreshed by the request, not by the graph.
    ///
    /// # Errors
    /// When an output is named twice.
    pub fn request(&self) -> Result<Request, Failure> {
        let mut outputs = BTreeMap::new();
        for (name, path) in paths(&self.output) {
            if outputs.insert(name.clone(), path).is_some() {
                let diagnostic = Diagnostic::error(format!("output `{name}` is given twice"));
                return Err(Failure::usage(diagnostic.hint("name it once, and copy the file")));
            }
        }
        Ok(Request {
            inputs: paths(&self.input).collect(),
            outputs,
            refresh: self.refresh.iter().cloned().collect(),
            ..Request::default()
        })
    }

    /// The settings that `check` applies to the graph; pack defaults are added by the caller.
    pub fn settings(&self) -> Settings<'static> {
        Settings {
            set: self.set.clone(),
            refresh: self.refresh.clone(),
            outputs: paths(&self.output).collect(),
            pack_default: None,
        }
    }
}

fn paths(assignments: &[Assignment]) -> impl Iterator<Item = (String, PathBuf)> {
    assignments.iter().map(|one| (one.name.clone(), PathBuf::from(&one.value)))
}
