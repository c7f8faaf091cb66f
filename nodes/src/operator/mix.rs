//! `TriplaneMix`: planes of several states, as sums of what they share and of a few maps.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use ort::{
    Result,
    operator::{
        ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput, ShapeInferenceContext,
    },
    value::TensorElementType,
};

use super::{
    convolution::around,
    isa::Isa,
    kernel::Task,
    lanes::{LANES, Lanes},
    ports::{Ports, Shared, floats, guarded, wrong},
};

const NAME: &str = "TriplaneMix";
const INPUTS: [&str; 5] = ["coarse", "fixed", "shares", "maps", "mixes"];
/// Texels that are summed at once, for each of the samples that a set of instructions has room for.
const TILE: usize = 2;
/// The most numbers along any axis.
const MOST: usize = 4096;

/// The operator.
pub(super) struct Mix(pub(super) Isa);

/// One node of a model.
pub(super) struct MixKernel {
    isa: Isa,
    windows: Vec<Window>,
}

/// A rectangle of a plane, and how many maps there are of it.
#[derive(Clone, Copy, Debug)]
struct Window {
    plane: usize,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    count: usize,
}

impl Window {
    fn new([plane, left, top, width, height, count]: [usize; 6]) -> Self {
        Self { plane, left, top, width, height, count }
    }

    /// Numbers in its maps.
    fn numbers(&self) -> usize {
        self.width * self.height * self.count
    }
}

impl Operator for Mix {
    type Kernel<'a> = MixKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        INPUTS.map(|_| OperatorInput::required(TensorElementType::Float32))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> Result<()> {
        let inputs = context.inputs();
        let size = |input: usize, axis: usize| {
            inputs.get(input).and_then(|input| input.tensor_shape()?.get(axis).copied()).unwrap_or(-1)
        };
        context.set_output(0, &floats(&[size(2, 0), 3, size(1, 2), size(1, 3), size(1, 4)]))
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<MixKernel> {
        guarded(NAME, || {
            let numbers: Vec<i64> =
                kernel.get("windows").ok_or_else(|| wrong(NAME, "attribute `windows` is missing"))?;
            let small: Option<Vec<usize>> =
                numbers.iter().map(|&x| usize::try_from(x).ok().filter(|&x| x <= MOST)).collect();
            match small.as_deref().map(<[usize]>::as_chunks::<6>) {
                Some((windows, [])) => Ok(MixKernel {
                    isa: self.0,
                    windows: windows.iter().map(|window| Window::new(*window)).collect(),
                }),
                _ => Err(wrong(NAME, format!("attribute `windows` is {numbers:?}, expected sixes of sizes"))),
            }
        })
    }
}

impl Kernel for MixKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.mix(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl MixKernel {
    fn mix(&self, ports: &Ports<'_>) -> Result<()> {
        let fixed = ports.input("fixed")?;
        let [shared, three, height, width, channels] = fixed.sizes()?;
        if three != 3 || channels != LANES || !(2..=MOST).contains(&height) || !(2..=MOST).contains(&width) {
            return Err(fixed.wrong(format!(
                "shape [{shared},{three},{height},{width},{channels}], expected [J,3,H,W,{LANES}]"
            )));
        }
        let shares = ports.input("shares")?;
        let [states, _] = shares.sizes()?;
        shares.expect(&[states, shared])?;
        let coarse = ports.input("coarse")?;
        let [_, rows, columns, _, _] = coarse.sizes()?;
        let times = height / rows.max(1);
        coarse.expect(&[states, height / times.max(1), width / times.max(1), 3, LANES])?;
        let count = self.windows.iter().map(|window| window.count).sum();
        let mixes = ports.input("mixes")?;
        mixes.expect(&[states, count, LANES])?;
        let maps = ports.input("maps")?;
        maps.expect(&[self.windows.iter().map(Window::numbers).sum()])?;
        let inside = |window: &Window| {
            window.plane < 3 && window.left + window.width <= width && window.top + window.height <= height
        };
        if let Some(window) = self.windows.iter().find(|window| !inside(window)) {
            return Err(wrong(NAME, format!("{window:?} is not inside planes of {width} x {height}")));
        }
        let mut planes = ports.output(0, [states, 3, height, width, LANES])?;
        let task = Sum {
            windows: &self.windows,
            coarse: coarse.floats()?,
            low: [rows, columns],
            times,
            fixed: fixed.floats()?,
            shares: shares.floats()?,
            maps: maps.floats()?,
            mixes: mixes.floats()?,
            states,
            high: [height, width],
            planes: Shared::new(planes.try_extract_tensor_mut::<f32>()?.1),
        };
        ports.run(self.isa, &task, 3 * height)
    }
}

/// All sums; a piece is a row of a plane, of all states.
struct Sum<'a> {
    windows: &'a [Window],
    /// [n,h,w,3,16]
    coarse: &'a [f32],
    /// h, w
    low: [usize; 2],
    /// H/h
    times: usize,
    /// [J,3,H,W,16]
    fixed: &'a [f32],
    /// [n,J]
    shares: &'a [f32],
    maps: &'a [f32],
    /// [n,K,16]
    mixes: &'a [f32],
    states: usize,
    /// H, W
    high: [usize; 2],
    planes: Shared<f32>,
}

