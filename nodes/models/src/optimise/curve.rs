//! Loss curves.

use std::collections::BTreeMap;

use crate::{
    error::Result,
    tensor::{Tensor, Tensors},
};

/// Losses by step, one curve a phase and loss, named `phase.loss`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves(BTreeMap<String, Vec<f32>>);

impl Curves {
    /// Adds the losses of one more step of `phase`.
    pub fn push(&mut self, phase: &str, losses: &BTreeMap<String, f32>) {
        for (loss, value) in losses {
            self.0.entry(format!("{phase}.{loss}")).or_default().push(*value);
        }
    }

    /// The curve of `loss` in `phase`, empty before its first step.
    pub(super) fn of(&self, phase: &str, loss: &str) -> &[f32] {
        self.0.get(&format!("{phase}.{loss}")).map_or(&[], Vec::as_slice)
    }

    /// The last value of every curve.
    pub fn last(&self) -> BTreeMap<String, f32> {
        self.0.iter().filter_map(|(name, values)| Some((name.clone(), *values.last()?))).collect()
    }

    /// The curves as one f32 `[steps]` each.
    pub fn tensors(&self) -> Result<Tensors> {
        let named = |(name, values): (&String, &Vec<f32>)| {
            Ok((name.clone(), Tensor::f32([values.len()], values.clone())?))
        };
        Ok(Tensors(self.0.iter().map(named).collect::<Result<_>>()?))
    }

    /// Reads what [`Self::tensors`] gave.
    pub fn read(tensors: &Tensors) -> Result<Self> {
        let named = |(name, tensor): (&String, &Tensor)| Ok((name.clone(), tensor.as_f32()?.to_vec()));
        Ok(Self(tensors.0.iter().map(named).collect::<Result<_>>()?))
    }
}
