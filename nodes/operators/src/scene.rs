//! What rays are marched through: planes, decoder, lattices, in the layouts of the kernel.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Lanes};

/// The most hidden units.
pub(super) const HIDDEN: usize = 4 * LANES;

/// The constants of the marching, attributes of the operators.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marching {
    /// Half the side of the volume that planes and warp cover.
    pub(super) radius: f32,
    /// Slope of the leaky rectifier below zero, in (0,1).
    pub(super) slope: f32,
    /// Taken from the decoded density before the softplus.
    pub(super) shift: f32,
    /// Factor of the softplus.
    pub(super) density: f32,
    /// Length of the last interval of a ray.
    pub(super) last: f32,
    /// Transmittance below which a ray ends.
    pub(super) stop: f32,
}

/// Three planes, xy, xz and zy, of sixteen channels each, channels last: [3,H,W,16].
pub(super) struct Planes<'a> {
    /// 3·H·W·16 floats.
    pub(super) texels: &'a [f32],
    pub(super) height: usize,
    pub(super) width: usize,
}

/// Features = W2·leaky(W1·x + b1) + b2, padded to whole vectors of lanes.
pub(super) struct Decoder {
    /// Hidden units.
    pub(super) hidden: usize,
    /// The same over [`LANES`], rounded up.
    pub(super) blocks: usize,
    /// W1 by channel: [16, 16·blocks].
    pub(super) first: Vec<f32>,
    /// b1: [16·blocks].
    pub(super) first_bias: Vec<f32>,
    /// The row of W2 that gives the density: [16·blocks].
    pub(super) density: Vec<f32>,
    pub(super) density_bias: f32,
    /// The other rows of W2 by hidden unit: [16·blocks, 16].
    pub(super) features: Vec<f32>,
    pub(super) feature_bias: [f32; LANES],
    /// C.
    pub(super) channels: usize,
}

impl Decoder {
    /// From W1 [H,C], b1 [H], W2 [1+C,H], b2 [1+C], with C ≤ 16 and H ≤ [`HIDDEN`].
    pub(super) fn new(first: &[f32], first_bias: &[f32], second: &[f32], second_bias: &[f32]) -> Self {
        let (hidden, channels) = (first_bias.len(), second_bias.len() - 1);
        let blocks = hidden.div_ceil(LANES);
        let padded = blocks * LANES;
        let mut decoder = Self {
            hidden,
            blocks,
            first: vec![0.0; LANES * padded],
            first_bias: vec![0.0; padded],
            density: vec![0.0; padded],
            density_bias: second_bias[0],
            features: vec![0.0; padded * LANES],
            feature_bias: [0.0; LANES],
            channels,
        };
        decoder.first_bias[..hidden].copy_from_slice(first_bias);
        decoder.density[..hidden].copy_from_slice(&second[..hidden]);
        decoder.feature_bias[..channels].copy_from_slice(&second_bias[1..]);
        for unit in 0..hidden {
            for channel in 0..channels {
                decoder.first[channel * padded + unit] = first[unit * channels + channel];
                decoder.features[unit * LANES + channel] = second[(channel + 1) * hidden + unit];
            }
        }
        decoder
    }

    /// The features of a ray, given its hidden units weighted by how much of each sample is seen and the sum of the weights.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `V`, and there are `H` blocks of hidden units.
    #[inline(always)]
    pub(super) unsafe fn colour<V: Lanes, const H: usize>(&self, seen: [V; H], alpha: f32) -> [f32; LANES] {
        let mut units = [[0.0; LANES]; H];
        let mut colour = [0.0; LANES];
        // SAFETY: as of this function; the arrays have whole vectors.
        unsafe {
            for block in 0..H {
                seen[block].store(units[block].as_mut_ptr());
            }
            let mut parts = [V::splat(0.0); 4];
            parts[0] = V::splat(alpha).mul(V::load(self.feature_bias.as_ptr()));
            for block in 0..H {
                for lane in 0..LANES {
                    let row = V::load(self.features.as_ptr().add((block * LANES + lane) * LANES));
                    parts[lane % 4] = V::splat(units[block][lane]).fma(row, parts[lane % 4]);
                }
            }
            parts[0].add(parts[1]).add(parts[2].add(parts[3])).store(colour.as_mut_ptr());
        }
        colour
    }
}

/// A displacement [1,3,z,y,x] over a box, interpolated linearly between its nodes.
pub(super) struct Lattice {
    /// Nodes along x, y, z; at least two each.
    pub(super) size: [usize; 3],
    /// The first node and the last.
    pub(super) low: [f32; 3],
    pub(super) high: [f32; 3],
    /// Intervals a unit of length.
    pub(super) scale: [f32; 3],
    /// Four floats a node (x, y, z, nothing), x fastest.
    pub(super) nodes: Vec<f32>,
    /// Nodes on the outside are zero, so that nothing outside the box moves.
    pub(super) closed: bool,
}

impl Lattice {
    /// From `values` [3,z,y,x] of `size` x, y, z; `None` when nothing moves.
    pub(super) fn new(values: &[f32], size: [usize; 3], low: [f32; 3], high: [f32; 3]) -> Option<Self> {
        if values.iter().all(|&x| x == 0.0) {
            return None;
        }
        let count: usize = size.iter().product();
        let mut nodes = vec![0.0; 4 * count];
        let axes = (&values[..count], &values[count..2 * count], &values[2 * count..]);
        for (node, ((x, y), z)) in nodes.chunks_exact_mut(4).zip(axes.0.iter().zip(axes.1).zip(axes.2)) {
            node[..3].copy_from_slice(&[*x, *y, *z]);
        }
        let scale = [0, 1, 2].map(|axis| (size[axis] - 1) as f32 / (high[axis] - low[axis]));
        let closed = outside(size).all(|node| nodes[4 * node..4 * node + 3] == [0.0; 3]);
        Some(Self { size, low, high, scale, nodes, closed })
    }
}

/// The nodes on the outside of a lattice.
fn outside(size: [usize; 3]) -> impl Iterator<Item = usize> {
    let [columns, rows, layers] = size;
    (0..rows * layers).flat_map(move |line| {
        let (row, layer) = (line % rows, line / rows);
        let edge = row == 0 || row == rows - 1 || layer == 0 || layer == layers - 1;
        (0..columns).step_by(if edge { 1 } else { columns - 1 }).map(move |column| line * columns + column)
    })
}

/// Which cells of the volume hold anything.
pub(super) struct Occupancy {
    /// Cells along x, y, z of [-radius, radius]³; what lies outside belongs to the nearest.
    pub(super) size: [usize; 3],
    pub(super) radius: f32,
    /// Whether a cell is not empty; x fastest.
    pub(super) cells: Vec<bool>,
}

/// All of it.
pub(super) struct Scene<'a> {
    pub(super) marching: Marching,
    pub(super) planes: Planes<'a>,
    pub(super) decoder: &'a Decoder,
    /// Takes a point to the mean identity; applied after the bending.
    pub(super) warp: Option<Lattice>,
    /// `None`: no cell is empty. Looked up after the bending, before the warp.
    pub(super) occupancy: Option<Occupancy>,
    /// Displacements that bend the rays, added to the point.
    pub(super) bends: Vec<Lattice>,
}
