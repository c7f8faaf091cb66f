//! Where things are drawn, from the left to the right: each part is laid out by itself, and is then one box among others. Lines that are
//! longer than from one column to the next get a place in every column between, so that they pass beside boxes.

use std::collections::BTreeMap;

use rust_sugiyama::{configure::Config, from_vertices_and_edges};

use super::Picture;

/// Space between boxes, and between a part's rim and what is in it.
const GAP: f64 = 26.0;
/// Space between one column of boxes and the next, for lines and their labels.
const COLUMN: f64 = 84.0;
/// Height of a node, and of a part's title.
const HEIGHT: f64 = 40.0;
const TITLE: f64 = 20.0;
/// Width of a character, and what a box has besides those of its text.
const CHARACTER: f64 = 7.0;
const SIDES: f64 = 24.0;
/// Height that a passing line takes.
const LINE: f64 = 12.0;

/// A rectangle: its upper left corner and its size, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Places of everything in a picture.
#[derive(Debug)]
pub(super) struct Layout {
    pub nodes: Vec<Area>,
    pub groups: Vec<Area>,
    pub outputs: Vec<Area>,
    pub width: f64,
    pub height: f64,
    /// Places where lines pass, with the groups that they are in.
    ways: Vec<(Option<usize>, Area)>,
    /// The places that a line passes from one thing of a group to another.
    passes: BTreeMap<(Option<usize>, Item, Item), Vec<usize>>,
}

/// Something that has a place beside others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Item {
    Node(usize),
    Group(usize),
    Output(usize),
    /// Where lines come into a group.
    Entry,
    /// Where they leave it.
    Exit,
    /// Where a line passes.
    Way(usize),
}

/// Lays the picture out.
pub(super) fn lay(picture: &Picture<'_>) -> Layout {
    let text = |text: &str| text.chars().count() as f64 * CHARACTER + SIDES;
    let node =
        |name: &str, ty: &str| Area { width: text(name).max(text(ty)), height: HEIGHT, ..Area::default() };
    let mut layout = Layout {
        nodes: picture.nodes.iter().map(|one| node(one.name, &one.ty)).collect(),
        groups: vec![Area::default(); picture.groups.len()],
        outputs: picture.outputs.iter().map(|(name, ..)| node(name, "")).collect(),
        width: 0.0,
        height: 0.0,
        ways: vec![],
        passes: BTreeMap::new(),
    };
    let size = inside(picture, None, &mut layout);
    layout.move_all(picture, None, (GAP, GAP));
    (layout.width, layout.height) = (size.0 + 2.0 * GAP, size.1 + 2.0 * GAP);
    layout
}

/// Lays out what is in a group, from its own corner on; gives the size that this takes.
fn inside(picture: &Picture<'_>, group: Option<usize>, layout: &mut Layout) -> (f64, f64) {
    let (nodes, groups) = picture.inside(group);
    let mut items: Vec<Item> = nodes.map(Item::Node).collect();
    for number in groups {
        let (width, height) = inside(picture, Some(number), layout);
        let title = picture.groups[number].name.chars().count() as f64 * CHARACTER + SIDES;
        layout.groups[number].width = width.max(title) + 2.0 * GAP;
        layout.groups[number].height = height + 2.0 * GAP + TITLE;
        layout.move_all(picture, Some(number), (GAP, GAP + TITLE));
        items.push(Item::Group(number));
    }
    if group.is_none() {
        items.extend((0..picture.outputs.len()).map(Item::Output));
    }
    let edges = edges(picture, group);
    for end in [Item::Entry, Item::Exit] {
        if edges.iter().any(|(from, to)| *from == end || *to == end) {
            items.push(end);
        }
    }
    let columns = layout.place(&items, &edges);
    let mut passing = vec![];
    for (from, to) in edges {
        let between = columns[&from] + 1..columns[&to].max(columns[&from] + 1);
        let ways: Vec<usize> = (layout.ways.len()..).take(between.len()).collect();
        layout.ways.extend(ways.iter().map(|_| (group, Area { height: LINE, ..Area::default() })));
        let stations: Vec<Item> =
            [from].into_iter().chain(ways.iter().copied().map(Item::Way)).chain([to]).collect();
        passing.extend(stations.windows(2).map(|pair| (pair[0], pair[1])));
        items.extend(ways.iter().copied().map(Item::Way));
        layout.passes.insert((group, from, to), ways);
    }
    layout.place(&items, &passing);
    let boxes = items.iter().filter(|item| !matches!(item, Item::Entry | Item::Exit));
    let areas: Vec<Area> = boxes.map(|item| layout.area(*item)).collect();
    let most = |of: fn(&Area) -> f64| areas.iter().map(of).fold(0.0, f64::max);
    (most(|area| area.x + area.width), most(|area| area.y + area.height))
}

