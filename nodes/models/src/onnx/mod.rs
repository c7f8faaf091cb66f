//! What is read from ONNX files without ONNX Runtime: ports, and data files beside them.

mod external;
mod signature;
mod wire;

pub(crate) use self::external::check;
pub use self::external::unchecked;
pub use self::signature::{Dim, Element, Port, Signature};
