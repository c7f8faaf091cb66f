//! From face units to the expression coefficients of a pack, and back.

use super::{COUNT, Units, canonical};
use crate::pack::Pack;

/// Of how much the least of a coefficient that goes both ways is: the bundled packs' lids open and brows fall by so much.
const BACK: f32 = -0.4;

/// How the bundled packs' coefficients are made of units, and units of them.
struct Part {
    name: &'static str,
    /// Units that add to it, with their weights.
    takes: &'static [(&'static str, f32)],
    /// Units that a coefficient above 0 is written as, each as far as it.
    above: &'static [&'static str],
    /// Units that a coefficient below 0 is written as, and the coefficient at which they are 1.
    below: (&'static [&'static str], f32),
}

/// A unit that has a counterpart counts half for each side.
///
/// - `wide` draws the corners apart without raising them: that is the stretch and, half of it, the dimple. A smile is a coefficient of its
///   own, which widens the mouth by itself.
/// - `pucker` is the kiss; a funnel rounds the lips, too, but leaves them open and comes half as far forward.
/// - `press` shuts the gap between the lips, which is what `mouthClose` does to an open jaw, and rolls them in.
/// - `smile` below 0 draws the corners down.
/// - Lids: a squint shuts a fifth of the eye, wide eyes are lids beyond open.
/// - `brow` is one for both: half of it is the inner unit, a quarter each outer one.
/// - `gaze_x` is to the image's right, where the person's left is: out for the left eye, in for the right one.
const PARTS: [Part; 12] = [
    Part { name: "jaw", takes: &[("jawOpen", 1.0)], above: &["jawOpen"], below: (&[], -1.0) },
    Part {
        name: "wide",
        takes: &[
            ("mouthStretchLeft", 0.5),
            ("mouthStretchRight", 0.5),
            ("mouthDimpleLeft", 0.25),
            ("mouthDimpleRight", 0.25),
        ],
        above: &["mouthStretchLeft", "mouthStretchRight"],
        below: (&[], -1.0),
    },
    Part {
        name: "pucker",
        takes: &[("mouthPucker", 1.0), ("mouthFunnel", 0.5)],
        above: &["mouthPucker"],
        below: (&[], -1.0),
    },
    Part {
        name: "press",
        takes: &[
            ("mouthClose", 1.0),
            ("mouthPressLeft", 0.5),
            ("mouthPressRight", 0.5),
            ("mouthRollLower", 0.25),
            ("mouthRollUpper", 0.25),
        ],
        above: &["mouthPressLeft", "mouthPressRight"],
        below: (&[], -1.0),
    },
    Part {
        name: "smile",
        takes: &[
            ("mouthSmileLeft", 0.5),
            ("mouthSmileRight", 0.5),
            ("mouthFrownLeft", BACK / 2.0),
            ("mouthFrownRight", BACK / 2.0),
        ],
        above: &["mouthSmileLeft", "mouthSmileRight"],
        below: (&["mouthFrownLeft", "mouthFrownRight"], BACK),
    },
    Part {
        name: "upper_raise",
        takes: &[("mouthUpperUpLeft", 0.5), ("mouthUpperUpRight", 0.5)],
        above: &["mouthUpperUpLeft", "mouthUpperUpRight"],
        below: (&[], -1.0),
    },
    Part {
        name: "lower_drop",
        takes: &[("mouthLowerDownLeft", 0.5), ("mouthLowerDownRight", 0.5)],
        above: &["mouthLowerDownLeft", "mouthLowerDownRight"],
        below: (&[], -1.0),
    },
    Part {
        name: "blink_left",
        takes: &[("eyeBlinkLeft", 1.0), ("eyeSquintLeft", 0.2), ("eyeWideLeft", BACK)],
        above: &["eyeBlinkLeft"],
        below: (&["eyeWideLeft"], BACK),
    },
    Part {
        name: "blink_right",
        takes: &[("eyeBlinkRight", 1.0), ("eyeSquintRight", 0.2), ("eyeWideRight", BACK)],
        above: &["eyeBlinkRight"],
        below: (&["eyeWideRight"], BACK),
    },
    Part {
        name: "brow",
        takes: &[
            ("browInnerUp", 0.5),
            ("browOuterUpLeft", 0.25),
            ("browOuterUpRight", 0.25),
            ("browDownLeft", BACK / 2.0),
            ("browDownRight", BACK / 2.0),
        ],
        above: &["browInnerUp", "browOuterUpLeft", "browOuterUpRight"],
        below: (&["browDownLeft", "browDownRight"], BACK),
    },
    Part {
        name: "gaze_x",
        takes: &[
            ("eyeLookOutLeft", 0.5),
            ("eyeLookInRight", 0.5),
            ("eyeLookInLeft", -0.5),
            ("eyeLookOutRight", -0.5),
        ],
        above: &["eyeLookOutLeft", "eyeLookInRight"],
        below: (&["eyeLookInLeft", "eyeLookOutRight"], -1.0),
    },
    Part {
        name: "gaze_y",
        takes: &[
            ("eyeLookUpLeft", 0.5),
            ("eyeLookUpRight", 0.5),
            ("eyeLookDownLeft", -0.5),
            ("eyeLookDownRight", -0.5),
        ],
        above: &["eyeLookUpLeft", "eyeLookUpRight"],
        below: (&["eyeLookDownLeft", "eyeLookDownRight"], -1.0),
    },
];

