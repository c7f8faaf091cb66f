//! What several commands open: the store, the pack, the runtime, and a graph with the pack's defaults.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use talkgraph_cache::{CacheError, Durability, Store};
use talkgraph_nodes::{
    error::NodeError,
    home::Home,
    models::Models,
    onnx::unchecked,
    pack::Pack,
    registry::Registry,
    runtime::{DeviceChoice, Profile, Runtime},
};

use super::{args::GraphArgs, find};
use crate::{
    check::{self, Settings},
    engine::{Engine, Slots},
    error::{Diagnostic, Failure},
    graph::Graph,
};

/// Everything that planning and running stand on.
pub struct Parts {
    /// Node types.
    pub registry: Arc<Registry>,
    /// Blobs and actions.
    pub store: Store,
    /// The pack and the runtime; the pack is absent where none was named and none is bundled.
    pub models: Arc<Models>,
    /// The same pack.
    pub pack: Option<Arc<Pack>>,
    /// The same on further devices.
    pub others: Vec<Arc<Models>>,
    /// The runtimes of all devices.
    pub runtimes: Vec<Arc<Runtime>>,
}

impl Parts {
    /// Opens store, pack and runtime as the flags say. Loads no model and no library.
    ///
    /// # Errors
    /// A store that cannot be opened, a pack that is not sound, a device that cannot be had.
    pub fn open(args: &GraphArgs) -> Result<Self, Failure> {
        Self::measured(args, None)
    }

    /// The same; models tell `profile` what they do.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn measured(args: &GraphArgs, profile: Option<&Arc<Profile>>) -> Result<Self, Failure> {
        let device = args.device.as_deref().unwrap_or("auto");
        let choices = DeviceChoice::list(device).map_err(|error| wrong(&error))?;
        let store = open_store(args.cache.cache.as_deref())?;
        let home = Home::find();
        let pack = find::pack(args.pack.pack.as_deref())
            .map(|folder| pack_at(&folder, &home, &store)?.in_precision(args.precision.chosen()));
        let runtimes = Runtime::sharing(&home, &choices).map_err(|error| wrong(&error))?;
        let told = |runtime: Runtime| match profile {
            Some(profile) => runtime.with_profile(profile.clone()),
            None => runtime,
        };
        let runtimes: Vec<_> = runtimes.into_iter().map(|runtime| Arc::new(told(runtime))).collect();
        let runtime = runtimes[0].clone();
        let (pack, models) = match pack.transpose() {
            Ok(pack) => {
                let pack = pack.map(Arc::new);
                (pack.clone(), Models::with(pack, Some(runtime.clone())))
            }
            // A pack that no one named must be sound only for graphs with models.
            Err(error) if args.pack.pack.is_none() => (None, Models::without_pack(&error, runtime.clone())),
            Err(error) => return Err(wrong(&error)),
        };
        let others = runtimes.iter().enumerate().skip(1);
        let others = others.map(|(lane, runtime)| Arc::new(models.beside(runtime.clone(), lane))).collect();
        let (registry, models) = (Arc::new(Registry::builtin()), Arc::new(models));
        Ok(Self { registry, store, models, others, pack, runtimes })
    }

    /// The parts as plans and runs take them.
    pub fn engine(&self) -> Engine {
        Engine {
            registry: self.registry.clone(),
            store: self.store.clone(),
            models: self.models.clone(),
            others: self.others.clone(),
            slots: Slots::default(),
        }
    }

    /// Loads and checks the graph that the flags name, with the pack's defaults.
    ///
    /// # Errors
    /// Every mistake in the graph; inputs that only a graph around it can give.
    pub fn graph(&self, args: &GraphArgs) -> Result<Graph, Failure> {
        let lookup = |ty: &str, param: &str| self.pack.as_ref()?.default(ty, param).cloned();
        let settings = Settings { pack_default: Some(&lookup), ..args.settings() };
        let mut graph =
            check::load(&find::graph(&args.graph)?, &self.registry, &settings).map_err(Failure::usage)?;
        match std::mem::take(&mut graph.unfed) {
            unfed if unfed.has_errors() => Err(Failure::usage(unfed)),
            _ => Ok(graph),
        }
    }
}

/// The folder of the store: the flag, else `talkgraph` in the user's cache folder.
///
/// # Errors
/// When there is no home to have a cache folder in.
pub fn store_folder(flag: Option<&Path>) -> Result<PathBuf, Failure> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    flag.map(Path::to_owned)
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("talkgraph")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/talkgraph")))
        .ok_or_else(|| {
            let diagnostic =
                Diagnostic::error("no folder for the cache: neither XDG_CACHE_HOME nor HOME is set");
            Failure::store(diagnostic.hint("name one with --cache"))
        })
}

/// Opens the store, and makes it where there is none yet.
///
/// # Errors
/// When its folder cannot be made or is no store of this version.
pub fn open_store(flag: Option<&Path>) -> Result<Store, Failure> {
    Store::open(&store_folder(flag)?, Durability::default()).map_err(|error| store_failure(&error))
}

/// An error of the store as a command's failure.
pub fn store_failure(error: &CacheError) -> Failure {
    let mut diagnostic = Diagnostic::error(error.to_string());
    diagnostic.hint = error.hint().map(ToOwned::to_owned);
    if let Some(cause) = std::error::Error::source(error) {
        diagnostic = diagnostic.caused_by(cause);
    }
    Failure::store(diagnostic)
}

/// Opens a pack; digests of its files come from the store's memory.
///
/// # Errors
/// When the pack is not sound.
pub fn open_pack(folder: &Path, home: &Home, store: &Store) -> Result<Pack, Failure> {
    pack_at(folder, home, store).map_err(|error| wrong(&error))
}

fn pack_at(folder: &Path, home: &Home, store: &Store) -> Result<Pack, NodeError> {
    let read = |path: &Path| {
        store.fingerprint(path, Some(unchecked)).map_err(|error| {
            NodeError::io(format!("{}: cannot read the file", path.display())).caused_by(error)
        })
    };
    Pack::open(folder, home, &read)
}

/// A wrong flag or pack, before any work.
fn wrong(error: &NodeError) -> Failure {
    Failure::usage(Diagnostic::from_node("", error))
}
