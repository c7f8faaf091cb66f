//! ONNX Runtime: the library, the device and the sessions.
//!
//! Nothing here touches the library before a model is asked for, so a run whose results are all remembered never opens
//! it; what enters keys ([`Runtime::numerics`]) is known without it.

mod copies;
mod cuda;
mod device;
mod interrupt;
mod library;
mod profile;
mod session;
#[cfg(test)]
mod tests;
mod values;

use std::{
    fs,
    sync::{Arc, Mutex, OnceLock},
};

use dashmap::DashMap;
use ort::session::{
    RunOptions,
    builder::{GraphOptimizationLevel, SessionBuilder},
};
use talkgraph_cache::Digest;
use talkgraph_operators::Isa;

use self::interrupt::Interrupt;
pub use self::{
    copies::{Copies, copies},
    cuda::Lack,
    device::{Device, DeviceChoice},
    profile::{ModelTimes, OperatorTimes, Profile},
    session::Session,
    values::Values,
};
use crate::{
    error::{NodeError, Result},
    file::ModelFile,
    home::Home,
    onnx::{Signature, check},
    precision::Precision,
    tensor::Tensors,
};

/// What changes the numbers that a model gives, besides the model itself. Enters the key of every node that runs models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numerics {
    /// Execution provider: `cpu`, `cuda`.
    pub provider: String,
    /// Precision of the arithmetic.
    pub precision: Precision,
    /// Version of ONNX Runtime.
    pub runtime: String,
}

/// The library, the device and the sessions by model digest.
pub struct Runtime {
    home: Home,
    device: Device,
    reason: &'static str,
    threads: usize,
    /// Instructions of the fused operators; `None`: models run their plain bodies.
    operators: Option<Isa>,
    version: OnceLock<String>,
    sessions: DashMap<Digest, Arc<Mutex<Option<Arc<Session>>>>>,
    interrupt: Arc<Interrupt>,
    /// Where sessions tell what they did, when someone wants to know.
    profile: Option<Arc<Profile>>,
}

impl Runtime {
    /// A runtime on the device that `choice` comes down to. Opens nothing. Fails when CUDA was asked for and this
    /// build cannot have it.
    pub fn new(home: Home, choice: DeviceChoice) -> Result<Self> {
        let (device, reason) = device::settle(choice, home.library().ok())?;
        Ok(Self {
            home,
            device,
            reason,
            threads: threads(),
            operators: Isa::chosen(),
            version: OnceLock::new(),
            sessions: DashMap::new(),
            interrupt: Arc::default(),
            profile: None,
        })
    }

    /// A runtime for each of `choices`, which share the work, and the CPU's threads where they are the CPU. Opens nothing.
    ///
    /// # Errors
    /// As [`new`](Self::new), for any of them.
    pub fn sharing(home: &Home, choices: &[DeviceChoice]) -> Result<Vec<Self>> {
        let one = |choice: &DeviceChoice| {
            let runtime = Self::new(home.clone(), *choice)?;
            let threads = runtime.threads / choices.len();
            Ok(if runtime.device == Device::Cpu { runtime.with_threads(threads) } else { runtime })
        };
        choices.iter().map(one).collect()
    }

    /// The same runtime, nothing opened yet, with so many threads a model.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// The same runtime, nothing opened yet, with fused operators of these instructions or with the models' plain bodies.
    pub fn with_operators(self, operators: Option<Isa>) -> Self {
        Self { operators, ..self }
    }

    /// The same runtime, nothing opened yet, whose sessions tell `profile` what they did when they are closed. Measuring costs some time.
    #[must_use]
    pub fn with_profile(self, profile: Arc<Profile>) -> Self {
        Self { profile: Some(profile), ..self }
    }

    /// Forgets the sessions that nothing runs on; they give their memory back, and tell what they did.
    pub fn close(&self) {
        self.sessions.clear();
    }

    /// Where set-up put things.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The device that models run on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Why that device, in words.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// What the machine and the library lack for CUDA; nothing where all is there. For `talkgraph doctor`.
    pub fn lacks_for_cuda(&self) -> Result<Vec<Lack>> {
        Ok(cuda::lacks(self.home.library()?))
    }

    /// Threads that a model runs on: one a physical core that this process may use.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// What enters keys of nodes whose models compute in float32, known without opening the library as long as its file name tells the version. Fails when
    /// there is no library.
    pub fn numerics(&self) -> Result<Numerics> {
        let version = match self.version.get() {
            Some(version) => version.clone(),
            None => {
                let version = library::version(self.home.library()?)?;
                self.version.get_or_init(|| version).clone()
            }
        };
        Ok(Numerics { provider: self.device.provider().into(), precision: Precision::F32, runtime: version })
    }

    /// What is wrong with the library's version where it is too old to be trusted with models of others; `None` also where nothing
    /// has asked for the version yet.
    pub fn outdated(&self) -> Option<String> {
        library::outdated(self.version.get()?)
    }

    /// Opens the library, if that has not happened yet, and says what was opened. For `talkgraph doctor`.
    pub fn open(&self) -> Result<String> {
        library::open(self.home.library()?)?;
        Ok(ort::info().to_owned())
    }

