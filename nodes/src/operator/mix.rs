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
/// States that are summed at once, so that what is read of a map serves all of them.
const STATES: usize = 4;
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
            across: (0..width).map(|column| around(column, times, columns)).collect(),
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
    /// The coarse columns that a column is made of.
    across: Vec<[(usize, f32); 2]>,
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
        let height = self.high[0];
        let (plane, row) = (index / height, index % height);
        let mut state = 0;
        while state < self.states {
            // SAFETY: as of this function.
            unsafe {
                if self.states - state >= STATES {
                    self.row::<V, B, STATES>(state, plane, row);
                    state += STATES;
                } else {
                    self.row::<V, B, 1>(state, plane, row);
                    state += 1;
                }
            }
        }
    }
}

impl Sum<'_> {
    /// One row of `S` states from `first` on.
    #[inline(always)]
    unsafe fn row<V: Lanes, const B: usize, const S: usize>(&self, first: usize, plane: usize, row: usize) {
        let [height, width] = self.high;
        let count = self.mixes.len() / self.states / LANES;
        let mut sums = vec![[[0.0; LANES]; S]; width];
        // SAFETY: as of this function; each piece has a row of each state of its own, and the output lives until all are done.
        unsafe {
            for state in 0..S {
                self.base::<V, S>(first + state, plane, row, state, &mut sums);
            }
            let (mut from, mut before) = (0, 0);
            for window in self.windows {
                if window.plane == plane && (window.top..window.top + window.height).contains(&row) {
                    let mixes = &self.mixes[first * count * LANES..][..S * count * LANES];
                    let maps = &self.maps[from..from + window.numbers()];
                    let sums = &mut sums[window.left..window.left + window.width];
                    let place = Place { window, row: row - window.top, before, count };
                    // As many sums as the registers have room for, and no less than hides what a sum takes.
                    match (B, S) {
                        (4, 1) => add::<V, 8, S>(sums, maps, mixes, place),
                        (4, _) => add::<V, 4, S>(sums, maps, mixes, place),
                        (_, 1) => add::<V, 4, S>(sums, maps, mixes, place),
                        _ => add::<V, 1, S>(sums, maps, mixes, place),
                    }
                }
                from += window.numbers();
                before += window.count;
            }
            let mut line = vec![[0.0; LANES]; width];
            for state in 0..S {
                line.iter_mut().zip(&sums).for_each(|(to, from)| *to = from[state]);
                let at = (((first + state) * 3 + plane) * height + row) * width * LANES;
                self.planes.write(at, line.as_flattened());
            }
        }
    }

    /// The coarse planes, enlarged linearly, and the fixed ones, of one row of a state, as the sums of number `to`.
    #[inline(always)]
    unsafe fn base<V: Lanes, const S: usize>(
        &self,
        state: usize,
        plane: usize,
        row: usize,
        to: usize,
        sums: &mut [[[f32; LANES]; S]],
    ) {
        let ([rows, columns], [height, width]) = (self.low, self.high);
        let count = self.shares.len() / self.states;
        let area = 3 * height * width * LANES;
        assert!(
            sums.len() == width && self.across.len() == width && self.fixed.len() == count * area,
            "a row of other planes"
        );
        let down = around(row, self.times, rows);
        let line = columns * 3 * LANES;
        let coarse = &self.coarse[state * rows * line..][..rows * line];
        // SAFETY: as of this function; what is read lies in the rows and columns of the planes.
        unsafe {
            let lines = [coarse.as_ptr().add(down[0].0 * line), coarse.as_ptr().add(down[1].0 * line)];
            let fixed = self.fixed.as_ptr().add((plane * height + row) * width * LANES);
            for column in 0..width {
                let across = self.across[column];
                let mut total = V::splat(0.0);
                for y in 0..2 {
                    for x in 0..2 {
                        let texel = V::load(lines[y].add((across[x].0 * 3 + plane) * LANES));
                        total = V::splat(down[y].1 * across[x].1).fma(texel, total);
                    }
                }
                total.store(sums[column][to].as_mut_ptr());
            }
            for share in 0..count {
                let part = self.shares[state * count + share];
                // Lips are lost while a mouth is wide open, and else not.
                if part == 0.0 {
                    continue;
                }
                for column in 0..width {
                    let sum = sums[column][to].as_mut_ptr();
                    let texel = V::load(fixed.add(share * area + column * LANES));
                    V::splat(part).fma(texel, V::load(sum)).store(sum);
                }
            }
        }
    }
}

/// Where a row of a window is.
#[derive(Clone, Copy)]
struct Place<'a> {
    window: &'a Window,
    /// Row of the window.
    row: usize,
    /// Maps of the windows before.
    before: usize,
    /// Maps of all windows.
    count: usize,
}

/// Adds the sum of maps, times what each stands for in each state, to the texels of a row, `T` at a time.
#[inline(always)]
unsafe fn add<V: Lanes, const T: usize, const S: usize>(
    sums: &mut [[[f32; LANES]; S]],
    maps: &[f32],
    mixes: &[f32],
    place: Place<'_>,
) {
    let whole = sums.len() / T * T;
    // SAFETY: as of this function.
    unsafe {
        for at in (0..whole).step_by(T) {
            tile::<V, T, S>(&mut sums[at..at + T], at, maps, mixes, place);
        }
        for at in whole..sums.len() {
            tile::<V, 1, S>(&mut sums[at..=at], at, maps, mixes, place);
        }
    }
}

/// The same for `T` texels from `at` on.
#[inline(always)]
unsafe fn tile<V: Lanes, const T: usize, const S: usize>(
    sums: &mut [[[f32; LANES]; S]],
    at: usize,
    maps: &[f32],
    mixes: &[f32],
    Place { window, row, before, count }: Place<'_>,
) {
    let area = window.width * window.height;
    let first = row * window.width + at;
    assert!(
        sums.len() == T
            && at + T <= window.width
            && maps.len() == area * window.count
            && mixes.len() == S * count * LANES
            && before + window.count <= count,
        "a tile outside its window"
    );
    // SAFETY: as of this function; every map has the tile's numbers, every state a vector for each map.
    unsafe {
        let mut totals = [[V::splat(0.0); S]; T];
        for texel in 0..T {
            for state in 0..S {
                totals[texel][state] = V::load(sums[texel][state].as_ptr());
            }
        }
        let mut numbers = maps.as_ptr().add(first);
        let mut mixes = mixes.as_ptr().add(before * LANES);
        for _ in 0..window.count {
            let mut rows = [V::splat(0.0); S];
            for state in 0..S {
                rows[state] = V::load(mixes.add(state * count * LANES));
            }
            for texel in 0..T {
                let number = V::splat(*numbers.add(texel));
                for state in 0..S {
                    totals[texel][state] = number.fma(rows[state], totals[texel][state]);
                }
            }
            numbers = numbers.wrapping_add(area);
            mixes = mixes.add(LANES);
        }
        for texel in 0..T {
            for state in 0..S {
                totals[texel][state].store(sums[texel][state].as_mut_ptr());
            }
        }
    }
}
