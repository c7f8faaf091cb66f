//! Marching along rays: where samples lie, what the planes hold there, how much of it is seen.

// Counting loops are clearer where several arrays run along, and surely inlined.
#![allow(clippy::needless_range_loop)]

use super::{
    isa::Isa,
    lanes::{self, LANES, Lanes, Portable},
    scene::{HIDDEN, Lattice, Occupancy, Scene},
};

/// Samples between two looks at the transmittance.
pub(super) const GROUP: usize = 8;

/// Work that is done in pieces, each with the best instructions.
pub(super) trait Task: Sync {
    /// Blocks of hidden units of the decoder; one where nothing is decoded.
    fn blocks(&self) -> usize {
        1
    }

    /// Does piece `index`, `B` samples at a time: as many as the registers have room for.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `V`, and there are `H` blocks of hidden units.
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize);
}

/// Does piece `index` of `task` with the instructions of `isa`, which the processor must have.
pub(super) fn run(isa: Isa, task: &impl Task, index: usize) {
    // SAFETY: an `Isa` is only ever one of those that were found.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => on_avx512(task, index),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => on_avx2(task, index),
            _ => by_blocks::<Portable, 1>(task, index),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn on_avx512(task: &impl Task, index: usize) {
    // SAFETY: this function has the features.
    unsafe { by_blocks::<lanes::Avx512, 4>(task, index) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn on_avx2(task: &impl Task, index: usize) {
    // SAFETY: this function has the features.
    unsafe { by_blocks::<lanes::Avx2, 2>(task, index) }
}

/// Does piece `index` with as many blocks of hidden units as the decoder has.
#[inline(always)]
unsafe fn by_blocks<V: Lanes, const B: usize>(task: &impl Task, index: usize) {
    // SAFETY: as of this function; the decoder has as many blocks as the branch says, four at most.
    unsafe {
        match task.blocks() {
            1 => task.run::<V, B, 1>(index),
            2 => task.run::<V, B, 2>(index),
            3 => task.run::<V, B, 3>(index),
            _ => task.run::<V, B, 4>(index),
        }
    }
}

/// A ray.
#[derive(Clone, Copy)]
pub(super) struct Ray<'a> {
    pub(super) origin: [f32; 3],
    pub(super) direction: [f32; 3],
    /// Ascending depths of its samples.
    pub(super) depths: &'a [f32],
}

/// Room for the sixteen samples at work.
#[repr(align(64))]
pub(super) struct Scratch {
    depth: [f32; LANES],
    /// The points after the bending, before the warp.
    bent: [[f32; LANES]; 3],
    index: [i32; LANES],
    part: [[f32; LANES]; 3],
    moved: [[f32; LANES]; 3],
    /// Texel of the lower corner in each plane.
    texel: [[i32; LANES]; 3],
    /// Weights of the four corners in each plane.
    corner: [[f32; LANES]; 12],
    /// What the planes hold at the samples of a group.
    pub(super) mixed: [[f32; LANES]; GROUP],
    pub(super) density: [f32; LANES],
    opacity: [f32; LANES],
    pub(super) hidden: [[f32; HIDDEN]; GROUP],
}

impl Scratch {
    pub(super) const fn new() -> Self {
        Self {
            depth: [0.0; LANES],
            bent: [[0.0; LANES]; 3],
            index: [0; LANES],
            part: [[0.0; LANES]; 3],
            moved: [[0.0; LANES]; 3],
            texel: [[0; LANES]; 3],
            corner: [[0.0; LANES]; 12],
            mixed: [[0.0; LANES]; GROUP],
            density: [0.0; LANES],
            opacity: [0.0; LANES],
            hidden: [[0.0; HIDDEN]; GROUP],
        }
    }
}

/// What is done with the samples of a ray, in order.
///
/// (Traits and indices rather than closures and iterators in these loops: of closures it is not certain that they are
/// inlined, and where they are not, every instruction becomes a call.)
pub(super) trait Sink {
    /// Takes sample `number`: the transmittance before it, its opacity, its hidden vector, and where the bending took it.
    ///
    /// # Safety
    ///
    /// The processor has the instructions that the sink was made for.
    unsafe fn take(
        &mut self,
        number: usize,
        light: f32,
        opacity: f32,
        hidden: &[f32; HIDDEN],
        bent: [f32; 3],
    );
}

/// Marches along `ray` and gives `sink` its samples; ends where the transmittance falls below `stop`. `H` is the number of vectors of
/// hidden units.
///
/// # Safety
///
/// The processor has the instructions of `V`, and the scene's decoder has `H` blocks.
#[inline(always)]
pub(super) unsafe fn march<V: Lanes, const B: usize, const H: usize>(
    scene: &Scene<'_>,
    ray: Ray<'_>,
    stop: f32,
    scratch: &mut Scratch,
    sink: &mut impl Sink,
) {
    let count = ray.depths.len();
    let marching = &scene.marching;
    let mut light = 1.0;
    let mut first = 0;
    while first < count {
        let valid = (count - first).min(LANES);
        scratch.depth[..valid].copy_from_slice(&ray.depths[first..first + valid]);
        scratch.depth[valid..].fill(ray.depths[first + valid - 1]);
        // SAFETY: as of this function.
        let mut left = unsafe { place::<V>(scene, ray, valid, scratch) };
        while left != 0 {
            let mut group = [0; GROUP];
            let mut size = 0;
            while left != 0 && size < GROUP {
                group[size] = left.trailing_zeros() as usize;
                left &= left - 1;
                size += 1;
            }
            let mut step = [0.0; LANES];
            for slot in 0..size {
                let at = first + group[slot];
                let next = if at + 1 < count { ray.depths[at + 1] - ray.depths[at] } else { marching.last };
                step[slot] = next;
            }
            let mut slot = 0;
            while slot < size {
                let mut block = [0; B];
                for sample in 0..B {
                    // Where a block has room left, the last one again.
                    block[sample] = group[(slot + sample).min(size - 1)];
                }
                // SAFETY: as of this function; blocks divide groups.
                unsafe { decode::<V, B, H>(scene, block, slot, scratch) };
                slot += B;
            }
            // SAFETY: as of this function.
            unsafe {
                let density = V::load(scratch.density.as_ptr()).sub(V::splat(marching.shift));
                let thickness = lanes::softplus(density).mul(V::splat(-marching.density));
                let left = lanes::exp(thickness.mul(V::load(step.as_ptr())));
                V::splat(1.0).sub(left).store(scratch.opacity.as_mut_ptr());
            }
            for slot in 0..size {
                let opacity = scratch.opacity[slot];
                let bent = [0, 1, 2].map(|axis: usize| scratch.bent[axis][group[slot]]);
                // SAFETY: as of this function.
                unsafe { sink.take(first + group[slot], light, opacity, &scratch.hidden[slot], bent) };
                light *= 1.0 - opacity;
            }
            if light < stop {
                return;
            }
        }
        first += LANES;
    }
}

/// Where the samples lie in the planes, texels and weights of corners, of those that are not in empty space; bits say which.
#[inline(always)]
unsafe fn place<V: Lanes>(scene: &Scene<'_>, ray: Ray<'_>, valid: usize, scratch: &mut Scratch) -> u16 {
    // SAFETY: the caller has the instructions of `V`; all pointers are to arrays of sixteen.
    unsafe {
        let depth = V::load(scratch.depth.as_ptr());
        let mut point = [depth; 3];
        for axis in 0..3 {
            point[axis] = depth.fma(V::splat(ray.direction[axis]), V::splat(ray.origin[axis]));
        }
        let all = ((1u32 << valid) - 1) as u16;
        let straight = point;
        for bend in &scene.bends {
            let mut wanted = all;
            if bend.closed {
                for axis in 0..3 {
                    wanted &= straight[axis].within(V::splat(bend.low[axis]), V::splat(bend.high[axis]));
                }
            }
            if wanted != 0 {
                displace(bend, straight, wanted, &mut point, scratch);
            }
        }
        let occupied = match &scene.occupancy {
            Some(occupancy) => seen(occupancy, point, all, scratch),
            None => all,
        };
        if occupied == 0 {
            return 0;
        }
        for axis in 0..3 {
            point[axis].store(scratch.bent[axis].as_mut_ptr());
        }
        if let Some(warp) = &scene.warp {
            displace(warp, point, occupied, &mut point, scratch);
        }
        locate(scene, point, scratch);
        occupied
    }
}

/// Texels and weights of corners of points that are canonical, taken back to the mean identity.
#[inline(always)]
pub(super) unsafe fn locate<V: Lanes>(scene: &Scene<'_>, point: [V; 3], scratch: &mut Scratch) {
    // SAFETY: the caller has the instructions of `V`; all pointers are to arrays of sixteen.
    unsafe {
        let inverse = 1.0 / scene.marching.radius;
        let (width, height) = (scene.planes.width, scene.planes.height);
        let (x, y) = (texel(point[0], inverse, width), texel(point[1], -inverse, height));
        let (down, across) = (texel(point[2], inverse, height), texel(point[2], inverse, width));
        let axes = [(x, y), (x, down), (across, y)];
        let one = V::splat(1.0);
        for plane in 0..3 {
            let (u, v) = axes[plane];
            let (left, above) = (one.sub(u.1), one.sub(v.1));
            left.mul(above).store(scratch.corner[4 * plane].as_mut_ptr());
            u.1.mul(above).store(scratch.corner[4 * plane + 1].as_mut_ptr());
            left.mul(v.1).store(scratch.corner[4 * plane + 2].as_mut_ptr());
            u.1.mul(v.1).store(scratch.corner[4 * plane + 3].as_mut_ptr());
            v.0.fma(V::splat(width as f32), u.0).store_i32(scratch.texel[plane].as_mut_ptr());
        }
    }
}

/// Those of `wanted` whose cell is not empty.
#[inline(always)]
unsafe fn seen<V: Lanes>(occupancy: &Occupancy, at: [V; 3], wanted: u16, scratch: &mut Scratch) -> u16 {
    // SAFETY: the caller has the instructions of `V`.
    unsafe {
        let size = occupancy.size;
        let strides = [1, size[0], size[0] * size[1]];
        let mut index = V::splat(0.0);
        for axis in [2, 1, 0] {
            let half = size[axis] as f32 * 0.5;
            let x = at[axis].fma(V::splat(half / occupancy.radius), V::splat(half)).floor();
            let x = x.max(V::splat(0.0)).min(V::splat((size[axis] - 1) as f32));
            index = x.fma(V::splat(strides[axis] as f32), index);
        }
        index.store_i32(scratch.index.as_mut_ptr());
    }
    let mut seen = 0;
    for lane in 0..LANES {
        seen |= u16::from(occupancy.cells[scratch.index[lane] as usize]) << lane;
    }
    seen & wanted
}

/// The lower of the two texels around places `at` of a volume, along an axis of `size` texels, and how far beyond it. Centres of texels
/// lie at halves.
#[inline(always)]
unsafe fn texel<V: Lanes>(at: V, inverse: f32, size: usize) -> (V, V) {
    // SAFETY: the caller has the instructions of `V`.
    unsafe {
        let half = size as f32 * 0.5;
        let at = at.fma(V::splat(inverse * half), V::splat(half - 0.5));
        let at = at.max(V::splat(0.0)).min(V::splat((size - 1) as f32));
        let lower = at.floor().min(V::splat((size - 2) as f32));
        (lower, at.sub(lower))
    }
}

/// Adds to `point` what `lattice` gives at `at`, in the lanes of `wanted`.
#[inline(always)]
unsafe fn displace<V: Lanes>(
    lattice: &Lattice,
    at: [V; 3],
    wanted: u16,
    point: &mut [V; 3],
    scratch: &mut Scratch,
) {
    // SAFETY: the caller has the instructions of `V`. Places are cut to the lattice, so that all nodes of a cell are in it; a NaN is
    // cut to its low end.
    unsafe {
        let (row, layer) = (lattice.size[0], lattice.size[0] * lattice.size[1]);
        let mut index = V::splat(0.0);
        let strides = [1, row, layer];
        for axis in [2, 1, 0] {
            let stride = strides[axis];
            let most = lattice.size[axis] - 1;
            let x = at[axis].sub(V::splat(lattice.low[axis])).mul(V::splat(lattice.scale[axis]));
            let x = x.max(V::splat(0.0)).min(V::splat(most as f32));
            let lower = x.floor().min(V::splat((most - 1) as f32));
            x.sub(lower).store(scratch.part[axis].as_mut_ptr());
            index = lower.fma(V::splat(stride as f32), index);
        }
        index.store_i32(scratch.index.as_mut_ptr());
        scratch.moved = [[0.0; LANES]; 3];
        let mut left = wanted;
        while left != 0 {
            let lane = left.trailing_zeros() as usize;
            left &= left - 1;
            let part = [scratch.part[0][lane], scratch.part[1][lane], scratch.part[2][lane]];
            let node = lattice.nodes.as_ptr().add(4 * scratch.index[lane] as usize);
            let moved = V::cell(node, 4 * row, 4 * layer, part);
            for axis in 0..3 {
                scratch.moved[axis][lane] = moved[axis];
            }
        }
        for axis in 0..3 {
            point[axis] = point[axis].add(V::load(scratch.moved[axis].as_ptr()));
        }
    }
}

/// Decodes the samples of the lanes of `block`: what the planes hold, densities and hidden vectors from `slot` on.
#[inline(always)]
pub(super) unsafe fn decode<V: Lanes, const B: usize, const H: usize>(
    scene: &Scene<'_>,
    block: [usize; B],
    slot: usize,
    scratch: &mut Scratch,
) {
    // SAFETY: the caller has the instructions of `V`; `place` cut all texels to the planes, and the decoder's arrays have whole
    // vectors.
    unsafe {
        let (width, decoder) = (scene.planes.width, scene.decoder);
        let area = width * scene.planes.height;
        for sample in 0..B {
            let lane = block[sample];
            let mut sum = V::splat(0.0);
            for plane in 0..3 {
                let texel = plane * area + scratch.texel[plane][lane] as usize;
                let at = scene.planes.texels.as_ptr().add(LANES * texel);
                let corners = [0, LANES, LANES * width, LANES * (width + 1)];
                for corner in 0..4 {
                    let weight = V::splat(scratch.corner[4 * plane + corner][lane]);
                    sum = weight.fma(V::load(at.add(corners[corner])), sum);
                }
            }
            sum.store(scratch.mixed[slot + sample].as_mut_ptr());
        }
        let mut units = [[V::splat(0.0); H]; B];
        for row in 0..H {
            let bias = V::load(decoder.first_bias.as_ptr().add(LANES * row));
            for sample in 0..B {
                units[sample][row] = bias;
            }
        }
        for channel in 0..LANES {
            let row = decoder.first.as_ptr().add(channel * LANES * H);
            let mut weights = [V::splat(0.0); H];
            for block in 0..H {
                weights[block] = V::load(row.add(LANES * block));
            }
            for sample in 0..B {
                let value = V::splat(scratch.mixed[slot + sample][channel]);
                for block in 0..H {
                    units[sample][block] = value.fma(weights[block], units[sample][block]);
                }
            }
        }
        let slope = V::splat(scene.marching.slope);
        let mut density = [V::splat(0.0); B];
        for sample in 0..B {
            for block in 0..H {
                let unit = units[sample][block];
                let unit = unit.max(unit.mul(slope));
                unit.store(scratch.hidden[slot + sample].as_mut_ptr().add(LANES * block));
                let weight = V::load(decoder.density.as_ptr().add(LANES * block));
                density[sample] = unit.fma(weight, density[sample]);
            }
        }
        let sums = V::sums(density);
        for sample in 0..B {
            scratch.density[slot + sample] = sums[sample] + decoder.density_bias;
        }
    }
}
