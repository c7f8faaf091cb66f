//! Attributes of the operators, checked.

use std::ops::RangeInclusive;

use ort::{Result, operator::KernelContext};

use super::{operator::wrong, scene::Marching};

/// The attributes of one node of an operator.
pub(super) struct Attributes<'a> {
    pub(super) operator: &'static str,
    pub(super) kernel: &'a KernelContext<'a>,
}

impl Attributes<'_> {
    /// The float `name`, which must satisfy `sound`.
    pub(super) fn number(&self, name: &str, sound: impl Fn(f32) -> bool) -> Result<f32> {
        match self.kernel.get::<f32>(name) {
            Some(value) if value.is_finite() && sound(value) => Ok(value),
            Some(value) => {
                Err(wrong(self.operator, format!("attribute `{name}` is {value}, which is out of range")))
            }
            None => Err(self.missing(name)),
        }
    }

    /// The count `name`, in `range`.
    pub(super) fn count(&self, name: &str, range: RangeInclusive<usize>) -> Result<usize> {
        let value = self.kernel.get::<i64>(name).ok_or_else(|| self.missing(name))?;
        usize::try_from(value).ok().filter(|count| range.contains(count)).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            wrong(self.operator, format!("attribute `{name}` is {value}, expected {least} to {most}"))
        })
    }

    /// The whole numbers `name`.
    pub(super) fn integers(&self, name: &str) -> Result<Vec<i64>> {
        self.kernel.get(name).ok_or_else(|| self.missing(name))
    }

    /// The constants of the marching.
    pub(super) fn marching(&self) -> Result<Marching> {
        Ok(Marching {
            radius: self.number("radius", |x| x > 0.0)?,
            slope: self.number("slope", |x| (0.0..1.0).contains(&x))?,
            shift: self.number("shift", |_| true)?,
            density: self.number("density", |x| x > 0.0)?,
            last: self.number("last", |x| x > 0.0)?,
            stop: self.number("stop", |x| (0.0..1.0).contains(&x))?,
        })
    }

    fn missing(&self, name: &str) -> ort::Error {
        wrong(self.operator, format!("attribute `{name}` is missing"))
    }
}
