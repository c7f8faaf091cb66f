//! `ModulatedConv`: a modulated convolution of 3x3, channels last.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use ort::Result;

use super::{
    attributes::Attributes,
    kernel::Task,
    lanes::{LANES, Lanes},
    operator::{Fused, Known},
    ports::{Ports, Shared},
};

/// Rows of one piece.
const ROWS: usize = 4;
/// The kernel's places.
const PLACES: usize = 9;

/// The operator.
pub(super) struct Convolution {
    /// 1 or 2.
    enlarge: usize,
    slope: f32,
    gain: f32,
}

impl Fused for Convolution {
    const NAME: &'static str = "ModulatedConv";
    const INPUTS: &'static [&'static str] = &["x", "weight", "scale_in", "scale_out", "bias"];

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        let enlarge = known.count("enlarge");
        let larger = |size: i64| if size < 0 || enlarge < 0 { -1 } else { size * enlarge };
        let [pictures, rows, columns] = [0, 1, 2].map(|axis| known.size("x", axis));
        let sizes = vec![pictures, larger(rows), larger(columns), known.size("weight", 0)];
        // ONNX's own operators behind this one would reckon with a −1.
        if sizes.contains(&-1) { vec![] } else { vec![sizes] }
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(Self {
            enlarge: attributes.count("enlarge", 1..=2)?,
            slope: attributes.number("slope", |x| (0.0..=1.0).contains(&x))?,
            gain: attributes.number("gain", |_| true)?,
        })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let x = ports.input("x")?;
        let [pictures, rows, columns, channels] = x.sizes()?;
        if rows == 0 || columns == 0 || channels == 0 {
            return Err(
                x.wrong(format!("shape [{pictures},{rows},{columns},{channels}], expected [n,h,w,I]"))
            );
        }
        let weight = ports.input("weight")?;
        let [outputs, _, _, _] = weight.sizes()?;
        weight.expect(&[outputs.max(1), channels, 3, 3])?;
        let (scale_in, scale_out) = (ports.input("scale_in")?, ports.input("scale_out")?);
        scale_in.expect(&[pictures, channels])?;
        scale_out.expect(&[pictures, outputs])?;
        let bias = ports.input("bias")?;
        bias.expect(&[outputs])?;
        let size = [rows * self.enlarge, columns * self.enlarge];
        let mut y = ports.output(0, [pictures, size[0], size[1], outputs])?;
        let task = Convolve {
            x: x.floats()?,
            from: [rows, columns],
            size,
            channels,
            outputs,
            weight: pack(weight.floats()?, outputs, channels),
            scale_in: scale_in.floats()?,
            scale_out: fill_up(scale_out.floats()?, outputs),
            bias: fill_up(bias.floats()?, outputs),
            enlarge: self.enlarge,
            slope: self.slope,
            gain: self.gain,
            y: y.shared()?,
        };
        ports.run(&task, pictures * size[0].div_ceil(ROWS))
    }
}

/// A kernel [O,I,3,3] as blocks of sixteen outputs: [O/16,9,I,16], O and I filled up with zeros to whole blocks.
fn pack(weight: &[f32], outputs: usize, channels: usize) -> Vec<f32> {
    let filled = channels.next_multiple_of(LANES);
    let mut packed = vec![0.0; outputs.div_ceil(LANES) * PLACES * filled * LANES];
    for (output, rows) in weight.chunks_exact(channels * PLACES).enumerate() {
        let block = output / LANES * PLACES * filled * LANES + output % LANES;
        for (channel, places) in rows.chunks_exact(PLACES).enumerate() {
            for (place, weight) in places.iter().enumerate() {
                packed[block + (place * filled + channel) * LANES] = *weight;
            }
        }
    }
    packed
}

/// Rows of `width` numbers, each filled up to whole vectors with zeros.
fn fill_up(rows: &[f32], width: usize) -> Vec<f32> {
    let mut filled = Vec::with_capacity(rows.len() / width * width.next_multiple_of(LANES));
    for row in rows.chunks_exact(width) {
        filled.extend_from_slice(row);
        filled.resize(filled.len().next_multiple_of(LANES), 0.0);
    }
    filled
}

