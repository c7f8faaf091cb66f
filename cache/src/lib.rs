//! Content-addressed store and action cache. It knows bytes, never graphs.
//!
//! A [`Store`] keeps **blobs** named by the blake3 digest of their content, and **action records** that say which blobs
//! came out of an action. An action is named by the digest of its canonical description, made with [`KeyBuilder`].
//! Several processes may share one store.

mod action;
mod blob;
mod collect;
mod digest;
mod error;
mod files;
mod fingerprint;
mod flight;
mod key;
mod store;
mod verify;

pub use action::{ActionRecord, OutputRecord};
pub use blob::{Blob, Read};
pub use collect::{Collected, Stats};
pub use digest::{Digest, ParseDigestError};
pub use error::{CacheError, Result};
pub use files::{has_ending, is_pattern, listed};
pub use fingerprint::{Fingerprint, Names};
pub use flight::Flight;
pub use key::{Key, KeyBuilder};
pub use store::{Durability, Store};
pub use verify::Verified;
