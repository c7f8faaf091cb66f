//! Checking a whole store.

use std::collections::BTreeSet;

use crate::{Digest, Read, Result, Store};

/// What [`Store::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Blobs whose content was compared with their digest.
    pub blobs: usize,
    /// Bytes compared.
    pub bytes: u64,
    /// Damaged blobs, now moved aside.
    pub corrupt: Vec<Digest>,
    /// Actions dropped because a blob of theirs is damaged or missing. They run again when wanted.
    pub forgotten: Vec<Digest>,
}

impl Store {
    /// Compares every blob with its digest and drops the actions that lost one.
    pub fn verify(&self) -> Result<Verified> {
        let mut found = Verified::default();
        let mut good = BTreeSet::new();
        for path in self.entries("blobs")? {
            let Some(digest) =
                path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok())
            else {
                continue;
            };
            self.distrust(&digest);
            match self.read(&digest)? {
                Read::Found(blob) => {
                    found.blobs += 1;
                    found.bytes += blob.len() as u64;
                    good.insert(digest);
                }
                Read::Corrupt => found.corrupt.push(digest),
                Read::Missing => {}
            }
        }
        for record in self.actions()? {
            if record.blobs().any(|digest| !good.contains(digest)) {
                self.forget(&record.key)?;
                found.forgotten.push(record.key);
            }
        }
        Ok(found)
    }
}