/// All of it; a piece is some rows of a picture.
struct Convolve<'a> {
    /// [n,h,w,I]
    x: &'a [f32],
    /// h, w
    from: [usize; 2],
    /// The same of what comes out.
    size: [usize; 2],
    channels: usize,
    outputs: usize,
    weight: Vec<f32>,
    /// [n,I]
    scale_in: &'a [f32],
    /// [n,O], filled up.
    scale_out: Vec<f32>,
    /// [O], filled up.
    bias: Vec<f32>,
    enlarge: usize,
    slope: f32,
    gain: f32,
    /// [n,h·enlarge,w·enlarge,O]
    y: Shared<f32>,
}

impl Task for Convolve<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize) {
        let pieces = self.size[0].div_ceil(ROWS);
        let (picture, first) = (index / pieces, index % pieces * ROWS);
        let rows = ROWS.min(self.size[0] - first);
        let line = self.line();
        let mut seen = vec![0.0; (rows + 2) * line];
        for (row, to) in seen.chunks_exact_mut(line).enumerate() {
            // SAFETY: as of this function. Beyond the picture's edge is the edge again.
            unsafe { self.row::<V>(picture, (first + row).saturating_sub(1).min(self.size[0] - 1), to) };
        }
        let mut out = vec![0.0; self.size[1] * self.outputs];
        for row in 0..rows {
            for block in 0..self.outputs.div_ceil(LANES) {
                // SAFETY: as of this function.
                unsafe { self.block::<V, B>(picture, block, &seen[row * line..][..3 * line], &mut out) };
            }
            // SAFETY: each piece has rows of its own; the output lives until all pieces are done.
            unsafe { self.y.write((picture * self.size[0] + first + row) * out.len(), &out) };
        }
    }
}

