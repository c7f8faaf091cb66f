//! `TriplaneMix`: planes of several states, as sums of what they share and of a few maps.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use ort::Result;

use super::{
    attributes::Attributes,
    convolution::around,
    kernel::Task,
    lanes::{LANES, Lanes},
    operator::{Fused, Known, wrong},
    ports::{Ports, Shared},
};

/// States that are summed at once, so that what is read of a map serves all of them.
const STATES: usize = 4;
/// The most numbers along any axis.
const MOST: usize = 4096;

/// The operator.
pub(super) struct Mix {
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

impl Fused for Mix {
    const NAME: &'static str = "TriplaneMix";
    const INPUTS: &'static [&'static str] = &["coarse", "fixed", "shares", "maps", "mixes"];

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        let [height, width, channels] = [2, 3, 4].map(|axis| known.size("fixed", axis));
        vec![vec![known.size("shares", 0), 3, height, width, channels]]
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        let numbers = attributes.integers("windows")?;
        let small: Option<Vec<usize>> =
            numbers.iter().map(|&x| usize::try_from(x).ok().filter(|&x| x <= MOST)).collect();
        match small.as_deref().map(<[usize]>::as_chunks::<6>) {
            Some((windows, [])) => {
                Ok(Self { windows: windows.iter().map(|window| Window::new(*window)).collect() })
            }
            _ => {
                Err(wrong(Self::NAME, format!("attribute `windows` is {numbers:?}, expected sixes of sizes")))
            }
        }
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
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
        if times * rows != height || times * columns != width {
            return Err(coarse.wrong(format!(
                "{rows} x {columns}, of which planes of {height} x {width} are no whole number of times"
            )));
        }
        coarse.expect(&[states, rows, columns, 3, LANES])?;
        let count = self.windows.iter().map(|window| window.count).sum();
        let mixes = ports.input("mixes")?;
        mixes.expect(&[states, count, LANES])?;
        let maps = ports.input("maps")?;
        maps.expect(&[self.windows.iter().map(Window::numbers).sum()])?;
        let inside = |window: &Window| {
            window.plane < 3 && window.left + window.width <= width && window.top + window.height <= height
        };
        if let Some(window) = self.windows.iter().find(|window| !inside(window)) {
            return Err(wrong(Self::NAME, format!("{window:?} is not inside planes of {width} x {height}")));
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
            planes: planes.shared()?,
        };
        ports.run(&task, 3 * height)
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
            let fixed = self.fixed.as_ptr().wrapping_add((plane * height + row) * width * LANES);
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
                // Most states take nothing of some of them: 3 MB that need not be read.
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
        let mut numbers = maps.as_ptr().wrapping_add(first);
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

#[cfg(test)]
mod tests {
    use super::{
        super::{isa::Isa, kernel},
        *,
    };
    use crate::testing::noise;

    const HIGH: [usize; 2] = [6, 15];
    const LOW: [usize; 2] = [2, 5];
    const FIXED: usize = 2;

    /// All of a plane, a part of it that is no whole number of tiles wide, one without maps and one without texels.
    fn windows() -> Vec<Window> {
        [[0, 0, 0, 15, 6, 3], [0, 2, 1, 7, 4, 5], [2, 4, 0, 11, 6, 2], [1, 1, 1, 3, 3, 0], [1, 2, 2, 0, 2, 2]]
            .map(Window::new)
            .to_vec()
    }

    struct Given {
        coarse: Vec<f32>,
        fixed: Vec<f32>,
        shares: Vec<f32>,
        maps: Vec<f32>,
        mixes: Vec<f32>,
    }

    impl Given {
        fn new(states: usize) -> Self {
            let maps = windows().iter().map(Window::numbers).sum();
            let count: usize = windows().iter().map(|window| window.count).sum();
            let mut shares = noise(states * FIXED, 3);
            shares[states * FIXED - 1] = 0.0;
            Self {
                coarse: noise(states * LOW[0] * LOW[1] * 3 * LANES, 1),
                fixed: noise(FIXED * 3 * HIGH[0] * HIGH[1] * LANES, 2),
                shares,
                maps: noise(maps, 4),
                mixes: noise(states * count * LANES, 5),
            }
        }

        /// State `state` alone.
        fn one(&self, state: usize) -> Self {
            let states = self.shares.len() / FIXED;
            let part = |all: &[f32]| all.chunks_exact(all.len() / states).nth(state).unwrap().to_vec();
            Self {
                coarse: part(&self.coarse),
                fixed: self.fixed.clone(),
                shares: part(&self.shares),
                maps: self.maps.clone(),
                mixes: part(&self.mixes),
            }
        }

        fn fused(&self, isa: Isa) -> Vec<f32> {
            let states = self.shares.len() / FIXED;
            let mut planes = vec![f32::NAN; states * 3 * HIGH[0] * HIGH[1] * LANES];
            let windows = windows();
            let task = Sum {
                windows: &windows,
                coarse: &self.coarse,
                low: LOW,
                times: 3,
                across: (0..HIGH[1]).map(|column| around(column, 3, LOW[1])).collect(),
                fixed: &self.fixed,
                shares: &self.shares,
                maps: &self.maps,
                mixes: &self.mixes,
                states,
                high: HIGH,
                planes: Shared::new(&mut planes),
            };
            (0..3 * HIGH[0]).for_each(|index| kernel::run(isa, &task, index));
            planes
        }

        fn expected(&self, state: usize, plane: usize, row: usize, column: usize, channel: usize) -> f32 {
            let mut sum = 0.0;
            for (y, down) in around(row, 3, LOW[0]) {
                for (x, across) in around(column, 3, LOW[1]) {
                    let texel = ((state * LOW[0] + y) * LOW[1] + x) * 3 + plane;
                    sum += down * across * self.coarse[texel * LANES + channel];
                }
            }
            for fixed in 0..FIXED {
                let texel = ((fixed * 3 + plane) * HIGH[0] + row) * HIGH[1] + column;
                sum += self.shares[state * FIXED + fixed] * self.fixed[texel * LANES + channel];
            }
            let count: usize = windows().iter().map(|window| window.count).sum();
            let (mut from, mut map) = (0, 0);
            for window in windows() {
                let inside = window.plane == plane
                    && (window.top..window.top + window.height).contains(&row)
                    && (window.left..window.left + window.width).contains(&column);
                for number in 0..window.count {
                    if inside {
                        let at = (row - window.top) * window.width + column - window.left;
                        let value = self.maps[from + number * window.width * window.height + at];
                        sum += value * self.mixes[(state * count + map + number) * LANES + channel];
                    }
                }
                from += window.numbers();
                map += window.count;
            }
            sum
        }
    }

    #[test]
    fn any_number_of_states_is_summed_and_each_as_if_alone() {
        for states in [1, 4, 9] {
            let given = Given::new(states);
            for isa in Isa::available() {
                let found = given.fused(isa);
                for (index, found) in found.iter().enumerate() {
                    let (texel, channel) = (index / LANES, index % LANES);
                    let (line, column) = (texel / HIGH[1], texel % HIGH[1]);
                    let (plane, row) = (line / HIGH[0], line % HIGH[0]);
                    let expected = given.expected(plane / 3, plane % 3, row, column, channel);
                    assert!(
                        (found - expected).abs() < 1e-4,
                        "{isa}, {states} states: {found}, expected {expected}"
                    );
                }
                let size = found.len() / states;
                for (state, found) in found.chunks_exact(size).enumerate() {
                    assert!(given.one(state).fused(isa) == found, "{isa}: state {state} of {states}");
                }
            }
        }
    }
}
