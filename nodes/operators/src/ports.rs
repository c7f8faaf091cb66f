//! Inputs, outputs and attributes of the operators, checked.

use std::{
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

use ort::{
    Error, Result,
    operator::{ComputeContext, KernelContext, ShapeInferenceContext},
    value::{Shape, SymbolicDimensions, TensorElementType, ValueRef, ValueRefMut, ValueType},
};

use super::{
    isa::Isa,
    kernel::{self, Task},
    lanes::LANES,
    scene::{Decoder, HIDDEN, Lattice, Marching, Occupancy, Planes, Scene},
};

/// Places are computed as floats, which count this far.
const COUNTABLE: usize = 1 << 24;

/// Reads and checks what one operator is given.
pub(super) struct Ports<'a> {
    pub(super) operator: &'static str,
    pub(super) names: &'static [&'static str],
    pub(super) context: &'a ComputeContext,
}

/// An input: its sizes and floats. Keeps the value alive.
pub(super) struct Input<'a> {
    name: &'static str,
    operator: &'static str,
    value: ValueRef<'a>,
}

/// An error of `operator`.
pub(super) fn wrong(operator: &str, what: impl std::fmt::Display) -> Error {
    Error::new(format!("{operator}: {what}"))
}

/// The float attribute `name`, which must satisfy `sound`.
pub(super) fn attribute(
    kernel: &KernelContext<'_>,
    operator: &str,
    name: &str,
    sound: impl Fn(f32) -> bool,
) -> Result<f32> {
    match kernel.get::<f32>(name) {
        Some(value) if value.is_finite() && sound(value) => Ok(value),
        Some(value) => Err(wrong(operator, format!("attribute `{name}` is {value}, which is out of range"))),
        None => Err(wrong(operator, format!("attribute `{name}` is missing"))),
    }
}

/// The attribute `name`, a count in `range`.
pub(super) fn count(
    kernel: &KernelContext<'_>,
    operator: &str,
    name: &str,
    range: RangeInclusive<usize>,
) -> Result<usize> {
    let value =
        kernel.get::<i64>(name).ok_or_else(|| wrong(operator, format!("attribute `{name}` is missing")))?;
    usize::try_from(value).ok().filter(|count| range.contains(count)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        wrong(operator, format!("attribute `{name}` is {value}, expected {least} to {most}"))
    })
}

/// The marching constants among a node's attributes.
pub(super) fn marching(kernel: &KernelContext<'_>, operator: &str) -> Result<Marching> {
    let number = |name: &str, sound: fn(f32) -> bool| attribute(kernel, operator, name, sound);
    Ok(Marching {
        radius: number("radius", |x| x > 0.0)?,
        slope: number("slope", |x| (0.0..1.0).contains(&x))?,
        shift: number("shift", |_| true)?,
        density: number("density", |x| x > 0.0)?,
        last: number("last", |x| x > 0.0)?,
        stop: number("stop", |x| (0.0..1.0).contains(&x))?,
    })
}

/// The type of a tensor of floats with these sizes; −1 is unknown.
pub(super) fn floats(sizes: &[i64]) -> ValueType {
    ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape: Shape::new(sizes.iter().copied()),
        dimension_symbols: SymbolicDimensions::empty(sizes.len()),
    }
}

/// How many elements input `input` will have along `axis`; −1 where that is not known.
pub(super) fn size(context: &ShapeInferenceContext, input: usize, axis: usize) -> i64 {
    let inputs = context.inputs();
    inputs.get(input).and_then(|input| input.tensor_shape()?.get(axis).copied()).unwrap_or(-1)
}

/// Runs `body`; a panic, which must not reach ONNX Runtime, becomes an error.
pub(super) fn guarded<T>(operator: &str, body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(wrong(operator, "panicked")))
}

impl<'a> Ports<'a> {
    /// The input called `name`.
    pub(super) fn input(&self, name: &'static str) -> Result<Input<'a>> {
        let index = self.names.iter().position(|known| *known == name);
        let value = index.map(|index| self.context.input(index)).transpose()?.flatten();
        let value = value.ok_or_else(|| wrong(self.operator, format!("input `{name}` is missing")))?;
        Ok(Input { name, operator: self.operator, value })
    }

    /// Output `index`, of these sizes.
    pub(super) fn output<const N: usize>(&self, index: usize, sizes: [usize; N]) -> Result<ValueRefMut<'a>> {
        let value = self.wanted(index, sizes)?;
        value.ok_or_else(|| wrong(self.operator, format!("output {index} is missing")))
    }