impl Convolve<'_> {
    /// Numbers of a row of pixels that is seen.
    fn line(&self) -> usize {
        self.channels.next_multiple_of(LANES) * (self.size[1] + 2)
    }

    /// Row `row` of a picture, enlarged, its edge pixels twice, scaled: [I/16,w+2,16], so that pixels beside each other lie a known way
    /// apart.
    #[inline(always)]
    unsafe fn row<V: Lanes>(&self, picture: usize, row: usize, to: &mut [f32]) {
        let [rows, columns] = self.from;
        let (channels, width) = (self.channels, self.size[1] + 2);
        let scales = &self.scale_in[picture * channels..][..channels];
        let line = columns * channels;
        let x = &self.x[picture * rows * line..][..rows * line];
        let down = around(row, self.enlarge, rows);
        assert!(to.len() == self.line(), "a row of another image");
        for column in 0..width {
            let across = around(column.saturating_sub(1).min(self.size[1] - 1), self.enlarge, columns);
            let mut block = 0;
            while block * LANES < channels {
                let count = LANES.min(channels - block * LANES);
                // SAFETY: as of this function; the pixels lie in the picture, and have `count` channels from the block's first on.
                unsafe {
                    let to = to.as_mut_ptr().add((block * width + column) * LANES);
                    let mut mixed = V::splat(0.0);
                    let corners = if self.enlarge == 1 { 1 } else { 2 };
                    for y in 0..corners {
                        for side in 0..corners {
                            let at = down[y].0 * line + across[side].0 * channels + block * LANES;
                            let weight = if corners == 1 { 1.0 } else { down[y].1 * across[side].1 };
                            mixed = V::splat(weight).fma(some::<V>(x.as_ptr().add(at), count), mixed);
                        }
                    }
                    mixed.mul(some::<V>(scales.as_ptr().add(block * LANES), count)).store(to);
                }
                block += 1;
            }
        }
    }

    /// Sixteen outputs of a row, of the three rows that it sees.
    #[inline(always)]
    unsafe fn block<V: Lanes, const B: usize>(
        &self,
        picture: usize,
        block: usize,
        seen: &[f32],
        out: &mut [f32],
    ) {
        // SAFETY: as of this function.
        unsafe {
            // As many sums as the registers have room for.
            match B {
                4 => self.tiles::<V, 12>(picture, block, seen, out),
                2 => self.tiles::<V, 6>(picture, block, seen, out),
                _ => self.tiles::<V, 3>(picture, block, seen, out),
            }
        }
    }

    /// The same, `P` pixels at a time where the row has so many.
    #[inline(always)]
    unsafe fn tiles<V: Lanes, const P: usize>(
        &self,
        picture: usize,
        block: usize,
        seen: &[f32],
        out: &mut [f32],
    ) {
        let columns = self.size[1];
        let mut at = 0;
        while at < columns {
            // SAFETY: as of this function; the pixels are in the row.
            unsafe {
                if columns >= P {
                    // The last tile makes some pixels of the one before again.
                    at = at.min(columns - P);
                    self.tile::<V, P>(picture, block, at, seen, out);
                    at += P;
                } else if columns >= 4 {
                    at = at.min(columns - 4);
                    self.tile::<V, 4>(picture, block, at, seen, out);
                    at += 4;
                } else {
                    self.tile::<V, 1>(picture, block, at, seen, out);
                    at += 1;
                }
            }
        }
    }

    /// Sixteen outputs of `P` pixels from `at` on.
    #[inline(always)]
    unsafe fn tile<V: Lanes, const P: usize>(
        &self,
        picture: usize,
        block: usize,
        at: usize,
        seen: &[f32],
        out: &mut [f32],
    ) {
        let (line, width) = (self.line(), self.size[1] + 2);
        let channels = self.channels.next_multiple_of(LANES);
        let weight = &self.weight[block * PLACES * channels * LANES..][..PLACES * channels * LANES];
        assert!(seen.len() == 3 * line && at + P <= self.size[1], "a tile outside its row");
        // SAFETY: as of this function; the rows hold the tile's pixels and those beside them, the weights a vector for each place and
        // channel.
        unsafe {
            let mut sums = [V::splat(0.0); P];
            let mut weight = weight.as_ptr();
            for place in 0..PLACES {
                let mut from = seen.as_ptr().add(place / 3 * line + (at + place % 3) * LANES);
                for _ in 0..channels / LANES {
                    for channel in 0..LANES {
                        let row = V::load(weight.add(channel * LANES));
                        for pixel in 0..P {
                            sums[pixel] = V::splat(*from.add(pixel * LANES + channel)).fma(row, sums[pixel]);
                        }
                    }
                    weight = weight.add(LANES * LANES);
                    from = from.wrapping_add(width * LANES);
                }
            }
            let scale =
                V::load(self.scale_out[picture * self.bias.len() + block * LANES..][..LANES].as_ptr());
            let bias = V::load(self.bias[block * LANES..][..LANES].as_ptr());
            let (slope, gain) = (V::splat(self.slope), V::splat(self.gain));
            let count = LANES.min(self.outputs - block * LANES);
            let mut values = [0.0; LANES];
            for pixel in 0..P {
                let value = sums[pixel].fma(scale, bias);
                value.max(value.mul(slope)).mul(gain).store(values.as_mut_ptr());
                out[(at + pixel) * self.outputs + block * LANES..][..count].copy_from_slice(&values[..count]);
            }
        }
    }
}

/// `count` floats from `from`, at most a vector's, and zeros.
#[inline(always)]
unsafe fn some<V: Lanes>(from: *const f32, count: usize) -> V {
    // SAFETY: as of this function; the caller points to as many floats.
    unsafe {
        if count == LANES {
            return V::load(from);
        }
        let mut floats = [0.0; LANES];
        std::ptr::copy_nonoverlapping(from, floats.as_mut_ptr(), count);
        V::load(floats.as_ptr())
    }
}

/// The two of `count` pixels along an axis that pixel `at` of an axis enlarged `times` is made of, and how much of each. Centres lie at
/// halves; beyond the outer ones, those.
pub(super) fn around(at: usize, times: usize, count: usize) -> [(usize, f32); 2] {
    let place = ((at as f32 + 0.5) / times as f32 - 0.5).max(0.0);
    let low = (place as usize).min(count - 1);
    let share = place - low as f32;
    [(low, 1.0 - share), ((low + 1).min(count - 1), share)]
}

#[cfg(test)]
mod tests {
    use super::{
        super::{isa::Isa, kernel},
        *,
    };

