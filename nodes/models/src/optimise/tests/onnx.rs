//! Small ONNX files for tests, written as protobuf (field numbers of `onnx.proto3`).

/// A node: operator, inputs, outputs.
pub(super) type Node<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

/// A model of float vectors: `inputs` and `outputs` by name and length, `constants` by name and elements.
pub(super) fn model(
    inputs: &[(&str, usize)],
    outputs: &[(&str, usize)],
    constants: &[(&str, &[f32])],
    nodes: &[Node<'_>],
) -> Vec<u8> {
    let mut graph = vec![];
    for (operator, takes, gives) in nodes {
        let mut node = vec![];
        takes.iter().for_each(|name| bytes(&mut node, 1, name.as_bytes()));
        gives.iter().for_each(|name| bytes(&mut node, 2, name.as_bytes()));
        bytes(&mut node, 4, operator.as_bytes());
        bytes(&mut graph, 1, &node);
    }
    bytes(&mut graph, 2, b"test");
    for (name, elements) in constants {
        let mut tensor = vec![];
        number(&mut tensor, 1, elements.len() as u64);
        number(&mut tensor, 2, 1);
        bytes(&mut tensor, 8, name.as_bytes());
        bytes(&mut tensor, 9, &elements.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        bytes(&mut graph, 5, &tensor);
    }
    for (field, ports) in [(11, inputs), (12, outputs)] {
        for (name, length) in ports {
            bytes(&mut graph, field, &value(name, *length));
        }
    }
    let mut opset = vec![];
    number(&mut opset, 2, 17);
    let mut model = vec![];
    number(&mut model, 1, 8);
    bytes(&mut model, 7, &graph);
    bytes(&mut model, 8, &opset);
    model
}

fn value(name: &str, length: usize) -> Vec<u8> {
    let (mut dim, mut shape, mut tensor, mut kind, mut value) = (vec![], vec![], vec![], vec![], vec![]);
    number(&mut dim, 1, length as u64);
    bytes(&mut shape, 1, &dim);
    number(&mut tensor, 1, 1);
    bytes(&mut tensor, 2, &shape);
    bytes(&mut kind, 1, &tensor);
    bytes(&mut value, 1, name.as_bytes());
    bytes(&mut value, 2, &kind);
    value
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(out: &mut Vec<u8>, field: u64, number: u64) {
    varint(out, field << 3);
    varint(out, number);
}

fn bytes(out: &mut Vec<u8>, field: u64, payload: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, payload.len() as u64);
    out.extend_from_slice(payload);
}