    /// The session of `model`, loaded on first use; its content must have the digest that the pack states.
    pub fn session(&self, model: &ModelFile) -> Result<Arc<Session>> {
        // The slot's lock makes others wait who want the same model, and leaves loads of other models alone.
        let slot = self.sessions.entry(model.digest).or_default().clone();
        let mut slot = slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(session) = &*slot {
            return Ok(session.clone());
        }
        let session = Arc::new(self.load(model, GraphOptimizationLevel::Level3)?);
        *slot = Some(session.clone());
        Ok(session)
    }

    /// Like [`session`](Self::session), but not remembered: dropped, it gives its memory back.
    pub fn session_apart(&self, model: &ModelFile) -> Result<Session> {
        self.load(model, GraphOptimizationLevel::Level3)
    }

    /// Like [`session_apart`](Self::session_apart), for a model that is run once: optimising it would take longer than running it.
    pub fn session_once(&self, model: &ModelFile) -> Result<Session> {
        self.load(model, GraphOptimizationLevel::Disable)
    }

    /// `tensors` in ONNX Runtime's own memory.
    pub fn values(&self, tensors: &Tensors) -> Result<Values> {
        library::open(self.home.library()?)?;
        let pairs = tensors
            .0
            .iter()
            .map(|(name, tensor)| Ok((name.clone(), Arc::new(values::to_value(name, tensor)?))));
        pairs.collect::<Result<_>>().map(Values)
    }

    /// `values` on the device, for loops that take them again and again: a run would copy what is not there, every time. Without an effect
    /// on the CPU.
    pub fn resident(&self, values: Values) -> Result<Values> {
        match self.device {
            Device::Cpu => Ok(values),
            Device::Cuda(number) => values.on_cuda(number),
        }
    }

    /// Stops running models between two of their operators; later runs fail as cancelled.
    pub fn cancel(&self) {
        self.interrupt.stop();
    }

    fn load(&self, model: &ModelFile, level: GraphOptimizationLevel) -> Result<Session> {
        self.interrupt.check()?;
        let library = self.home.library()?;
        let environment = library::open(library)?;
        model.ensure_unchanged()?;
        let bytes = fs::read(&model.path).map_err(|error| {
            NodeError::io(format!("model {}: {} cannot be read", model.name, model.path.display()))
                .caused_by(error)
        })?;
        model.check_content(Digest::of(&bytes))?;
        let signature = Signature::parse(&bytes)
            .ok_or_else(|| NodeError::model(format!("{}: not an ONNX file", model.path.display())))?;
        check(&model.path, &bytes)?;
        drop(bytes);
        let broken =
            |error: &ort::Error| failed(format!("model {} ({})", model.name, model.path.display()), error);
        let session = (|| {
            let mut builder = ort::session::Session::builder(environment)?
                .with_optimization_level(level)?
                .with_intra_threads(self.threads)?
                .with_inter_threads(1)?
                // Spinning threads would take the cores from decoding, encoding and other models.
                .with_intra_op_spinning(false)?;
            if let Some(profile) = &self.profile {
                builder = builder.with_profiling(profile.file())?;
            }
            builder = match self.device {
                Device::Cuda(number) => {
                    cuda::preload(library);
                    on_cuda(builder, number)?
                }
                // Elsewhere the plain bodies that models carry stand in for the operators.
                Device::Cpu => match self.operators {
                    Some(isa) => builder.with_operators(talkgraph_operators::domain(isa)?)?,
                    None => builder,
                },
            };
            builder.commit_from_file(&model.path)
        })()
        .map_err(|error: ort::Error| match self.device {
            Device::Cpu => broken(&error),
            Device::Cuda(_) => {
                broken(&error).hint("use --device cpu, or run `talkgraph doctor` to see what CUDA lacks")
            }
        })?;
        // ONNX Runtime opened the files again, by their paths.
        model.ensure_unchanged()?;
        let options = Arc::new(RunOptions::new().map_err(|error| broken(&error))?);
        self.interrupt.watch(options.clone());
        Ok(Session {
            name: model.name.clone(),
            signature,
            device: self.device,
            session: Mutex::new(session),
            options,
            interrupt: self.interrupt.clone(),
            profile: self.profile.clone(),
        })
    }
}

/// Puts the session on a CUDA device, or fails.
fn on_cuda(builder: SessionBuilder, number: u32) -> Result<SessionBuilder, ort::Error> {
    let cuda = ort::ep::CUDA::default()
        .with_device_id(number as i32)
        // The exhaustive search runs again for every new shape and costs seconds.
        .with_conv_algorithm_search(ort::ep::cuda::ConvAlgorithmSearch::Heuristic)
        .with_tf32(false);
    Ok(builder.with_execution_providers([cuda.build().error_on_failure()])?)
}

/// Physical cores, as far as this process may use them: a second thread on a core gains matrix products nothing.
fn threads() -> usize {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    allowed.min(num_cpus::get_physical()).max(1)
}

/// An ONNX Runtime error as ours. Its own text starts upper case and may span lines.
fn failed(place: String, error: &ort::Error) -> NodeError {
    let text = error.to_string();
    NodeError::model(format!("{place}: ONNX Runtime failed"))
        .caused_by(text.lines().collect::<Vec<_>>().join(" "))
}
