//! `TriplaneFeatures`: what the planes hold at points.

use std::sync::Mutex;

use ort::Result;

use super::{
    attributes::Attributes,
    lanes::LANES,
    operator::{Fused, Known},
    ports::Ports,
    texels::{self, Layout, Texel},
};

/// Points of one piece.
const PIECE: usize = 4096;

/// The operator.
pub(super) struct Features {
    radius: f32,
    padded: Vec<f32>,
}

impl Fused for Features {
    const NAME: &'static str = "TriplaneFeatures";
    const INPUTS: &'static [&'static str] = &["planes", "points"];

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        vec![vec![known.size("points", 0), known.size("planes", 4)]]
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(Self { radius: attributes.number("radius", |x| x > 0.0)?, padded: Vec::new() })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let planes = ports.input("planes")?;
        let [.., channels] = planes.sizes::<5>()?;
        if !(1..=LANES).contains(&channels) {
            return Err(planes.wrong(format!("{channels} channels, expected 1 to {LANES}")));
        }
        let planes = planes.planes(channels, &mut self.padded)?;
        let layout = Layout { radius: self.radius, height: planes.height, width: planes.width };
        let (texels, _) = planes.texels.as_chunks();
        let points = ports.input("points")?;
        let points = texels::points(&points)?;
        let mut features = ports.output(0, [points.len(), channels])?;
        let features = features.floats()?;
        let pieces: Vec<_> =
            points.chunks(PIECE).zip(features.chunks_mut(PIECE * channels).map(Mutex::new)).collect();
        ports.each(pieces.len(), |index| {
            let (points, features) = &pieces[index];
            let mut features = features.try_lock().expect("a piece is taken once");
            for (point, features) in points.iter().zip(features.chunks_exact_mut(channels)) {
                features.copy_from_slice(&layout.gather(texels, point)[..channels]);
            }
        })
    }
}

impl Layout {
    /// The sum of what the planes hold at `point`.
    fn gather(&self, texels: &[Texel], point: &[f32; 3]) -> Texel {
        let mut sum = [0.0; LANES];
        for (plane, texels) in texels.chunks_exact(self.height * self.width).enumerate() {
            let [across, down] = self.place(plane, point);
            for (row, weight) in down.both() {
                let texels = &texels[row * self.width + across.low..][..2];
                for (texel, (_, across)) in texels.iter().zip(across.both()) {
                    let weight = across * weight;
                    for (sum, value) in sum.iter_mut().zip(texel) {
                        *sum += weight * value;
                    }
                }
            }
        }
        sum
    }
}
