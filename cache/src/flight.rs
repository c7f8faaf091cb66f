//! Single flight: of all who want one action done, one does it and the others wait.

use std::{
    fs::{self, TryLockError},
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use crate::{CacheError, Digest, Result, Store};

/// Longest pause between two looks at a lock that another process holds.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The waiting room of one action inside this process.
#[derive(Default)]
pub(crate) struct Waiters {
    busy: Mutex<bool>,
    free: Condvar,
}

/// The right to do an action, given back when dropped. It also ends with the process, however that ends.
pub struct Flight {
    store: Store,
    key: Digest,
    waiters: Arc<Waiters>,
    file: Option<(fs::File, PathBuf)>,
}

impl Store {
    /// Waits for the right to do action `key`; `None` when `cancelled` said so while waiting. Whoever gets it looks for
    /// the action's record first: another may have finished it meanwhile. Call it from a thread that may block.
    pub fn flight(&self, key: &Digest, cancelled: impl Fn() -> bool) -> Result<Option<Flight>> {
        let waiters = self.waiters().entry(*key).or_default().clone();
        {
            let mut busy = waiters.busy.lock().unwrap_or_else(PoisonError::into_inner);
            while *busy {
                if cancelled() {
                    return Ok(None);
                }
                busy =
                    waiters.free.wait_timeout(busy, LONGEST_PAUSE).unwrap_or_else(PoisonError::into_inner).0;
            }
            *busy = true;
        }
        let mut flight = Flight { store: self.clone(), key: *key, waiters, file: None };
        let mut pause = Duration::from_millis(1);
        while flight.file.is_none() {
            flight.file = self.try_lock(key)?;
            if flight.file.is_none() {
                if cancelled() {
                    return Ok(None);
                }
                thread::sleep(pause);
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
        Ok(Some(flight))
    }

    fn try_lock(&self, key: &Digest) -> Result<Option<(fs::File, PathBuf)>> {
        let path = self.sharded("locks", key);
        let open = || fs::File::options().create(true).truncate(false).write(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(self.root());
                fs::create_dir_all(folder).map_err(CacheError::io(folder, "create the folder"))?;
                open()
            }
            other => other,
        }
        .map_err(CacheError::io(&path, "create the lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(CacheError::io(path, "lock")(error)),
        }
        // The holder before us may have unlinked the file between our opening and locking it.
        let same = match (file.metadata(), fs::metadata(&path)) {
            (Ok(ours), Ok(theirs)) => ours.ino() == theirs.ino(),
            _ => false,
        };
        Ok(same.then_some((file, path)))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some((file, path)) = self.file.take() {
            // Unlinked while still locked: no one can hold a lock on the name that is being removed.
            let _ = fs::remove_file(path);
            drop(file);
        }
        *self.waiters.busy.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.waiters.free.notify_one();
        // Two references: the map's and ours. No one else waits.
        self.store.waiters().remove_if(&self.key, |_, waiters| Arc::strong_count(waiters) <= 2);
    }
}
