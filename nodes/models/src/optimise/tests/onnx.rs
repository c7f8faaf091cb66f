//! Small step graphs.

use crate::testing::onnx::Model;

/// A node: operator, inputs, outputs.
pub(super) type Node<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

/// A model of float vectors: `inputs` and `outputs` by name and length, `constants` by name and elements.
pub(super) fn model(
    inputs: &[(&str, usize)],
    outputs: &[(&str, usize)],
    constants: &[(&str, &[f32])],
    nodes: &[Node<'_>],
) -> Vec<u8> {
    let mut model = Model::new();
    for (operator, takes, gives) in nodes {
        model = model.node(operator, takes, gives, &[]);
    }
    for (name, elements) in constants {
        model = model.constant(name, elements);
    }
    for (name, length) in inputs {
        model = model.input(name, &length.to_string());
    }
    for (name, length) in outputs {
        model = model.output(name, &length.to_string());
    }
    model.file()
}
