//! `TriplaneGradient`: what the planes would have to change by, given what the features at points would.

use std::sync::Mutex;

use ort::Result;

use super::{
    attributes::Attributes,
    lanes::LANES,
    operator::{Fused, Known},
    ports::Ports,
    texels::{self, Layout, Texel},
};

/// The most texels along an axis.
const MOST: usize = 1 << 12;
/// Rows of one piece: few enough that they stay in a core's cache, enough that points are not looked through too often. Every texel
/// sums its points in their order, so that results do not depend on it, nor on threads.
const BAND: usize = 32;

/// The operator.
pub(super) struct Gradient {
    radius: f32,
    height: usize,
    width: usize,
    padded: Vec<f32>,
}

impl Fused for Gradient {
    const NAME: &'static str = "TriplaneGradient";
    const INPUTS: &'static [&'static str] = &["points", "gradient"];

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        vec![vec![1, 3, known.count("height"), known.count("width"), known.size("gradient", 1)]]
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(Self {
            radius: attributes.number("radius", |x| x > 0.0)?,
            height: attributes.count("height", 2..=MOST)?,
            width: attributes.count("width", 2..=MOST)?,
            padded: Vec::new(),
        })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let points = ports.input("points")?;
        let points = texels::points(&points)?;
        let gradient = ports.input("gradient")?;
        let [count, channels] = gradient.sizes()?;
        if count != points.len() || !(1..=LANES).contains(&channels) {
            let expected = format!("[{},C] with C from 1 to {LANES}", points.len());
            return Err(gradient.wrong(format!("shape [{count},{channels}], expected {expected}")));
        }
        let layout = Layout { radius: self.radius, height: self.height, width: self.width };
        let (gradient, _) = gradient.filled_up(channels, &mut self.padded)?.as_chunks();
        let mut planes = ports.output(0, [1, 3, self.height, self.width, channels])?;
        let planes = planes.floats()?;
        let row = self.width * channels;
        let bands = planes.chunks_exact_mut(self.height * row).enumerate().flat_map(|(plane, texels)| {
            let bands = texels.chunks_mut(BAND * row).enumerate();
            bands.map(move |(number, texels)| (plane, number * BAND, Mutex::new(texels)))
        });
        let bands: Vec<_> = bands.collect();
        ports.each(bands.len(), |index| {
            let (plane, first, out) = &bands[index];
            let mut out = out.try_lock().expect("a band is taken once");
            let mut band = vec![[0.0; LANES]; out.len() / channels];
            let reach = layout.reach(*first, band.len() / self.width);
            for (point, gradient) in points.iter().zip(gradient) {
                if reach.contains(&layout.down(*plane, point)) {
                    layout.scatter(*plane, *first, point, gradient, &mut band);
                }
            }
            for (out, texel) in out.chunks_exact_mut(channels).zip(&band) {
                out.copy_from_slice(&texel[..channels]);
            }
        })
    }
}

impl Layout {
    /// Adds `gradient` to the texels that `point` is made of, as far as they are in `band`, rows of `plane` from `first` on.
    fn scatter(&self, plane: usize, first: usize, point: &[f32; 3], gradient: &Texel, band: &mut [Texel]) {
        let [across, down] = self.place(plane, point);
        for (row, weight) in down.both() {
            let Some(row) = row.checked_sub(first).and_then(|row| band.chunks_exact_mut(self.width).nth(row))
            else {
                continue;
            };
            for (to, (_, across)) in row[across.low..][..2].iter_mut().zip(across.both()) {
                let weight = across * weight;
                for (to, from) in to.iter_mut().zip(gradient) {
                    *to += weight * from;
                }
            }
        }
    }
}