    /// What the kernel gives, without ONNX Runtime.
    fn fused(isa: Isa, case: &Case) -> Vec<f32> {
        let mut y = vec![f32::NAN; case.pictures * case.size[0] * case.size[1] * case.outputs];
        let task = Convolve {
            x: &case.x,
            from: case.from,
            size: case.size,
            channels: case.channels,
            outputs: case.outputs,
            weight: pack(&case.weight, case.outputs, case.channels),
            scale_in: &case.scale_in,
            scale_out: fill_up(&case.scale_out, case.outputs),
            bias: fill_up(&case.bias, case.outputs),
            enlarge: case.enlarge,
            slope: 0.2,
            gain: 1.3,
            y: Shared::new(&mut y),
        };
        (0..case.pictures * case.size[0].div_ceil(ROWS)).for_each(|index| kernel::run(isa, &task, index));
        y
    }

    struct Case {
        pictures: usize,
        from: [usize; 2],
        size: [usize; 2],
        channels: usize,
        outputs: usize,
        enlarge: usize,
        x: Vec<f32>,
        weight: Vec<f32>,
        scale_in: Vec<f32>,
        scale_out: Vec<f32>,
        bias: Vec<f32>,
    }

    impl Case {
        fn new(pictures: usize, from: [usize; 2], channels: usize, outputs: usize, enlarge: usize) -> Self {
            let noise = crate::testing::noise;
            Self {
                pictures,
                from,
                size: from.map(|x| x * enlarge),
                channels,
                outputs,
                enlarge,
                x: noise(pictures * from[0] * from[1] * channels, 1),
                weight: noise(outputs * channels * PLACES, 2),
                scale_in: noise(pictures * channels, 3),
                scale_out: noise(pictures * outputs, 4),
                bias: noise(outputs, 5),
            }
        }

        /// The scaled and enlarged picture, held beyond its edges.
        fn seen(&self, picture: usize, row: isize, column: isize, channel: usize) -> f32 {
            let weights = |at: isize, size: usize, count: usize| {
                let at = at.clamp(0, size as isize - 1) as f32;
                let at = ((at + 0.5) / self.enlarge as f32 - 0.5).clamp(0.0, count as f32 - 1.0);
                (0..count).map(move |i| (i, (1.0 - (at - i as f32).abs()).max(0.0)))
            };
            let [rows, columns] = self.from;
            let mut sum = 0.0;
            for (y, down) in weights(row, self.size[0], rows) {
                for (x, across) in weights(column, self.size[1], columns) {
                    sum += down
                        * across
                        * self.x[((picture * rows + y) * columns + x) * self.channels + channel];
                }
            }
            sum * self.scale_in[picture * self.channels + channel]
        }

        fn expected(&self, picture: usize, row: usize, column: usize, output: usize) -> f32 {
            let mut sum = 0.0;
            for channel in 0..self.channels {
                for place in 0..PLACES {
                    let (y, x) = ((row + place / 3) as isize - 1, (column + place % 3) as isize - 1);
                    let weight = self.weight[(output * self.channels + channel) * PLACES + place];
                    sum += weight * self.seen(picture, y, x, channel);
                }
            }
            let value = sum * self.scale_out[picture * self.outputs + output] + self.bias[output];
            1.3 * if value < 0.0 { 0.2 * value } else { value }
        }
    }

    /// Several blocks of channels and of outputs, whole and not, and rows narrower and wider than a tile.
    #[test]
    fn any_size_is_convolved() {
        for (from, channels, outputs, enlarge) in [
            ([1, 1], 3, 1, 1),
            ([3, 3], 20, 37, 1),
            ([6, 5], 16, 12, 1),
            ([5, 13], 33, 16, 1),
            ([1, 2], 20, 17, 2),
            ([3, 7], 32, 33, 2),
        ] {
            let case = Case::new(2, from, channels, outputs, enlarge);
            for isa in Isa::available() {
                let found = fused(isa, &case);
                for (index, found) in found.into_iter().enumerate() {
                    let (pixel, output) = (index / outputs, index % outputs);
                    let (line, column) = (pixel / case.size[1], pixel % case.size[1]);
                    let expected = case.expected(line / case.size[0], line % case.size[0], column, output);
                    let worst = (found - expected).abs();
                    assert!(
                        worst < 1e-3,
                        "{isa}, {from:?}, {channels} to {outputs}: {found}, expected {expected}"
                    );
                }
            }
        }
    }
}