    /// Output `index`, of these sizes, if the model has it.
    pub(super) fn wanted<const N: usize>(
        &self,
        index: usize,
        sizes: [usize; N],
    ) -> Result<Option<ValueRefMut<'a>>> {
        self.context.output(index, sizes.map(|size| size as i64).to_vec())
    }

    /// The decoder of the inputs `decode1_*` and `decode2_*`.
    pub(super) fn decoder(&self) -> Result<Decoder> {
        let (first, first_bias) = (self.input("decode1_weight")?, self.input("decode1_bias")?);
        let (second, second_bias) = (self.input("decode2_weight")?, self.input("decode2_bias")?);
        let [hidden, channels] = first.sizes()?;
        let fits = (1..=LANES).contains(&channels) && (1..=HIDDEN).contains(&hidden);
        if !fits {
            return Err(wrong(
                self.operator,
                format!(
                    "a decoder of {channels} channels and {hidden} hidden units, at most {LANES} and {HIDDEN} are possible"
                ),
            ));
        }
        first_bias.expect(&[hidden])?;
        second.expect(&[channels + 1, hidden])?;
        second_bias.expect(&[channels + 1])?;
        Ok(Decoder::new(first.floats()?, first_bias.floats()?, second.floats()?, second_bias.floats()?))
    }

    /// What every operator marches through: `planes`, `decoder` and the input `warp`; nothing is bent and no cell known to be empty.
    pub(super) fn scene<'s>(
        &self,
        marching: Marching,
        decoder: &'s Decoder,
        planes: &'s Input<'_>,
        padded: &'s mut Vec<f32>,
    ) -> Result<Scene<'s>> {
        let warp = self.lattice_over("warp", [-marching.radius; 3], [marching.radius; 3])?;
        Ok(Scene { warp, ..self.canonical(marching, decoder, planes, padded)? })
    }

    /// What is marched through at points that were taken back to the mean identity already.
    pub(super) fn canonical<'s>(
        &self,
        marching: Marching,
        decoder: &'s Decoder,
        planes: &'s Input<'_>,
        padded: &'s mut Vec<f32>,
    ) -> Result<Scene<'s>> {
        let planes = planes.planes(decoder.channels, padded)?;
        Ok(Scene { marching, planes, decoder, warp: None, occupancy: None, bends: Vec::new() })
    }

    /// The lattice of the input `name`, over the box of the input `corners`.
    pub(super) fn lattice(&self, name: &'static str, corners: &'static str) -> Result<Option<Lattice>> {
        let corners = self.input(corners)?;
        corners.expect(&[2, 3])?;
        let (low, high) = corners.floats()?.split_at(3);
        if low.iter().zip(high).any(|(low, high)| low >= high || !low.is_finite() || !high.is_finite()) {
            return Err(corners.wrong(format!("{low:?} to {high:?} is no box")));
        }
        self.lattice_over(name, [low[0], low[1], low[2]], [high[0], high[1], high[2]])
    }

    /// The lattice of the input `name` over the box from `low` to `high`.
    pub(super) fn lattice_over(
        &self,
        name: &'static str,
        low: [f32; 3],
        high: [f32; 3],
    ) -> Result<Option<Lattice>> {
        let values = self.input(name)?;
        let [one, axes, layers, rows, columns] = values.sizes()?;
        let size = [columns, rows, layers];
        if one != 1 || axes != 3 || size.iter().any(|&n| n < 2) || size.iter().product::<usize>() > COUNTABLE
        {
            return Err(values.wrong(format!(
                "shape [{one},{axes},{layers},{rows},{columns}], expected [1,3,z,y,x] of 2 nodes or more"
            )));
        }
        Ok(Lattice::new(values.floats()?, size, low, high))
    }

    /// The input `occupancy`, over [-`radius`, `radius`]³.
    pub(super) fn occupancy(&self, radius: f32) -> Result<Option<Occupancy>> {
        let cells = self.input("occupancy")?;
        let [one, single, layers, rows, columns] = cells.sizes()?;
        let size = [columns, rows, layers];
        let count: usize = size.iter().product();
        if one != 1 || single != 1 || count == 0 || count > COUNTABLE {
            return Err(cells
                .wrong(format!("shape [{one},{single},{layers},{rows},{columns}], expected [1,1,z,y,x]")));
        }
        let cells: Vec<bool> = cells.floats()?.iter().map(|&x| x > 0.0).collect();
        Ok((!cells.iter().all(|&cell| cell)).then_some(Occupancy { size, radius, cells }))
    }

    /// Does `count` pieces of `task` on ONNX Runtime's threads.
    pub(super) fn run(&self, isa: Isa, task: &impl Task, count: usize) -> Result<()> {
        self.each(count, |index| kernel::run(isa, task, index))
    }

    /// Calls `piece` with each number below `count` on ONNX Runtime's threads.
    pub(super) fn each(&self, count: usize, piece: impl Fn(usize) + Send + Sync) -> Result<()> {
        let panicked = AtomicBool::new(false);
        self.context.par_for(count, 0, |index| {
            if catch_unwind(AssertUnwindSafe(|| piece(index))).is_err() {
                panicked.store(true, Ordering::Relaxed);
            }
        })?;
        if panicked.into_inner() { Err(wrong(self.operator, "panicked")) } else { Ok(()) }
    }
}

