//! Inputs and outputs of the operators, checked.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

use ort::{
    Error, Result,
    operator::ComputeContext,
    value::{ValueRef, ValueRefMut},
};

use super::{
    isa::Isa,
    kernel::{self, Task},
    lanes::LANES,
    operator::wrong,
};

/// What one run of a node is given, and where it puts what it makes.
pub(super) struct Ports<'a> {
    pub(super) operator: &'static str,
    pub(super) names: &'static [&'static str],
    pub(super) isa: Isa,
    pub(super) context: &'a ComputeContext,
}

/// An input: its sizes and floats. Keeps the value alive.
pub(super) struct Input<'a> {
    name: &'static str,
    operator: &'static str,
    value: ValueRef<'a>,
}

/// An output: its floats.
pub(super) struct Output<'a>(ValueRefMut<'a>);

impl<'a> Ports<'a> {
    /// The input called `name`.
    pub(super) fn input(&self, name: &'static str) -> Result<Input<'a>> {
        let index = self.names.iter().position(|known| *known == name);
        let value = index.map(|index| self.context.input(index)).transpose()?.flatten();
        let value = value.ok_or_else(|| wrong(self.operator, format!("input `{name}` is missing")))?;
        Ok(Input { name, operator: self.operator, value })
    }

    /// Output `index`, of these sizes.
    pub(super) fn output<const N: usize>(&self, index: usize, sizes: [usize; N]) -> Result<Output<'a>> {
        let value = self.wanted(index, sizes)?;
        value.ok_or_else(|| wrong(self.operator, format!("output {index} is missing")))
    }

    /// Output `index`, of these sizes, if the model has it.
    pub(super) fn wanted<const N: usize>(
        &self,
        index: usize,
        sizes: [usize; N],
    ) -> Result<Option<Output<'a>>> {
        Ok(self.context.output(index, sizes.map(|size| size as i64).to_vec())?.map(Output))
    }

    /// Does `count` pieces of `task` on ONNX Runtime's threads, with the node's instructions.
    pub(super) fn run(&self, task: &impl Task, count: usize) -> Result<()> {
        let isa = self.isa;
        self.each(count, |index| kernel::run(isa, task, index))
    }

    /// Calls `piece` with each number below `count` on ONNX Runtime's threads.
    pub(super) fn each(&self, count: usize, piece: impl Fn(usize) + Send + Sync) -> Result<()> {
        let panicked = AtomicBool::new(false);
        self.context.par_for(count, 0, |index| {
            if catch_unwind(AssertUnwindSafe(|| piece(index))).is_err() {
                panicked.store(true, Ordering::Relaxed);
            }
        })?;
        if panicked.into_inner() { Err(wrong(self.operator, "panicked")) } else { Ok(()) }
    }
}

impl Input<'_> {
    /// An error about this input.
    pub(super) fn wrong(&self, what: impl std::fmt::Display) -> Error {
        wrong(self.operator, format!("input `{}`: {what}", self.name))
    }

    /// The sizes, of which there must be `N`.
    pub(super) fn sizes<const N: usize>(&self) -> Result<[usize; N]> {
        let shape: Vec<usize> =
            self.value.shape().iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
        <[usize; N]>::try_from(shape)
            .map_err(|shape| self.wrong(format!("{} sizes, expected {N}", shape.len())))
    }

    /// Fails unless the sizes are `expected`.
    pub(super) fn expect(&self, expected: &[usize]) -> Result<()> {
        let found = self.value.shape();
        if found.len() == expected.len()
            && found.iter().zip(expected).all(|(&found, &size)| usize::try_from(found) == Ok(size))
        {
            return Ok(());
        }
        Err(self.wrong(format!("shape {:?}, expected {expected:?}", &found[..])))
    }

    /// The elements.
    pub(super) fn floats(&self) -> Result<&[f32]> {
        Ok(self.value.try_extract_tensor::<f32>()?.1)
    }

    /// The elements of an input of integers.
    pub(super) fn integers(&self) -> Result<&[i64]> {
        Ok(self.value.try_extract_tensor::<i64>()?.1)
    }

    /// The elements, every `channels` of them filled up to as many as there are lanes, into `padded` where they are fewer.
    pub(super) fn filled_up<'p>(&'p self, channels: usize, padded: &'p mut Vec<f32>) -> Result<&'p [f32]> {
        let floats = self.floats()?;
        if channels == LANES {
            return Ok(floats);
        }
        padded.clear();
        padded.resize(floats.len() / channels * LANES, 0.0);
        for (to, from) in padded.chunks_exact_mut(LANES).zip(floats.chunks_exact(channels)) {
            to[..channels].copy_from_slice(from);
        }
        Ok(padded)
    }
}

impl Output<'_> {
    /// The elements.
    pub(super) fn floats(&mut self) -> Result<&mut [f32]> {
        Ok(self.0.try_extract_tensor_mut::<f32>()?.1)
    }

    /// The elements, for a task, before whose end the output must not go.
    pub(super) fn shared(&mut self) -> Result<Shared<f32>> {
        Ok(Shared::new(self.floats()?))
    }
}

/// Memory that pieces of a task write, each its own part.
pub(super) struct Shared<T>(*mut T, usize);

// SAFETY: pieces write disjoint parts, as `write` demands.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// All of `slice`, for as long as it is borrowed.
    pub(super) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr(), slice.len())
    }

    /// Writes `values` from element `at` on.
    ///
    /// # Safety
    ///
    /// The slice is still borrowed, and no other thread writes or reads these elements.
    pub(super) unsafe fn write(&self, at: usize, values: &[T]) {
        assert!(at <= self.1 && values.len() <= self.1 - at, "a piece writes outside its output");
        // SAFETY: in bounds, and nobody else's.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.0.add(at), values.len()) }
    }
}
