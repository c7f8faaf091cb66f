//! Where references lead, through the inputs and outputs of parts.

use std::collections::HashMap;

use super::{At, GraphSpec, PartSpec, Reference};

/// What gives an output in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The graph input with this index.
    Input(usize),
    /// The node with this index.
    Node(usize),
}

/// Where a reference leads.
#[derive(Clone, Debug)]
pub(crate) enum Way<'s> {
    /// To an output, `None` being the first one of a graph input, by way of these inputs of parts (part, input).
    To { origin: Origin, port: Option<&'s str>, through: Vec<(usize, usize)> },
    /// To an input of a part that may be left out, and is.
    Absent,
    /// Nowhere: what it begins with is unknown.
    Unknown,
    /// To a part, of which it names no output, or none that there is.
    Part(&'s PartSpec),
    /// To something further that a part's input gives, where what is connected to it, written so, is one output of a node.
    Further(&'s str, &'s Reference),
    /// Back to itself.
    Around,
    /// To something wrong that is told where it is written.
    Broken,
}

/// What a name stands for.
#[derive(Clone, Copy)]
enum Name {
    Origin(Origin),
    Part(usize),
    /// An input of a part.
    Input(usize, usize),
    /// A part that could not be read.
    Unread,
}

/// All names of a graph.
pub(crate) struct Names<'s> {
    spec: &'s GraphSpec,
    index: HashMap<String, Name>,
    inside: HashMap<&'s str, usize>,
}

impl<'s> Names<'s> {
    /// The names in `spec`; of several equal ones the first.
    pub(crate) fn new(spec: &'s GraphSpec) -> Self {
        let mut index = HashMap::with_capacity(spec.nodes.len() + spec.inputs.len());
        let mut enter = |name: String, what| {
            index.entry(name).or_insert(what);
        };
        for (number, input) in spec.inputs.iter().enumerate() {
            enter(input.name.value.clone(), Name::Origin(Origin::Input(number)));
        }
        for (number, part) in spec.parts.iter().enumerate() {
            for (of, input) in part.inputs.iter().enumerate() {
                enter(part.inside() + &input.name.value, Name::Input(number, of));
            }
        }
        for (number, node) in spec.nodes.iter().enumerate() {
            enter(node.id.value.clone(), Name::Origin(Origin::Node(number)));
        }
        for (number, part) in spec.parts.iter().enumerate() {
            enter(part.id.value.clone(), Name::Part(number));
        }
        spec.unread.iter().for_each(|part| enter(part.clone(), Name::Unread));
        let inside = spec.parts.iter().enumerate().map(|(number, part)| (part.id.value.as_str(), number));
        Self { spec, index, inside: inside.collect() }
    }

    /// The part whose inside `scope` is; `None`: the graph itself.
    pub(crate) fn part_of(&self, scope: &str) -> Option<usize> {
        self.inside.get(scope.strip_suffix(super::SEPARATOR)?).copied()
    }

    /// Where `reference`, written in `scope`, leads.
    pub(crate) fn follow(&self, scope: &str, reference: &'s Reference) -> Way<'s> {
        let mut scope = scope.to_owned();
        let (mut node, mut port) = (reference.node.as_str(), reference.port.as_deref());
        let mut through = vec![];
        // A way passes no part's input or output twice.
        for hop in 0..=2 * self.spec.parts.len() {
            let wrong = |way| if hop == 0 { way } else { Way::Broken };
            match self.index.get(&format!("{scope}{node}")) {
                None => return wrong(Way::Unknown),
                Some(Name::Unread) => return Way::Broken,
                Some(Name::Origin(origin)) => return Way::To { origin: *origin, port, through },
                Some(Name::Part(number)) => {
                    let part = &self.spec.parts[*number];
                    let output =
                        port.and_then(|port| part.outputs.iter().find(|output| output.name.value == port));
                    let Some(output) = output else { return wrong(Way::Part(part)) };
                    (node, port) = (&output.from.value.node, output.from.value.port.as_deref());
                    scope = part.inside();
                }
                Some(Name::Input(number, of)) => {
                    let part = &self.spec.parts[*number];
                    let input = &part.inputs[*of];
                    let connected = part.connections.iter().find(|(name, _)| name.value == input.name.value);
                    let Some((_, connected)) = connected else {
                        return if input.optional { Way::Absent } else { Way::Broken };
                    };
                    let Some(At { value: outer, .. }) = connected else { return Way::Broken };
                    through.push((*number, *of));
                    match (port, outer.port.as_deref()) {
                        (None, outer) => port = outer,
                        (Some(_), None) => {}
                        (Some(further), Some(_)) => {
                            return if hop == 0 { Way::Further(further, outer) } else { Way::Broken };
                        }
                    }
                    node = &outer.node;
                    scope.clone_from(&part.scope);
                }
            }
        }
        Way::Around
    }
}
