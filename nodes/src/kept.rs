//! What a map body makes once for all of its chunks: once on every device, since models and their values stay on theirs.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{error::Result, models::Models};

/// One `T` a device, made by whichever chunk comes to it first; chunks that come meanwhile wait.
pub(crate) struct Kept<T>(Mutex<BTreeMap<usize, T>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    /// What is kept for the device of `models`, made by `make` where there is none.
    ///
    /// # Errors
    /// Those of `make`, which is asked again by the next chunk.
    pub(crate) fn get(&self, models: &Models, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(&models.lane()) {
            return Ok(known.clone());
        }
        let made = make()?;
        kept.insert(models.lane(), made.clone());
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_has_its_own() {
        let lanes: Vec<Models> = (0..2).map(|lane| Models::none().on_lane(lane)).collect();
        let (kept, mut made) = (Kept::default(), 0);
        for lane in [0, 1, 1, 0] {
            let got = kept.get(&lanes[lane], || {
                made += 1;
                Ok(lane)
            });
            assert_eq!(got.unwrap(), lane);
        }
        assert_eq!(made, 2);
    }
}
