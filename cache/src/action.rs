//! Action records: which blobs came out of which action.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{CacheError, Digest, Result, Store};

/// How stale the time of last use may become before a reader renews it.
pub(crate) const USE_RESOLUTION: Duration = Duration::from_secs(600);

/// What an action gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// The action's digest.
    pub key: Digest,
    /// Its canonical description, whose digest is `key`.
    pub manifest: String,
    /// Type of the node that ran, for people.
    pub node_type: String,
    /// Outputs by port.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// Facts that the body reported, repeated by runs that find this record.
    pub notes: serde_json::Value,
    /// How long the body took.
    pub seconds: f64,
    /// When it was recorded, in seconds since the Unix epoch.
    pub created: u64,
}

/// One output of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// One blob for a value, one a chunk for a sequence.
    pub blobs: Vec<Digest>,
    /// Whether this is a sequence.
    pub sequence: bool,
    /// Size of all blobs together.
    pub bytes: u64,
}

impl ActionRecord {
    /// All blobs of all outputs.
    pub fn blobs(&self) -> impl Iterator<Item = &Digest> {
        self.outputs.values().flat_map(|output| &output.blobs)
    }

    /// Size of all outputs, counted once an output.
    pub fn bytes(&self) -> u64 {
        // A record may be damaged and still look like one.
        self.outputs.values().fold(0, |sum, output| sum.saturating_add(output.bytes))
    }
}

impl Store {
    fn action_path(&self, key: &Digest) -> PathBuf {
        self.sharded("actions", key)
    }

    /// The record of action `key`. A record that cannot be read as such counts as absent and is removed.
    pub fn action(&self, key: &Digest) -> Result<Option<ActionRecord>> {
        let record = self.look_up(key)?;
        if record.is_some() {
            renew(&self.action_path(key));
        }
        Ok(record)
    }

    /// The same without a mark that it was used.
    fn look_up(&self, key: &Digest) -> Result<Option<ActionRecord>> {
        let path = self.action_path(key);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CacheError::io(path, "read the action record")(error)),
        };
        let record = serde_json::from_slice::<ActionRecord>(&bytes)
            .ok()
            .filter(|record| record.key == *key && Digest::of(record.manifest.as_bytes()) == *key);
        if record.is_none() {
            tracing::warn!(path = %path.display(), "damaged action record dropped");
            self.forget(key)?;
        }
        Ok(record)
    }

    /// Records an action whose blobs are in the store already.
    pub fn record(&self, record: &ActionRecord) -> Result<()> {
        let path = self.action_path(&record.key);
        let bytes = serde_json::to_vec(record)
            .map_err(|error| CacheError::io(&path, "encode the action record")(error.into()))?;
        self.write(&path, &bytes)
    }

    /// Drops the record of action `key`, if there is one.
    pub fn forget(&self, key: &Digest) -> Result<()> {
        let path = self.action_path(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(CacheError::io(path, "remove the action record")(error))
            }
            _ => Ok(()),
        }
    }

    /// When the action `key` was last used, to some minutes; `None` where there is no record of it.
    pub(crate) fn used(&self, key: &Digest) -> Option<SystemTime> {
        fs::metadata(self.action_path(key)).and_then(|meta| meta.modified()).ok()
    }

    /// Every readable action record. Listing is no use of them.
    pub fn actions(&self) -> Result<Vec<ActionRecord>> {
        let mut records = vec![];
        for path in self.entries("actions")? {
            let Some(key) =
                path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok())
            else {
                continue;
            };
            records.extend(self.look_up(&key)?);
        }
        Ok(records)
    }
}

/// Marks a record as used now. Best effort: a read-only store can still be read.
fn renew(path: &PathBuf) {
    let stale = fs::metadata(path)
        .and_then(|meta| meta.modified())
        .ok()
        .and_then(|time| SystemTime::now().duration_since(time).ok())
        .is_some_and(|age| age > USE_RESOLUTION);
    if stale {
        let _ =
            fs::File::options().write(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
    }
}
