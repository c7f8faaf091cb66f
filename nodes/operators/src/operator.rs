//! What an operator is: its signature, and what it computes. How ONNX Runtime wants to be told is here, once for all of them.

use std::{
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
};

use ort::{
    Error, Result,
    operator::{
        ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput, ShapeInferenceContext,
    },
    value::{Shape, SymbolicDimensions, TensorElementType, ValueType},
};

use super::{attributes::Attributes, isa::Isa, ports::Ports};

/// An operator; a value is one node of a model.
pub(super) trait Fused: Sized + Send + 'static {
    /// Its name in the domain.
    const NAME: &'static str;
    /// Its inputs in order, all of which a node has: tensors of floats, but for [`INTEGERS`](Self::INTEGERS).
    const INPUTS: &'static [&'static str];
    /// The inputs that are tensors of 64-bit integers.
    const INTEGERS: &'static [&'static str] = &[];
    /// How many outputs a node has: tensors of floats.
    const OUTPUTS: usize = 1;
    /// How many more it may have, behind those.
    const OPTIONAL: usize = 0;

    /// The sizes of the first outputs, as far as they are known before anything runs.
    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>>;

    /// The node with these attributes.
    ///
    /// # Errors
    /// Attributes that are missing or out of range.
    fn new(attributes: &Attributes<'_>) -> Result<Self>;

    /// Reads the inputs and writes the outputs.
    ///
    /// # Errors
    /// Inputs that are missing or have other shapes than the operator wants.
    fn compute(&mut self, ports: &Ports<'_>) -> Result<()>;
}

/// The operator `F` with the instructions of `isa`, for a domain.
pub(super) fn operator<F: Fused>(isa: Isa) -> impl Operator {
    Registered(isa, PhantomData::<fn() -> F>)
}

/// An error of `operator`.
pub(super) fn wrong(operator: &str, what: impl std::fmt::Display) -> Error {
    Error::new(format!("{operator}: {what}"))
}

/// What is known of a node's inputs before anything runs; −1 is unknown.
pub(super) struct Known<'a> {
    names: &'static [&'static str],
    inputs: Vec<ValueType>,
    context: &'a ShapeInferenceContext,
}

impl Known<'_> {
    /// How many elements the input `name` will have along `axis`.
    pub(super) fn size(&self, name: &str, axis: usize) -> i64 {
        let input = self.names.iter().position(|known| *known == name).and_then(|at| self.inputs.get(at));
        input.and_then(|input| input.tensor_shape()?.get(axis).copied()).unwrap_or(-1)
    }

    /// The attribute `name`, a whole number.
    pub(super) fn count(&self, name: &str) -> i64 {
        self.context.attr(name).unwrap_or(-1)
    }
}

struct Registered<F>(Isa, PhantomData<fn() -> F>);

/// One node, with the instructions that it uses.
struct Node<F>(Isa, F);

impl<F: Fused> Operator for Registered<F> {
    type Kernel<'a> = Node<F>;

    fn name(&self) -> &str {
        F::NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        F::INPUTS.iter().map(|name| {
            OperatorInput::required(match F::INTEGERS.contains(name) {
                true => TensorElementType::Int64,
                false => TensorElementType::Float32,
            })
        })
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        (0..F::OUTPUTS + F::OPTIONAL).map(|index| {
            let output = if index < F::OUTPUTS { OperatorOutput::required } else { OperatorOutput::optional };
            output(TensorElementType::Float32)
        })
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> Result<()> {
        guarded(F::NAME, || {
            let shapes = F::shapes(&Known { names: F::INPUTS, inputs: context.inputs(), context: &*context });
            for (index, sizes) in shapes.iter().enumerate() {
                let told = context.set_output(index, &floats(sizes));
                // Fails where a model does not ask for an output that it may leave out.
                if index < F::OUTPUTS {
                    told?;
                }
            }
            Ok(())
        })
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<Node<F>> {
        guarded(F::NAME, || Ok(Node(self.0, F::new(&Attributes { operator: F::NAME, kernel })?)))
    }
}

impl<F: Fused> Kernel for Node<F> {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        let ports = Ports { operator: F::NAME, names: F::INPUTS, isa: self.0, context };
        guarded(F::NAME, || self.1.compute(&ports))
    }
}

/// Runs `body`; a panic, which must not reach ONNX Runtime, becomes an error.
fn guarded<T>(operator: &str, body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(wrong(operator, "panicked")))
}

/// The type of a tensor of floats with these sizes.
fn floats(sizes: &[i64]) -> ValueType {
    ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape: Shape::new(sizes.iter().copied()),
        dimension_symbols: SymbolicDimensions::empty(sizes.len()),
    }
}
