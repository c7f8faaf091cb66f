//! Where each value of a YAML text stands. serde_yaml gives values without places, so a marked event parser runs beside
//! it and builds a tree of the same shape.

use std::{collections::HashMap, rc::Rc};

use saphyr_parser::{Event, Parser, Span};

use super::Spot;

/// Places of a value and of what is in it. Aliases share the tree of their anchor.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Where the value starts.
    pub spot: Spot,
    /// Places of a list's items, or of a mapping's keys and values in turn.
    pub children: Vec<Rc<Places>>,
}

struct Open {
    places: Places,
    anchor: usize,
}

/// The places of the first document; `None` for a text that the event parser does not take.
pub(super) fn places(text: &str) -> Option<Rc<Places>> {
    let mut open: Vec<Open> = vec![];
    let mut anchors: HashMap<usize, Rc<Places>> = HashMap::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        let spot = start(&span);
        let done = match event {
            Event::Scalar(_, _, anchor, _) => Open { places: Places { spot, children: vec![] }, anchor },
            Event::Alias(anchor) => {
                let children = anchors.get(&anchor)?.children.clone();
                Open { places: Places { spot, children }, anchor: 0 }
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                open.push(Open { places: Places { spot, children: vec![] }, anchor });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop()?,
            _ => continue,
        };
        let places = Rc::new(done.places);
        if done.anchor > 0 {
            anchors.insert(done.anchor, places.clone());
        }
        match open.last_mut() {
            Some(parent) => parent.places.children.push(places),
            None => return Some(places),
        }
    }
    None
}

fn start(span: &Span) -> Spot {
    Spot { line: span.start.line(), column: span.start.col() + 1 }
}
