//! Where points lie in the three planes, and how much of which texels they are made of.

use std::ops::RangeInclusive;

use ort::Result;

use super::{lanes::LANES, ports::Input};

/// The axes of space that run along the columns and rows of the planes xy, xz and zy.
const AXES: [[usize; 2]; 3] = [[0, 1], [0, 2], [2, 1]];
/// y points up and rows go down.
const SIGN: [f32; 3] = [1.0, -1.0, 1.0];

/// A texel's channels, filled up with zeros.
pub(super) type Texel = [f32; LANES];

/// The layout of planes [3,H,W] over [-`radius`, `radius`]³.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) radius: f32,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// A place between two texels along an axis: the lower one, and how far it is from there to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    pub(super) low: usize,
    share: f32,
}

impl Between {
    /// `at` in [-1,1] along an axis of `count` texels, two at least, whose centres lie at halves; beyond the outer ones, those. What is
    /// no number is at the first.
    fn new(at: f32, count: usize) -> Self {
        let last = count - 1;
        let at = ((at + 1.0) * 0.5 * count as f32 - 0.5).max(0.0).min(last as f32);
        let low = (at as usize).min(last - 1);
        Self { low, share: at - low as f32 }
    }

    /// The lower texel and the next, with their weights.
    pub(super) fn both(self) -> [(usize, f32); 2] {
        [(self.low, 1.0 - self.share), (self.low + 1, self.share)]
    }
}

impl Layout {
    /// Where `point` lies along the columns and the rows of `plane`.
    pub(super) fn place(&self, plane: usize, point: &[f32; 3]) -> [Between; 2] {
        let [across, down] = AXES[plane].map(|axis| SIGN[axis] * point[axis] / self.radius);
        [Between::new(across, self.width), Between::new(down, self.height)]
    }

    /// How far down `plane` the point lies, from -1 to 1.
    pub(super) fn down(&self, plane: usize, point: &[f32; 3]) -> f32 {
        SIGN[AXES[plane][1]] * point[AXES[plane][1]] / self.radius
    }

    /// Which places down a plane may be made of one of the `rows` from `first` on; rather too many than too few. What is no number
    /// is made of none.
    pub(super) fn reach(&self, first: usize, rows: usize) -> RangeInclusive<f32> {
        let at = |row: f32| (row + 0.5) * 2.0 / self.height as f32 - 1.0;
        let low = if first == 0 { f32::NEG_INFINITY } else { at(first as f32 - 1.5) };
        let high = if first + rows == self.height { f32::INFINITY } else { at((first + rows) as f32 + 0.5) };
        low..=high
    }
}

/// The points of an input [M,3].
pub(super) fn points<'a>(input: &'a Input<'_>) -> Result<&'a [[f32; 3]]> {
    let [_, three] = input.sizes()?;
    if three != 3 {
        return Err(input.wrong(format!("{three} numbers a point, expected 3")));
    }
    Ok(input.floats()?.as_chunks().0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAYOUT: Layout = Layout { radius: 1.2, height: 9, width: 5 };

    /// Coordinates in and around the volume, on its faces and between texels.
    fn point() -> impl Strategy<Value = [f32; 3]> {
        let at = prop_oneof![-1.5f32..1.5, Just(-1.2), Just(1.2), Just(0.0), Just(1e30)];
        [at.clone(), at.clone(), at]
    }

    /// The weight of texel `index` along an axis of `count` in what is found at `at`: a tent, flat beyond the outer texels.
    fn tent(at: f32, count: usize, index: usize) -> f32 {
        let at = ((f64::from(at) + 1.0) / 2.0 * count as f64 - 0.5).clamp(0.0, (count - 1) as f64);
        (1.0 - (at - index as f64).abs()).max(0.0) as f32
    }

    proptest! {
        #[test]
        fn weights_are_those_of_linear_interpolation(point in point(), plane in 0usize..3) {
            let places = LAYOUT.place(plane, &point);
            for ((axis, count), place) in AXES[plane].into_iter().zip([LAYOUT.width, LAYOUT.height]).zip(places) {
                let mut weights = vec![0.0; count];
                for (index, weight) in place.both() {
                    weights[index] += weight;
                }
                let sign = if axis == 1 { -1.0 } else { 1.0 };
                for (index, weight) in weights.into_iter().enumerate() {
                    let expected = tent(sign * point[axis] / LAYOUT.radius, count, index);
                    prop_assert!((weight - expected).abs() < 1e-5, "texel {index}: {weight}, expected {expected}");
                }
            }
        }

        #[test]
        fn a_band_is_looked_at_by_all_points_that_are_made_of_it(
            point in point(), plane in 0usize..3, first in 0usize..9, rows in 1usize..9,
        ) {
            let rows = rows.min(LAYOUT.height - first);
            let [_, down] = LAYOUT.place(plane, &point);
            let part = |(row, weight)| weight > 0.0 && (first..first + rows).contains(&row);
            let made = down.both().into_iter().any(part);
            prop_assert!(!made || LAYOUT.reach(first, rows).contains(&LAYOUT.down(plane, &point)));
        }
    }
}
