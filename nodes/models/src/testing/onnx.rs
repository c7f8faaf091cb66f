//! Small ONNX files for tests, written as protobuf (field numbers of `onnx.proto3`).

/// A model under construction.
#[derive(Clone, Default)]
pub struct Model {
    nodes: Vec<u8>,
    rest: Vec<u8>,
}

impl Model {
    /// A model of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an input of floats, or of integers where its sizes follow `i64 `; sizes are numbers or symbols, with commas between them.
    #[must_use]
    pub fn input(mut self, name: &str, sizes: &str) -> Self {
        bytes(&mut self.rest, 11, &port(name, sizes));
        self
    }

    /// Adds an output.
    #[must_use]
    pub fn output(mut self, name: &str, sizes: &str) -> Self {
        bytes(&mut self.rest, 12, &port(name, sizes));
        self
    }

    /// Adds a constant vector.
    #[must_use]
    pub fn constant(mut self, name: &str, elements: &[f32]) -> Self {
        let mut tensor = vec![];
        number(&mut tensor, 1, elements.len() as u64);
        number(&mut tensor, 2, 1);
        bytes(&mut tensor, 8, name.as_bytes());
        bytes(&mut tensor, 9, &elements.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        bytes(&mut self.rest, 5, &tensor);
        self
    }

    /// Adds a node with lists of integers as attributes.
    #[must_use]
    pub fn node(
        mut self,
        operator: &str,
        takes: &[&str],
        gives: &[&str],
        attributes: &[(&str, &[i64])],
    ) -> Self {
        let mut node = vec![];
        takes.iter().for_each(|name| bytes(&mut node, 1, name.as_bytes()));
        gives.iter().for_each(|name| bytes(&mut node, 2, name.as_bytes()));
        bytes(&mut node, 4, operator.as_bytes());
        for (name, numbers) in attributes {
            const INTS: u64 = 7;
            let mut attribute = vec![];
            bytes(&mut attribute, 1, name.as_bytes());
            numbers.iter().for_each(|&one| number(&mut attribute, 8, one as u64));
            number(&mut attribute, 20, INTS);
            bytes(&mut node, 5, &attribute);
        }
        bytes(&mut self.nodes, 1, &node);
        self
    }

    /// The file.
    pub fn file(self) -> Vec<u8> {
        let mut graph = self.nodes;
        bytes(&mut graph, 2, b"test");
        graph.extend(self.rest);
        let (mut opset, mut model) = (vec![], vec![]);
        number(&mut opset, 2, 17);
        number(&mut model, 1, 8);
        bytes(&mut model, 7, &graph);
        bytes(&mut model, 8, &opset);
        model
    }
}

fn port(name: &str, sizes: &str) -> Vec<u8> {
    const FLOAT: u64 = 1;
    const INT64: u64 = 7;
    let (element, sizes) = sizes.strip_prefix("i64 ").map_or((FLOAT, sizes), |sizes| (INT64, sizes));
    let (mut shape, mut tensor, mut kind, mut value) = (vec![], vec![], vec![], vec![]);
    for size in sizes.split(',') {
        let mut dim = vec![];
        match size.parse() {
            Ok(size) => number(&mut dim, 1, size),
            Err(_) => bytes(&mut dim, 2, size.as_bytes()),
        }
        bytes(&mut shape, 1, &dim);
    }
    number(&mut tensor, 1, element);
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
