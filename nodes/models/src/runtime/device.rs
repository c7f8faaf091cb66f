//! The choice of device.

use std::{fmt, path::Path, str::FromStr};

use super::cuda;
use crate::error::{NodeError, Result};

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// CUDA where this build, the library and the machine have it, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this number; an error where it cannot be had.
    Cuda(u32),
}

impl DeviceChoice {
    /// Several devices that share the work: `cuda:0,1`, `cuda:0,cuda:1`, `cpu,cpu`; or the one that is named.
    ///
    /// # Errors
    /// What is no device, a CUDA device named twice, devices of different kinds: results are remembered by execution provider.
    pub fn list(text: &str) -> Result<Vec<Self>> {
        let mut choices: Vec<Self> = vec![];
        for word in text.split(',') {
            let further = choices.last().filter(|last| matches!(last, Self::Cuda(_)));
            let choice = match word.trim().parse::<u32>() {
                Ok(number) if further.is_some() => Self::Cuda(number),
                _ => word.trim().parse()?,
            };
            if let Self::Cuda(number) = choice
                && choices.contains(&choice)
            {
                return Err(NodeError::input(format!("device: cuda:{number} is named twice in `{text}`")));
            }
            let kind = std::mem::discriminant(&choice);
            if choices.iter().any(|other| *other == Self::Auto || std::mem::discriminant(other) != kind) {
                let message = format!("device: expected one, or several of one kind, found `{text}`");
                return Err(NodeError::input(message).hint("write cuda:0,1 or cpu,cpu"));
            }
            choices.push(choice);
        }
        Ok(choices)
    }
}

impl FromStr for DeviceChoice {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            other => {
                other.strip_prefix("cuda:").and_then(|number| number.parse().ok()).map(Self::Cuda).ok_or_else(
                    || NodeError::input(format!("device: expected auto, cpu or cuda:N, found `{other}`")),
                )
            }
        }
    }
}

/// The device that models run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// The CPU.
    Cpu,
    /// A CUDA device.
    Cuda(u32),
}

impl Device {
    /// The execution provider, as keys name it.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda(_) => "cuda",
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// Settles the device without opening the library; gives it and the reason in words. Whatever `auto` settles on is
/// then as binding as if it had been asked for, because results are remembered by execution provider.
pub(super) fn settle(choice: DeviceChoice, library: Option<&Path>) -> Result<(Device, &'static str)> {
    match choice {
        DeviceChoice::Cpu => Ok((Device::Cpu, "asked for")),
        DeviceChoice::Cuda(number) if library.is_none_or(cuda::has_provider) => {
            Ok((Device::Cuda(number), "asked for"))
        }
        DeviceChoice::Cuda(number) => Err(NodeError::model(format!(
            "device cuda:{number}: the ONNX Runtime library comes without the CUDA provider"
        ))
        .hint(cuda::SETUP)),
        DeviceChoice::Auto if !cuda::has_device() => Ok((Device::Cpu, "no NVIDIA device")),
        DeviceChoice::Auto if library.is_some_and(cuda::has_provider) => {
            Ok((Device::Cuda(0), "an NVIDIA device and the CUDA provider are there"))
        }
        DeviceChoice::Auto => Ok((
            Device::Cpu,
            "the ONNX Runtime library comes without the CUDA provider for the NVIDIA device",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_names() {
        assert_eq!("auto".parse::<DeviceChoice>().unwrap(), DeviceChoice::Auto);
        assert_eq!("cuda:3".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(3));
        let error = "gpu".parse::<DeviceChoice>().unwrap_err();
        assert_eq!(error.to_string(), "device: expected auto, cpu or cuda:N, found `gpu`");
    }

    #[test]
    fn several_devices_are_of_one_kind() {
        use DeviceChoice::{Auto, Cpu, Cuda};
        let list = |text| DeviceChoice::list(text).map_err(|error| error.to_string());
        assert_eq!(list("cuda:0,1, cuda:3"), Ok(vec![Cuda(0), Cuda(1), Cuda(3)]));
        assert_eq!((list("cpu,cpu"), list("auto")), (Ok(vec![Cpu, Cpu]), Ok(vec![Auto])));
        for wrong in ["cuda:0,0", "cpu,cuda:0", "auto,auto", "0,1", "cpu,1", "", "cuda:0,"] {
            assert!(list(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cuda_needs_the_provider_beside_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so.1.31.1");
        let error = settle(DeviceChoice::Cuda(1), Some(&library)).unwrap_err();
        assert!(error.to_string().starts_with("device cuda:1: ") && error.hint_text().is_some());
        std::fs::write(folder.path().join("libonnxruntime_providers_cuda.so"), "").unwrap();
        assert_eq!(settle(DeviceChoice::Cuda(1), Some(&library)).unwrap().0, Device::Cuda(1));
    }
}
