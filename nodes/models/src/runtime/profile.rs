//! Where the time of models goes, operator by operator, as ONNX Runtime measures it; and where it put each of them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::device::Device;
use crate::error::{NodeError, Result};

/// The execution provider of what runs on the CPU, in ONNX Runtime's words.
const CPU: &str = "CPUExecutionProvider";
/// Operators that ONNX Runtime adds where what one provider gives is needed by another.
const COPIES: [&str; 2] = ["MemcpyToHost", "MemcpyFromHost"];

/// What was measured so far; made by whoever wants to know, and given to runtimes.
pub struct Profile {
    folder: TempDir,
    count: AtomicUsize,
    models: Mutex<BTreeMap<(String, String), Measured>>,
}

#[derive(Clone, Debug, Default)]
struct Measured {
    runs: u64,
    micros: u64,
    /// By type and execution provider: how often, and for how long in all.
    operators: BTreeMap<(String, String), (u64, u64)>,
}

/// Times of one model on one device.
#[derive(Clone, Debug, Serialize)]
pub struct ModelTimes {
    /// Role or file name.
    pub model: String,
    /// The device that it was to run on.
    pub device: String,
    /// How often it ran.
    pub runs: u64,
    /// For how long in all.
    pub seconds: f64,
    /// Its operators, the longest first.
    pub operators: Vec<OperatorTimes>,
    /// How often what is on the device was copied to the host for an operator, or back.
    pub copies: u64,
}

/// Times of one type of operator in one model.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorTimes {
    /// Type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Execution provider, in ONNX Runtime's words.
    pub provider: String,
    /// How often one ran.
    pub count: u64,
    /// For how long in all.
    pub seconds: f64,
    /// That as a part of all operators' time.
    pub share: f64,
}

impl ModelTimes {
    /// Operators that ONNX Runtime left on the CPU although the model was to run elsewhere, and that take at least this share of its time.
    pub fn left_on_cpu(&self, share: f64) -> impl Iterator<Item = &OperatorTimes> {
        let elsewhere = self.device != Device::Cpu.to_string();
        self.operators.iter().filter(move |one| elsewhere && one.provider == CPU && one.share >= share)
    }
}

/// A line of ONNX Runtime's profile.
#[derive(Deserialize)]
struct Line {
    cat: String,
    name: String,
    #[serde(default)]
    dur: u64,
    #[serde(default)]
    args: BTreeMap<String, serde_json::Value>,
}

impl Profile {
    /// Nothing measured yet.
    ///
    /// # Errors
    /// When there is no room for what ONNX Runtime writes meanwhile.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("talkgraph-profile-").tempdir();
        let folder =
            folder.map_err(|error| NodeError::io("no folder for the profiles of models").caused_by(error))?;
        Ok(Self { folder, count: AtomicUsize::new(0), models: Mutex::default() })
    }

    /// How the file of a new session's profile begins.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join(self.count.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Takes in the finished profile of a session, and removes its file.
    pub(super) fn take(&self, model: &str, device: Device, file: &Path) -> Result<()> {
        let broken = |error: std::io::Error| {
            NodeError::io(format!("model {model}: its profile cannot be read")).caused_by(error)
        };
        let mut measured = Measured::default();
        for line in BufReader::new(File::open(file).map_err(broken)?).lines() {
            measured.add(&line.map_err(broken)?);
        }
        std::fs::remove_file(file).map_err(broken)?;
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.entry((model.to_owned(), device.to_string())).or_default().join(measured);
        Ok(())
    }

    /// What was measured, the longest model first.
    pub fn models(&self) -> Vec<ModelTimes> {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times: Vec<ModelTimes> =
            models.iter().map(|((model, device), measured)| measured.told(model, device)).collect();
        times.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        times
    }
}

impl Measured {
    /// Takes in one line of a profile: each holds one event. What is none is passed over, as the brackets around all.
    fn add(&mut self, line: &str) {
        let Ok(event) = serde_json::from_str::<Line>(line.trim().trim_end_matches(',')) else { return };
        let text = |key: &str| event.args.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
        match (event.cat.as_str(), event.name.as_str()) {
            ("Session", "model_run") => {
                self.runs += 1;
                self.micros += event.dur;
            }
            ("Node", name) if name.ends_with("_kernel_time") => {
                let Some(key) = text("op_name").zip(text("provider")) else { return };
                let (count, micros) = self.operators.entry(key).or_default();
                *count += 1;
                *micros += event.dur;
            }
            _ => {}
        }
    }

    fn join(&mut self, other: Self) {
        self.runs += other.runs;
        self.micros += other.micros;
        for (key, (count, micros)) in other.operators {
            let known = self.operators.entry(key).or_default();
            known.0 += count;
            known.1 += micros;
        }
    }

    fn told(&self, model: &str, device: &str) -> ModelTimes {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let all: u64 = self.operators.values().map(|(_, micros)| micros).sum();
        let mut operators: Vec<OperatorTimes> = self
            .operators
            .iter()
            .map(|((ty, provider), &(count, micros))| OperatorTimes {
                ty: ty.clone(),
                provider: provider.clone(),
                count,
                seconds: seconds(micros),
                share: micros as f64 / all.max(1) as f64,
            })
            .collect();
        operators.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let copies =
            operators.iter().filter(|one| COPIES.contains(&one.ty.as_str())).map(|one| one.count).sum();
        ModelTimes {
            model: model.to_owned(),
            device: device.to_owned(),
            runs: self.runs,
            seconds: seconds(self.micros),
            operators,
            copies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"[
{"cat" : "Session","pid" :1,"tid" :1,"dur" :90,"ts" :1,"ph" : "X","name" :"model_run","args" : {}},
{"cat" : "Node","pid" :1,"tid" :1,"dur" :40,"ts" :2,"ph" : "X","name" :"a_kernel_time","args" : {"op_name" : "Conv","provider" : "CUDAExecutionProvider"}},
{"cat" : "Node","pid" :1,"tid" :1,"dur" :1,"ts" :2,"ph" : "X","name" :"a_fence_before","args" : {"op_name" : "Conv"}},
{"cat" : "Node","pid" :1,"tid" :1,"dur" :10,"ts" :3,"ph" : "X","name" :"b_kernel_time","args" : {"op_name" : "ScatterElements","provider" : "CPUExecutionProvider"}},
{"cat" : "Node","pid" :1,"tid" :1,"dur" :0,"ts" :4,"ph" : "X","name" :"c_kernel_time","args" : {"op_name" : "MemcpyToHost","provider" : "CUDAExecutionProvider"}}
]"#;

    #[test]
    fn what_a_device_left_to_the_cpu_is_told() {
        let profile = Profile::new().unwrap();
        for device in [Device::Cuda(1), Device::Cpu] {
            let file = profile.file();
            std::fs::write(&file, LINES).unwrap();
            profile.take("render", device, &file).unwrap();
            assert!(!file.exists());
        }
        let models = profile.models();
        assert_eq!(models.len(), 2);
        let cuda = models.iter().find(|model| model.device == "cuda:1").unwrap();
        assert_eq!((cuda.runs, cuda.copies, cuda.operators.len()), (1, 1, 3));
        let left: Vec<_> = cuda.left_on_cpu(0.1).map(|one| one.ty.as_str()).collect();
        assert_eq!(left, ["ScatterElements"]);
        assert!(cuda.left_on_cpu(0.5).next().is_none());
        let cpu = models.iter().find(|model| model.device == "cpu").unwrap();
        assert!(cpu.left_on_cpu(0.0).next().is_none(), "there it belongs");
    }
}