impl Input<'_> {
    /// An error about this input.
    pub(super) fn wrong(&self, what: impl std::fmt::Display) -> Error {
        wrong(self.operator, format!("input `{}`: {what}", self.name))
    }

    /// The sizes, of which there must be `N`.
    pub(super) fn sizes<const N: usize>(&self) -> Result<[usize; N]> {
        let shape: Vec<usize> =
            self.value.shape().iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
        <[usize; N]>::try_from(shape)
            .map_err(|shape| self.wrong(format!("{} sizes, expected {N}", shape.len())))
    }

    /// Fails unless the sizes are `expected`.
    pub(super) fn expect(&self, expected: &[usize]) -> Result<()> {
        let found = self.value.shape();
        if found.len() == expected.len()
            && found.iter().zip(expected).all(|(&found, &size)| usize::try_from(found) == Ok(size))
        {
            return Ok(());
        }
        Err(self.wrong(format!("shape {:?}, expected {expected:?}", &found[..])))
    }

    /// The elements.
    pub(super) fn floats(&self) -> Result<&[f32]> {
        Ok(self.value.try_extract_tensor::<f32>()?.1)
    }

    /// The elements of an input of integers.
    pub(super) fn integers(&self) -> Result<&[i64]> {
        Ok(self.value.try_extract_tensor::<i64>()?.1)
    }

    /// The planes [1,3,H,W,C]; with fewer channels than lanes, filled up into `padded`.
    pub(super) fn planes<'p>(&'p self, channels: usize, padded: &'p mut Vec<f32>) -> Result<Planes<'p>> {
        let [one, three, height, width, found] = self.sizes()?;
        if one != 1
            || three != 3
            || height < 2
            || width < 2
            || found != channels
            || height * width > COUNTABLE
        {
            return Err(self.wrong(format!(
                "shape [{one},{three},{height},{width},{found}], expected [1,3,H,W,{channels}]"
            )));
        }
        Ok(Planes { texels: self.filled_up(channels, padded)?, height, width })
    }

    /// The elements, every `channels` of them filled up to as many as there are lanes, into `padded` where they are fewer.
    pub(super) fn filled_up<'p>(&'p self, channels: usize, padded: &'p mut Vec<f32>) -> Result<&'p [f32]> {
        let floats = self.floats()?;
        if channels == LANES {
            return Ok(floats);
        }
        padded.clear();
        padded.resize(floats.len() / channels * LANES, 0.0);
        for (to, from) in padded.chunks_exact_mut(LANES).zip(floats.chunks_exact(channels)) {
            to[..channels].copy_from_slice(from);
        }
        Ok(padded)
    }
}

/// Memory that pieces of a task write, each its own part.
pub(super) struct Shared<T>(*mut T, usize);

// SAFETY: pieces write disjoint parts, as `write` demands.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// All of `slice`, for as long as it is borrowed.
    pub(super) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr(), slice.len())
    }

    /// Writes `values` from element `at` on.
    ///
    /// # Safety
    ///
    /// The slice is still borrowed, and no other thread writes or reads these elements.
    pub(super) unsafe fn write(&self, at: usize, values: &[T]) {
        assert!(at <= self.1 && values.len() <= self.1 - at, "a piece writes outside its output");
        // SAFETY: in bounds, and nobody else's.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.0.add(at), values.len()) }
    }
}

/// The rays of the inputs `origins` and `directions`, [1,N,3] each.
pub(super) struct Rays<'a> {
    pub(super) origins: &'a [[f32; 3]],
    pub(super) directions: &'a [[f32; 3]],
}

impl<'a> Rays<'a> {
    /// From both inputs.
    pub(super) fn new(origins: &'a Input<'_>, directions: &'a Input<'_>) -> Result<Self> {
        let [one, count, three] = origins.sizes()?;
        if one != 1 || three != 3 {
            return Err(origins.wrong(format!("shape [{one},{count},{three}], expected [1,N,3]")));
        }
        directions.expect(&[1, count, 3])?;
        Ok(Self { origins: origins.floats()?.as_chunks().0, directions: directions.floats()?.as_chunks().0 })
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.origins.len()
    }
}