impl Task for Sum<'_> {
    fn blocks(&self) -> usize {
        1
    }

    #[inline(always)]
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize) {
        let [height, width] = self.high;
        let (plane, row) = (index / height, index % height);
        let mut sums = vec![[0.0; LANES]; width];
        let count = self.mixes.len() / self.states / LANES;
        for state in 0..self.states {
            // SAFETY: as of this function; each piece has a row of each state of its own, and the output lives until all are done.
            unsafe {
                self.base::<V>(state, plane, row, &mut sums);
                let (mut from, mut first) = (0, 0);
                for window in self.windows {
                    if window.plane == plane && (window.top..window.top + window.height).contains(&row) {
                        let mixes = &self.mixes[(state * count + first) * LANES..][..window.count * LANES];
                        let maps = &self.maps[from..from + window.numbers()];
                        let sums = &mut sums[window.left..window.left + window.width];
                        add::<V, B>(sums, maps, (row - window.top) * window.width, window, mixes);
                    }
                    from += window.numbers();
                    first += window.count;
                }
                let at = ((state * 3 + plane) * height + row) * width * LANES;
                self.planes.write(at, sums.as_flattened());
            }
        }
    }
}

impl Sum<'_> {
    /// The coarse planes, enlarged linearly, and the fixed ones, of one row of a state.
    #[inline(always)]
    unsafe fn base<V: Lanes>(&self, state: usize, plane: usize, row: usize, sums: &mut [[f32; LANES]]) {
        let ([rows, columns], [height, width]) = (self.low, self.high);
        let shares = &self.shares[state * (self.shares.len() / self.states)..];
        let texel = |row: usize, column: usize| {
            self.coarse[(((state * rows + row) * columns + column) * 3 + plane) * LANES..][..LANES].as_ptr()
        };
        let down = around(row, self.times, rows);
        for (column, sum) in sums.iter_mut().enumerate() {
            let across = around(column, self.times, columns);
            // SAFETY: as of this function; slices hold whole texels.
            unsafe {
                let mut total = V::splat(0.0);
                for (row, weight) in down {
                    for (column, share) in across {
                        total = V::splat(weight * share).fma(V::load(texel(row, column)), total);
                    }
                }
                let at = ((plane * height + row) * width + column) * LANES;
                for (fixed, share) in self.fixed.chunks_exact(3 * height * width * LANES).zip(shares) {
                    total = V::splat(*share).fma(V::load(fixed[at..][..LANES].as_ptr()), total);
                }
                total.store(sum.as_mut_ptr());
            }
        }
    }
}

/// Adds the sum of maps, times what each stands for, to the texels of a row, whose numbers lie from `from` on in each map.
#[inline(always)]
unsafe fn add<V: Lanes, const B: usize>(
    sums: &mut [[f32; LANES]],
    maps: &[f32],
    from: usize,
    window: &Window,
    mixes: &[f32],
) {
    let area = window.width * window.height;
    let mut at = 0;
    while at < sums.len() {
        let tile = TILE * B;
        if sums.len() - at < tile {
            for texel in at..sums.len() {
                // SAFETY: as of this function; slices hold whole texels.
                unsafe {
                    let mut total = V::load(sums[texel].as_ptr());
                    for (map, mix) in mixes.chunks_exact(LANES).enumerate() {
                        total = V::splat(maps[map * area + from + texel]).fma(V::load(mix.as_ptr()), total);
                    }
                    total.store(sums[texel].as_mut_ptr());
                }
            }
            return;
        }
        // SAFETY: as of this function; a tile has as many texels as are loaded, and every map as many numbers.
        unsafe {
            let mut totals = [[V::splat(0.0); TILE]; B];
            for block in 0..B {
                for texel in 0..TILE {
                    totals[block][texel] = V::load(sums[at + block * TILE + texel].as_ptr());
                }
            }
            for map in 0..window.count {
                let mix = V::load(mixes.as_ptr().add(map * LANES));
                let numbers = maps[map * area + from + at..][..tile].as_ptr();
                for block in 0..B {
                    for texel in 0..TILE {
                        let number = V::splat(*numbers.add(block * TILE + texel));
                        totals[block][texel] = number.fma(mix, totals[block][texel]);
                    }
                }
            }
            for block in 0..B {
                for texel in 0..TILE {
                    totals[block][texel].store(sums[at + block * TILE + texel].as_mut_ptr());
                }
            }
        }
        at += tile;
    }
}