/// A part of [`PARTS`] with units as places in [`UNITS`](super::UNITS).
struct Blend {
    takes: Vec<(usize, f32)>,
    above: Vec<usize>,
    below: (Vec<usize>, f32),
    bounds: [f32; 2],
}

/// Where a coefficient comes from.
enum Source {
    /// The unit of its name, as it is.
    Unit(usize),
    /// Several units.
    Blend(Blend),
    /// Nothing: no unit says anything of it.
    Nothing,
}

/// How a pack's coefficients and the units go together.
pub(crate) struct Mapping {
    sources: Vec<Source>,
    /// Names of coefficients of which no unit says anything.
    pub(crate) unmapped: Vec<String>,
    /// Whether some are blends: lips that shut over an open jaw are then written as such.
    blends: bool,
}

impl Mapping {
    /// That of `pack`: by names of its expression's coefficients.
    pub(crate) fn of(pack: &Pack) -> Self {
        let bounds = pack.expression_bounds().unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        Self::by_names(pack.expression(), |name| pack.regions().of(name).bounds(bounds))
    }

    /// That of coefficients called `names`, each of which stays within `bounds` where it is a blend.
    pub(crate) fn by_names(names: &[String], bounds: impl Fn(&str) -> [f32; 2]) -> Self {
        let place = |&name: &&str| canonical(name);
        let source = |name: &String| {
            if let Some(unit) = canonical(name).filter(|&unit| super::UNITS[unit] == name) {
                return Source::Unit(unit);
            }
            let Some(part) = PARTS.iter().find(|part| part.name == name) else { return Source::Nothing };
            Source::Blend(Blend {
                takes: part.takes.iter().filter_map(|(unit, w)| Some((canonical(unit)?, *w))).collect(),
                above: part.above.iter().filter_map(place).collect(),
                below: (part.below.0.iter().filter_map(place).collect(), part.below.1),
                bounds: bounds(name),
            })
        };
        let sources: Vec<_> = names.iter().map(source).collect();
        let nothing = names.iter().zip(&sources).filter(|(_, source)| matches!(source, Source::Nothing));
        Self {
            unmapped: nothing.map(|(name, _)| name.clone()).collect(),
            blends: sources.iter().any(|source| matches!(source, Source::Blend(_))),
            sources,
        }
    }

    /// Whether no unit says anything of any coefficient.
    pub(crate) fn is_empty(&self) -> bool {
        self.unmapped.len() == self.sources.len()
    }

    /// The coefficients of a face whose units are `units`, times `gain`.
    pub(crate) fn coefficients(&self, units: &Units, gain: f32) -> impl Iterator<Item = f32> {
        self.sources.iter().map(move |source| match source {
            Source::Unit(unit) => gain * units[*unit],
            Source::Blend(Blend { takes, bounds: [low, high], .. }) => {
                let sum: f32 = takes.iter().map(|&(unit, weight)| weight * units[unit]).sum();
                (gain * sum).clamp(*low, *high)
            }
            Source::Nothing => 0.0,
        })
    }

    /// The units of a face with these `coefficients`, and whether some of them had to be cut to [0,1] or has no unit.
    pub(crate) fn units(&self, coefficients: &[f32]) -> (Units, bool) {
        let (mut units, mut cut) = ([0.0; COUNT], false);
        for (source, &value) in self.sources.iter().zip(coefficients) {
            match source {
                Source::Unit(unit) => units[*unit] = value,
                Source::Blend(Blend { above, below, .. }) => {
                    let (places, value) =
                        if value < 0.0 { (&below.0, value / below.1) } else { (above, value) };
                    places.iter().for_each(|&unit| units[unit] = value);
                    cut |= places.is_empty() && value > 1e-6;
                }
                Source::Nothing => cut |= value != 0.0,
            }
        }
        for unit in &mut units {
            let within = unit.clamp(0.0, 1.0);
            cut |= (within - *unit).abs() > 1e-6;
            *unit = within;
        }
        if self.blends {
            close_over_jaw(&mut units);
        }
        (units, cut)
    }
}

/// Lips that are pressed while the jaw is open are closed over it: what `mouthClose` says. It goes no further than the jaw is open.
fn close_over_jaw(units: &mut Units) {
    let places = ["jawOpen", "mouthClose", "mouthPressLeft", "mouthPressRight"].map(canonical);
    let [Some(jaw), Some(close), Some(left), Some(right)] = places else { return };
    let over = units[jaw].min(units[left]).min(units[right]).max(0.0);
    units[close] = over;
    units[left] -= over;
    units[right] -= over;
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn names() -> Vec<String> {
        PARTS.iter().map(|part| part.name.to_owned()).collect()
    }

    #[test]
    fn every_unit_of_the_table_is_one() {
        for part in &PARTS {
            let all = part.takes.iter().map(|(unit, _)| unit).chain(part.above).chain(part.below.0);
            for unit in all {
                assert!(super::super::UNITS.contains(unit), "{}: {unit}", part.name);
            }
            // What it is written as gives it back.
            let weight = |units: &[&str]| -> f32 {
                part.takes.iter().filter(|(unit, _)| units.contains(unit)).map(|(_, weight)| weight).sum()
            };
            assert!((weight(part.above) - 1.0).abs() < 1e-6, "{}", part.name);
            if !part.below.0.is_empty() {
                assert!((weight(part.below.0) - part.below.1).abs() < 1e-6, "{}", part.name);
            }
        }
    }
}
