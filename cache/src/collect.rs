//! How full the store is, and making room.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::SystemTime,
};

use crate::{ActionRecord, CacheError, Digest, Result, Store, action::USE_RESOLUTION};

/// How full a store is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Number of action records.
    pub actions: usize,
    /// Number of blobs.
    pub blobs: usize,
    /// Bytes in blobs.
    pub bytes: u64,
    /// Seconds that the recorded actions took, all together: what a full store saves.
    pub seconds: f64,
    /// By node type: actions, bytes of their outputs, seconds.
    pub types: BTreeMap<String, (usize, u64, f64)>,
}

/// What [`Store::collect`] removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// Actions dropped, cheapest to recompute first.
    pub actions: Vec<Digest>,
    /// Number of blobs removed.
    pub blobs: usize,
    /// Bytes removed.
    pub bytes: u64,
    /// Bytes in blobs after.
    pub left: u64,
}

impl Store {
    /// Counts what is in the store.
    pub fn stats(&self) -> Result<Stats> {
        let sizes = self.sizes()?;
        let mut stats = Stats { blobs: sizes.len(), bytes: sizes.values().sum(), ..Stats::default() };
        for record in self.actions()? {
            stats.actions += 1;
            stats.seconds += record.seconds;
            let row = stats.types.entry(record.node_type.clone()).or_default();
            *row = (row.0 + 1, row.1.saturating_add(record.bytes()), row.2 + record.seconds);
        }
        Ok(stats)
    }

    /// Shrinks the store to at most `most` bytes of blobs: first what belongs to no action, then the actions that are
    /// cheapest to recompute per byte. With `dry_run` nothing is removed. Fails while another process has it open.
    pub fn collect(&self, most: u64, dry_run: bool) -> Result<Collected> {
        self.alone(|| {
            let mut records = self.actions()?;
            let worth = |record: &ActionRecord| record.seconds / (record.bytes().max(1) as f64);
            records.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.key.cmp(&b.key)));
            self.drop_last(records, vec![], most, dry_run)
        })
    }

    /// Shrinks the store to at most `most` bytes of blobs: first what belongs to no action, then the actions that were not used for
    /// longest. What was used since `began`, or a little before it, stays, so that more than `most` may be left. Fails while another
    /// process has the store open.
    pub fn trim(&self, most: u64, began: SystemTime) -> Result<Collected> {
        self.alone(|| {
            let left = self.sizes()?.values().sum();
            if left <= most {
                return Ok(Collected { left, ..Collected::default() });
            }
            // The time of use is renewed only so often.
            let recent = began.checked_sub(USE_RESOLUTION).unwrap_or(began);
            let used = |record: ActionRecord| (self.used(&record.key).unwrap_or(began), record);
            let (kept, mut old): (Vec<_>, Vec<_>) =
                self.actions()?.into_iter().map(used).partition(|(used, _)| *used >= recent);
            old.sort_by(|(a, one), (b, other)| b.cmp(a).then(one.key.cmp(&other.key)));
            let records =
                |rows: Vec<(SystemTime, ActionRecord)>| rows.into_iter().map(|(_, record)| record).collect();
            self.drop_last(records(old), records(kept), most, false)
        })
    }

    /// Drops the last of `records` until at most `most` bytes are left, never one of `kept`, and every blob that belongs to none.
    fn drop_last(
        &self,
        mut records: Vec<ActionRecord>,
        kept: Vec<ActionRecord>,
        most: u64,
        dry_run: bool,
    ) -> Result<Collected> {
        let sizes = self.sizes()?;
        let mut uses = BTreeMap::<Digest, usize>::new();
        for digest in records.iter().chain(&kept).flat_map(ActionRecord::blobs) {
            *uses.entry(*digest).or_default() += 1;
        }
        let mut left: u64 = uses.keys().filter_map(|digest| sizes.get(digest)).sum();
        let mut collected = Collected::default();
        while left > most
            && let Some(record) = records.pop()
        {
            for digest in record.blobs().collect::<BTreeSet<_>>() {
                let times = record.blobs().filter(|other| *other == digest).count();
                if let Some(count) = uses.get_mut(digest) {
                    *count -= times;
                    if *count == 0 {
                        uses.remove(digest);
                        left -= sizes.get(digest).copied().unwrap_or(0);
                    }
                }
            }
            collected.actions.push(record.key);
        }
        for (digest, size) in sizes.iter().filter(|(digest, _)| !uses.contains_key(digest)) {
            collected.blobs += 1;
            collected.bytes += size;
            if !dry_run {
                let path = self.path(digest);
                fs::remove_file(&path).map_err(CacheError::io(path, "remove the blob"))?;
            }
        }
        collected.left = left;
        if !dry_run {
            collected.actions.iter().try_for_each(|key| self.forget(key))?;
            for leftover in ["scratch", "locks", "corrupt"] {
                let folder = self.root().join(leftover);
                if folder.exists() {
                    fs::remove_dir_all(&folder).map_err(CacheError::io(folder, "remove the folder"))?;
                }
            }
        }
        Ok(collected)
    }

    fn sizes(&self) -> Result<BTreeMap<Digest, u64>> {
        let mut sizes = BTreeMap::new();
        for path in self.entries("blobs")? {
            let digest = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            if let (Some(digest), Ok(meta)) = (digest, fs::metadata(&path)) {
                sizes.insert(digest, meta.len());
            }
        }
        Ok(sizes)
    }
}
