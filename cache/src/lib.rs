//! Content-addressed store and action cache. It knows bytes, never graphs.

mod digest;

pub use digest::{Digest, ParseDigestError};
