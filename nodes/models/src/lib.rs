//! Models and how they are run: packs, the ONNX Runtime host, and the driver of step graphs. Knows no node type.

pub mod error;
pub mod file;
pub mod home;
pub mod layout;
pub mod models;
pub mod onnx;
pub mod optimise;
pub mod pack;
pub mod param;
pub mod precision;
pub mod runtime;
pub mod safetensors;
pub mod tensor;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