/// Which things of `group` lines go between, once each.
fn edges(picture: &Picture<'_>, group: Option<usize>) -> Vec<(Item, Item)> {
    let arrows = picture.arrows.iter().map(|arrow| (Item::Node(arrow.from), Item::Node(arrow.to)));
    let outputs = picture.outputs.iter().enumerate();
    let outputs = outputs.map(|(number, (_, node, _))| (Item::Node(*node), Item::Output(number)));
    let mut edges: Vec<(Item, Item)> = arrows
        .chain(outputs)
        .filter_map(|(from, to)| match (within(picture, from, group), within(picture, to, group)) {
            (Some(from), Some(to)) if from != to => Some((from, to)),
            (Some(from), None) => Some((from, Item::Exit)),
            (None, Some(to)) => Some((Item::Entry, to)),
            _ => None,
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// What of `group` something is, or is in.
fn within(picture: &Picture<'_>, item: Item, group: Option<usize>) -> Option<Item> {
    let mut at = item;
    loop {
        let around = match at {
            Item::Node(number) => picture.nodes[number].group,
            Item::Group(number) => picture.groups[number].parent,
            Item::Output(_) | Item::Entry | Item::Exit | Item::Way(_) => None,
        };
        if around == group {
            return Some(at);
        }
        at = Item::Group(around?);
    }
}

impl Layout {
    /// Places items beside one another, from the corner on; gives each one's column.
    fn place(&mut self, items: &[Item], edges: &[(Item, Item)]) -> BTreeMap<Item, usize> {
        let index: BTreeMap<Item, u32> = items.iter().copied().zip(0..).collect();
        let edges: Vec<(u32, u32)> = edges.iter().map(|(from, to)| (index[from], index[to])).collect();
        // The library lays out from the top to the bottom.
        let size = |item: &Item| {
            let area = self.area(*item);
            let gap = if matches!(item, Item::Way(_)) { 0.0 } else { GAP };
            (area.height + gap, area.width + COLUMN)
        };
        let sizes: Vec<(u32, (f64, f64))> = (0..).zip(items.iter().map(size)).collect();
        let config = Config { vertex_spacing: 0.0, ..Config::default() };
        let mut columns = BTreeMap::new();
        let mut below = 0.0;
        for (places, ..) in from_vertices_and_edges(&sizes, &edges, &config) {
            let mut rows: Vec<f64> = places.iter().map(|(_, (_, row))| *row).collect();
            rows.sort_by(f64::total_cmp);
            rows.dedup_by(|a, b| (*a - *b).abs() < 1.0);
            // Boxes of a column begin at the same place, wherever the library has their middles.
            let mut widest = vec![0.0_f64; rows.len()];
            let column = |row: f64| rows.partition_point(|known| *known < row - 0.5);
            for (number, (_, row)) in &places {
                let wide = &mut widest[column(*row)];
                *wide = wide.max(sizes[*number].1.1);
            }
            let left: Vec<f64> =
                widest.iter().scan(0.0, |sum, wide| Some(std::mem::replace(sum, *sum + wide))).collect();
            let top = |number: &usize, x: f64| x - sizes[*number].1.0 / 2.0;
            let least = places.iter().map(|(number, (x, _))| top(number, *x)).fold(f64::INFINITY, f64::min);
            let mut lowest = below;
            for (number, (x, row)) in &places {
                let (item, column) = (items[*number], column(*row));
                columns.insert(item, column);
                let (y, wide) = (top(number, *x) - least + below, widest[column] - COLUMN);
                let Some(area) = self.area_mut(item) else { continue };
                (area.x, area.y) = (left[column] + (wide - area.width) / 2.0, y);
                lowest = f64::max(lowest, area.y + area.height + GAP);
            }
            below = lowest;
        }
        columns
    }

    /// Where the line from one node to another thing passes, in order.
    pub(super) fn way(&self, picture: &Picture<'_>, from: usize, to: Item) -> Vec<(f64, f64)> {
        let around = |item: Item| match item {
            Item::Node(number) => picture.nodes[number].group,
            Item::Group(number) => picture.groups[number].parent,
            _ => None,
        };
        let mut pairs = vec![];
        let mut at = Item::Node(from);
        // Out of groups that the target is not in …
        while within(picture, to, around(at)).is_none() {
            let Some(group) = around(at) else { break };
            pairs.push((Some(group), at, Item::Exit));
            at = Item::Group(group);
        }
        let mut into = vec![];
        let common = around(at);
        let mut target = to;
        while around(target) != common {
            let Some(group) = around(target) else { break };
            into.push((Some(group), Item::Entry, target));
            target = Item::Group(group);
        }
        pairs.push((common, at, target));
        pairs.extend(into.into_iter().rev());
        let ways = pairs.iter().filter_map(|pair| self.passes.get(pair)).flatten();
        ways.map(|way| self.ways[*way].1).map(|area| (area.x, area.y + area.height / 2.0)).collect()
    }

    fn area(&self, item: Item) -> Area {
        match item {
            Item::Node(number) => self.nodes[number],
            Item::Group(number) => self.groups[number],
            Item::Output(number) => self.outputs[number],
            Item::Way(number) => self.ways[number].1,
            Item::Entry | Item::Exit => Area::default(),
        }
    }

    fn area_mut(&mut self, item: Item) -> Option<&mut Area> {
        match item {
            Item::Node(number) => self.nodes.get_mut(number),
            Item::Group(number) => self.groups.get_mut(number),
            Item::Output(number) => self.outputs.get_mut(number),
            Item::Way(number) => self.ways.get_mut(number).map(|(_, area)| area),
            Item::Entry | Item::Exit => None,
        }
    }

    /// Moves what is in a group on; at last, with everything placed in its own group, from group to group to where it is in the picture.
    fn move_all(&mut self, picture: &Picture<'_>, group: Option<usize>, (x, y): (f64, f64)) {
        let (nodes, groups) = picture.inside(group);
        for number in nodes {
            self.nodes[number].x += x;
            self.nodes[number].y += y;
        }
        for (_, area) in self.ways.iter_mut().filter(|(of, _)| *of == group) {
            area.x += x;
            area.y += y;
        }
        for number in groups {
            self.groups[number].x += x;
            self.groups[number].y += y;
            if group.is_none() {
                self.settle(picture, number);
            }
        }
        if group.is_none() {
            for area in &mut self.outputs {
                area.x += x;
                area.y += y;
            }
        }
    }

    /// Moves what is in a placed group to where the group is.
    fn settle(&mut self, picture: &Picture<'_>, group: usize) {
        let Area { x, y, .. } = self.groups[group];
        self.move_all(picture, Some(group), (x, y));
        for number in picture.inside(Some(group)).1 {
            self.settle(picture, number);
        }
    }
}
