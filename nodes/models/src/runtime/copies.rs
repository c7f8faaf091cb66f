//! How many bytes go between the program and ONNX Runtime.

use std::{cell::Cell, ops::Sub};

/// Bytes that this thread's calls have copied so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Into ONNX Runtime, or lent to it for a run.
    pub given: u64,
    /// Out of it.
    pub taken: u64,
}

impl Sub for Copies {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { given: self.given - before.given, taken: self.taken - before.taken }
    }
}

thread_local! {
    static COPIES: Cell<Copies> = const { Cell::new(Copies { given: 0, taken: 0 }) };
}

/// The bytes so far.
pub fn copies() -> Copies {
    COPIES.get()
}

pub(super) fn given(bytes: usize) {
    let so_far = COPIES.get();
    COPIES.set(Copies { given: so_far.given + bytes as u64, ..so_far });
}

pub(super) fn taken(bytes: usize) {
    let so_far = COPIES.get();
    COPIES.set(Copies { taken: so_far.taken + bytes as u64, ..so_far });
}
