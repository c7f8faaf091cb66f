//! Pictures in SVG.

use std::fmt::Write as _;

use super::{
    Arrow, ENDS, PART, Picture,
    layout::{self, Area, Item},
    mermaid::escaped,
};

const FONT: &str = "Helvetica, Arial, sans-serif";
const LINE: &str = "#555555";

/// The graph as an SVG picture. Thick lines are sequences.
pub fn svg(picture: &Picture<'_>) -> String {
    let layout = layout::lay(picture);
    let (width, height) = (layout.width.ceil(), layout.height.ceil());
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"{FONT}\">\n"
    );
    _ = writeln!(text, "<title>{}</title>", escaped(picture.name));
    text += &format!(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"{LINE}\"/></marker></defs>\n"
    );
    text += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    for (group, area) in picture.groups.iter().zip(&layout.groups) {
        _ = writeln!(text, "<rect {} rx=\"8\" fill=\"{PART}\" stroke=\"#999999\"/>", frame(*area));
        _ = writeln!(
            text,
            "<text x=\"{:.0}\" y=\"{:.0}\" font-size=\"12\" font-weight=\"bold\" fill=\"#444444\">{}</text>",
            area.x + 12.0,
            area.y + 18.0,
            escaped(group.name)
        );
    }
    let mut taken: Vec<Area> = layout.nodes.iter().chain(&layout.outputs).copied().collect();
    let mut labels = String::new();
    let mut line = |from: usize, to: Item, label: &str, sequence: bool, tells: &str| {
        let start = layout.nodes[from];
        let end = match to {
            Item::Output(number) => layout.outputs[number],
            Item::Node(number) => layout.nodes[number],
            _ => return,
        };
        let mut points = vec![(start.x + start.width, start.y + start.height / 2.0)];
        points.extend(layout.way(picture, from, to));
        points.push((end.x - 1.0, end.y + end.height / 2.0));
        let curves: Vec<Curve> = points.windows(2).map(|pair| Curve::between(pair[0], pair[1])).collect();
        let wide = if sequence { 2.2 } else { 1.1 };
        let way: String = curves.iter().map(Curve::drawn).collect();
        let (x, y) = points[0];
        _ = writeln!(
            text,
            "<path d=\"M{x:.0} {y:.0}{way}\" fill=\"none\" stroke=\"{LINE}\" stroke-width=\"{wide}\" marker-end=\"url(#tip)\"><title>{tells}</title></path>"
        );
        labels.extend(placed(label, &curves, &mut taken));
    };
    // Several connections of the same two nodes are one line with several names.
    let mut arrows: Vec<&Arrow<'_>> = picture.arrows.iter().collect();
    arrows.sort_by_key(|arrow| (arrow.from, arrow.to));
    for arrows in arrows.chunk_by(|a, b| (a.from, a.to) == (b.from, b.to)) {
        let first = &arrows[0];
        let names: Vec<String> = arrows.iter().map(|arrow| arrow.label()).collect();
        let sequence = arrows.iter().any(|arrow| arrow.sequence);
        let (from, to) = (&picture.nodes[first.from], &picture.nodes[first.to]);
        let tells = format!("{} to {}: {}", escaped(from.id), escaped(to.id), escaped(&names.join(", ")));
        let mut inputs: Vec<&str> = arrows.iter().map(|arrow| arrow.input).collect();
        inputs.dedup();
        line(first.from, Item::Node(first.to), &inputs.join(", "), sequence, &tells);
    }
    for (number, (name, node, port)) in picture.outputs.iter().enumerate() {
        let tells = format!("{}.{port} is the output {}", escaped(picture.nodes[*node].id), escaped(name));
        line(*node, Item::Output(number), port, false, &tells);
    }
    for (node, area) in picture.nodes.iter().zip(&layout.nodes) {
        let round = if node.is_input { area.height / 2.0 } else { 6.0 };
        let twice = if node.is_part { " stroke-width=\"2.5\"" } else { "" };
        let mark = node.mark.map(|mark| format!(" ({})", mark.name())).unwrap_or_default();
        _ = writeln!(text, "<g><title>{}: {}{mark}</title>", escaped(node.id), escaped(&node.ty));
        _ = writeln!(
            text,
            "<rect {} rx=\"{round:.0}\" fill=\"{}\" stroke=\"#333333\"{twice}/>",
            frame(*area),
            node.fill()
        );
        _ = writeln!(text, "{}{}</g>", word(*area, node.name, 17.0, 12), word(*area, &node.ty, 31.0, 10));
    }
    for ((name, ..), area) in picture.outputs.iter().zip(&layout.outputs) {
        let round = area.height / 2.0;
        _ = writeln!(text, "<rect {} rx=\"{round:.0}\" fill=\"{ENDS}\" stroke=\"#333333\"/>", frame(*area));
        _ = writeln!(text, "{}", word(*area, name, 24.0, 12));
    }
    text + &labels + "</svg>\n"
}

fn frame(Area { x, y, width, height }: Area) -> String {
    format!("x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\"")
}

/// A text in the middle of a box, so far below its upper edge.
fn word(area: Area, text: &str, below: f64, size: u32) -> String {
    format!(
        "<text x=\"{:.0}\" y=\"{:.0}\" font-size=\"{size}\" text-anchor=\"middle\" fill=\"#222222\">{}</text>",
        area.x + area.width / 2.0,
        area.y + below,
        escaped(text)
    )
}

/// A cubic Bézier curve that begins and ends level.
struct Curve([(f64, f64); 4]);

impl Curve {
    fn between(from: (f64, f64), to: (f64, f64)) -> Self {
        let reach = ((to.0 - from.0) / 2.0).clamp(12.0, 160.0);
        Self([from, (from.0 + reach, from.1), (to.0 - reach, to.1), to])
    }

    fn drawn(&self) -> String {
        let Self([_, (ax, ay), (bx, by), (x, y)]) = self;
        format!("C{ax:.0} {ay:.0} {bx:.0} {by:.0} {x:.0} {y:.0}")
    }

    fn at(&self, t: f64) -> (f64, f64) {
        let (s, Self([a, b, c, d])) = (1.0 - t, self);
        let mix = |a: f64, b: f64, c: f64, d: f64| {
            s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
        };
        (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1))
    }
}

/// A line's label where there is room for it on the line; without any it stays away, for the line's title says the same.
fn placed(label: &str, curves: &[Curve], taken: &mut Vec<Area>) -> Option<String> {
    let (width, height) = (label.chars().count() as f64 * 4.9 + 4.0, 11.0);
    let near_end = curves.iter().rev().flat_map(|curve| [0.5, 0.62, 0.38, 0.75, 0.25].map(|t| curve.at(t)));
    let mut areas = near_end.map(|(x, y)| Area { x: x - width / 2.0, y: y - height, width, height });
    let free = |area: &Area| {
        taken.iter().all(|other| {
            area.x + area.width < other.x
                || other.x + other.width < area.x
                || area.y + area.height < other.y
                || other.y + other.height < area.y
        })
    };
    let area = areas.find(free)?;
    taken.push(area);
    Some(format!(
        "<text x=\"{:.0}\" y=\"{:.0}\" font-size=\"9\" fill=\"#333333\" text-anchor=\"middle\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">{}</text>\n",
        area.x + width / 2.0,
        area.y + height - 2.0,
        escaped(label)
    ))
}
