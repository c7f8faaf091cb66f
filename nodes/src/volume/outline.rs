//! The head's outline, finer than rays.
//!
//! Alpha is all but binary at the pitch of rays: a hard edge, sampled once a ray. Where it runs between two neighbouring rays is found by
//! rays cast between them; a line through the places found, as marching squares draw it (Lorensen and Cline 1987), is the edge in a
//! cell of four rays.

use super::Camera;
use crate::{error::Result, models::Models, runtime::Values};

/// Pixels of the finer picture along a ray's pixel.
pub const FINER: usize = 4;
/// The edge runs where alpha crosses this.
const EDGE: f32 = 0.5;
/// Times that the place of the edge between two rays is halved; then it is interpolated.
const HALVINGS: usize = 2;
/// The edge keeps this far from rays, so that the line in a cell always has a direction.
const CLEAR: f32 = 0.02;

/// How much of the way to the next ray, to the right and down, lies before the edge; 0 where no edge runs.
#[derive(Clone)]
pub struct Outline {
    /// R.
    side: usize,
    /// By ray: to the right, down.
    parts: Vec<[f32; 2]>,
}

/// An edge between two neighbouring rays.
struct Crossing {
    /// The left or upper ray.
    ray: usize,
    /// 0: to the right, 1: down.
    axis: usize,
    /// Between which parts of the way it is, and alpha there.
    low: (f32, f32),
    high: (f32, f32),
}

/// What is rendered.
pub struct Scene<'a> {
    /// Models with the roles `depths` and `render`.
    pub models: &'a Models,
    /// The person.
    pub state: &'a Values,
    /// The tensors of the frame's displacement.
    pub bend: &'a Values,
    /// From where.
    pub camera: &'a Camera,
}

impl Outline {
    /// Of nothing, for a picture of `side` x `side` rays.
    pub fn none(side: usize) -> Self {
        Self { side, parts: vec![[0.0; 2]; side * side] }
    }

    /// The outline that a scene of `alpha` [R,R] has. Between two rays that are both not `fresh`, it is that of `self`.
    pub fn find(&self, scene: &Scene<'_>, alpha: &[f32], fresh: impl Fn(usize) -> bool) -> Result<Self> {
        let mut found = Self::none(self.side);
        let mut open = vec![];
        for ray in 0..alpha.len() {
            for axis in 0..2 {
                let Some(next) = self.next(ray, axis) else { continue };
                if (alpha[ray] >= EDGE) == (alpha[next] >= EDGE) {
                    continue;
                }
                match self.parts[ray][axis] {
                    known if known > 0.0 && !fresh(ray) && !fresh(next) => found.parts[ray][axis] = known,
                    _ => open.push(Crossing { ray, axis, low: (0.0, alpha[ray]), high: (1.0, alpha[next]) }),
                }
            }
        }
        if open.is_empty() {
            return Ok(found);
        }
        for _ in 0..HALVINGS {
            let middle = |crossing: &Crossing| (crossing.low.0 + crossing.high.0) / 2.0;
            let places: Vec<_> = open.iter().map(|crossing| self.place(crossing, middle(crossing))).collect();
            let rays = scene.camera.through(&places)?.sample(scene.models, scene.state)?;
            let rendered = rays.march(scene.models, scene.state, scene.bend)?.tensor("alpha")?;
            for (crossing, &alpha) in open.iter_mut().zip(rendered.as_f32()?) {
                let between = (middle(crossing), alpha);
                let as_low = (alpha >= EDGE) == (crossing.low.1 >= EDGE);
                *(if as_low { &mut crossing.low } else { &mut crossing.high }) = between;
            }
        }
        for Crossing { ray, axis, low, high } in open {
            let part = low.0 + (high.0 - low.0) * (EDGE - low.1) / (high.1 - low.1);
            found.parts[ray][axis] = part.clamp(CLEAR, 1.0 - CLEAR);
        }
        Ok(found)
    }

    /// The ray to the right of `ray` or below it.
    fn next(&self, ray: usize, axis: usize) -> Option<usize> {
        let (step, at) = if axis == 0 { (1, ray % self.side) } else { (self.side, ray / self.side) };
        (at + 1 < self.side).then_some(ray + step)
    }

    /// The place at this part of the way that `crossing` is on.
    fn place(&self, crossing: &Crossing, part: f32) -> [f32; 2] {
        let mut place = [crossing.ray % self.side, crossing.ray / self.side].map(|x| x as f32 + 0.5);
        place[crossing.axis] += part;
        place
    }

    /// `alpha` [R,R] with this outline as [`FINER`]·R x [`FINER`]·R bytes.
    pub fn draw(&self, alpha: &[f32]) -> Vec<u8> {
        use rayon::prelude::*;
        let (side, width) = (self.side, FINER * self.side);
        let mut fine = vec![0; width * width];
        let byte = |alpha: f32| (alpha * 255.0 + 0.5) as u8;
        let columns: Vec<_> = (0..width).map(|pixel| between(pixel, side)).collect();
        fine.par_chunks_mut(width).enumerate().for_each(|(line, fine)| {
            let (row, down) = between(line, side);
            let (upper, lower) =
                (&alpha[row * side..][..side], &alpha[(row + 1).min(side - 1) * side..][..side]);
            let mixed: Vec<f32> = upper.iter().zip(lower).map(|(a, b)| a + down * (b - a)).collect();
            for (fine, &(column, right)) in fine.iter_mut().zip(&columns) {
                let next = mixed[(column + 1).min(side - 1)];
                *fine = byte(mixed[column] + right * (next - mixed[column]));
            }
            // Where an edge runs, it is drawn over that.
            for column in 0..side - 1 {
                let sides =
                    [upper[column], upper[column + 1], lower[column], lower[column + 1]].map(|x| x >= EDGE);
                if sides == [sides[0]; 4] {
                    continue;
                }
                let cell = self.cell(alpha, row * side + column);
                let first = if column == 0 { 0 } else { FINER * column + FINER / 2 };
                let end = if column == side - 2 { width } else { FINER * (column + 1) + FINER / 2 };
                for (fine, (_, right)) in fine[first..end].iter_mut().zip(&columns[first..end]) {
                    *fine = byte(cell.at([*right, down]));
                }
            }
        });
        fine
    }

    /// What lies between ray `first`, the next, and the two below them.
    fn cell(&self, alpha: &[f32], first: usize) -> Cell {
        let side = self.side;
        let rays = [first, first + 1, first + side, first + side + 1];
        let alpha = rays.map(|ray| alpha[ray]);
        let [up, left] = self.parts[first];
        let [right, down] = [self.parts[first + 1][1], self.parts[first + side][0]];
        Cell { alpha, crossings: [[up, 0.0], [0.0, left], [1.0, right], [down, 1.0]] }
    }
}

/// The cell and the place in it of pixel `pixel` of the finer picture, along an axis.
fn between(pixel: usize, side: usize) -> (usize, f32) {
    let at = ((pixel as f32 + 0.5) / FINER as f32 - 0.5).clamp(0.0, (side - 1) as f32);
    let cell = (at as usize).min(side.saturating_sub(2));
    (cell, at - cell as f32)
}

/// Four rays, upper ones first, and where the edge crosses the sides of the square between them: above, left, right, below.
struct Cell {
    alpha: [f32; 4],
    crossings: [[f32; 2]; 4],
}

/// By corner of a cell, the two sides that meet there.
const SIDES: [[usize; 2]; 4] = [[0, 1], [0, 2], [3, 1], [3, 2]];
/// By corner, where it is.
const CORNERS: [[f32; 2]; 4] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];

impl Cell {
    /// Alpha at `place` in [0,1] of the cell, through which an edge runs.
    fn at(&self, place: [f32; 2]) -> f32 {
        let weights = CORNERS.map(|corner| {
            let [x, y] = [0, 1].map(|axis| 1.0 - (corner[axis] - place[axis]).abs());
            x * y
        });
        let inside = self.alpha.map(|alpha| alpha >= EDGE);
        let mean = |of: bool| {
            let (mut sum, mut total) = (0.0, 0.0);
            for corner in (0..4).filter(|corner| inside[*corner] == of) {
                // no corner is without any weight, or the mean were none where only it has some
                let weight = weights[corner] + 1e-3;
                sum += weight * self.alpha[corner];
                total += weight;
            }
            sum / total
        };
        let covered = (self.depth(inside, place) * FINER as f32 + 0.5).clamp(0.0, 1.0);
        let (within, without) = (mean(true), mean(false));
        without + covered * (within - without)
    }

    /// How far `place` is inside the edge, in rays; negative outside.
    fn depth(&self, inside: [bool; 4], place: [f32; 2]) -> f32 {
        let count = inside.iter().filter(|inside| **inside).count();
        let diagonal = count == 2 && inside[0] == inside[3];
        if !diagonal && count == 2 {
            // From one side to the one that lies across.
            let ends = if inside[0] == inside[1] { [1, 2] } else { [0, 3] };
            return self.beside(ends, (0..4).find(|corner| inside[*corner]).unwrap_or(0), place);
        }
        // Corners that are cut off from the others; of a saddle, those that its middle does not belong to.
        let off = match count {
            1 => true,
            3 => false,
            _ => self.alpha.iter().sum::<f32>() < 4.0 * EDGE,
        };
        let own = (0..4).filter(|corner| inside[*corner] == off);
        let depths = own.map(|corner| self.beside(SIDES[corner], corner, place));
        let most = depths.fold(f32::NEG_INFINITY, f32::max);
        if off { most } else { -most }
    }

    /// How far `place` lies on the side of `corner` of the line between the crossings `ends`.
    fn beside(&self, ends: [usize; 2], corner: usize, place: [f32; 2]) -> f32 {
        let [from, to] = ends.map(|end| self.crossings[end]);
        let along = [to[0] - from[0], to[1] - from[1]];
        let off = |p: [f32; 2]| along[0] * (p[1] - from[1]) - along[1] * (p[0] - from[0]);
        off(place) * off(CORNERS[corner]).signum() / along[0].hypot(along[1]).max(1e-6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        testing::tiny_models,
        volume::{self, testing::person},
    };

    /// Alpha and outline of everything that is on one side of a line: where x·a + y·b > c, in rays.
    fn half([a, b, c]: [f32; 3], side: usize) -> (Vec<f32>, Outline) {
        let off = |ray: usize, right: f32, down: f32| {
            a * ((ray % side) as f32 + 0.5 + right) + b * ((ray / side) as f32 + 0.5 + down) - c
        };
        let alpha: Vec<f32> = (0..side * side).map(|ray| f32::from(off(ray, 0.0, 0.0) > 0.0)).collect();
        let mut outline = Outline::none(side);
        for ray in 0..side * side {
            for (axis, (right, down)) in [(1.0, 0.0), (0.0, 1.0)].into_iter().enumerate() {
                let (here, there) = (off(ray, 0.0, 0.0), off(ray, right, down));
                if outline.next(ray, axis).is_some() && (here > 0.0) != (there > 0.0) {
                    outline.parts[ray][axis] = here / (here - there);
                }
            }
        }
        (alpha, outline)
    }

    #[test]
    fn a_straight_edge_is_drawn_straight() {
        let side = 9;
        for line in
            [[1.0, 0.0, 4.2], [0.0, -1.0, -3.1], [0.8, 0.6, 6.0], [-0.6, 0.8, 1.33], [0.28, 0.96, 5.5]]
        {
            let (alpha, outline) = half(line, side);
            let fine = outline.draw(&alpha);
            for (pixel, &fine) in fine.iter().enumerate() {
                let at = |x: usize| (x as f32 + 0.5) / FINER as f32;
                let (x, y) = (at(pixel % (FINER * side)), at(pixel / (FINER * side)));
                let inner = |x: f32| x > 0.5 && x < side as f32 - 0.5;
                let off = line[0] * x + line[1] * y - line[2];
                let expected = (off * FINER as f32 + 0.5).clamp(0.0, 1.0) * 255.0;
                assert!(
                    !inner(x) || !inner(y) || (f32::from(fine) - expected).abs() < 2.0,
                    "{line:?} at {x},{y}"
                );
            }
        }
    }

    /// A corner alone, all but a corner, and two across: parted where little is seen, joined where much is.
    #[test]
    fn corners_are_cut_off() {
        let cell =
            |alpha: [f32; 4]| Cell { alpha, crossings: [[0.5, 0.0], [0.0, 0.5], [1.0, 0.5], [0.5, 1.0]] };
        let middle = [0.5, 0.5];
        let corner = cell([1.0, 0.0, 0.0, 0.0]);
        assert!(corner.at([0.1, 0.1]) > 0.99 && corner.at(middle) < 0.01 && corner.at([0.9, 0.9]) < 0.01);
        let hole = cell([0.0, 1.0, 1.0, 1.0]);
        assert!(hole.at([0.1, 0.1]) < 0.01 && hole.at(middle) > 0.99 && hole.at([0.9, 0.9]) > 0.99);
        let parted = cell([0.9, 0.0, 0.0, 0.9]);
        assert!(parted.at([0.1, 0.1]) > 0.85 && parted.at(middle) < 0.01 && parted.at([0.9, 0.9]) > 0.85);
        let joined = cell([1.0, 0.2, 0.2, 1.0]);
        assert!(joined.at([0.9, 0.1]) < 0.21 && joined.at(middle) > 0.99 && joined.at([0.1, 0.9]) < 0.21);
    }

    /// Alpha at the places found is what an edge has, nearer than at the rays beside it.
    #[test]
    fn edges_of_a_volume_lie_where_alpha_is_a_half() {
        let Some(models) = tiny_models() else { return };
        let state = volume::prepare(&models, &person(&models).0).unwrap();
        let (camera, bend) =
            (Camera::at(&models, [0.0, 0.2, 0.0, 0.0, 0.0, 0.0]).unwrap(), volume::rest(&models).unwrap());
        let scene = Scene { models: &models, state: &state, bend: &bend, camera: &camera };
        let render = |places: &[[f32; 2]]| {
            let rays = camera.through(places).unwrap().sample(&models, &state).unwrap();
            rays.march(&models, &state, &bend).unwrap().tensor("alpha").unwrap().as_f32().unwrap().to_vec()
        };
        let side = camera.side();
        let centres: Vec<_> =
            (0..side * side).map(|ray| [ray % side, ray / side].map(|x| x as f32 + 0.5)).collect();
        let alpha = render(&centres);
        let outline = Outline::none(side).find(&scene, &alpha, |_| true).unwrap();
        let crossed = (0..side * side).flat_map(|ray| [0, 1].map(|axis| (ray, axis)));
        let crossed: Vec<_> = crossed.filter(|(ray, axis)| outline.parts[*ray][*axis] > 0.0).collect();
        let places: Vec<_> = crossed
            .iter()
            .map(|&(ray, axis)| {
                let crossing = Crossing { ray, axis, low: (0.0, 0.0), high: (1.0, 0.0) };
                outline.place(&crossing, outline.parts[ray][axis])
            })
            .collect();
        let error = |alpha: f32| (alpha - EDGE).abs();
        let found: f32 = render(&places).into_iter().map(error).sum();
        let beside = |&(ray, axis): &(usize, usize)| {
            error(alpha[ray]).min(error(alpha[outline.next(ray, axis).unwrap()]))
        };
        let before: f32 = crossed.iter().map(beside).sum();
        assert!(
            crossed.len() > 10 && found < 0.4 * before,
            "{} edges: {found}, at rays {before}",
            crossed.len()
        );
        // known edges between rays that nothing changed are kept
        let mut odd = outline.clone();
        odd.parts.iter_mut().flatten().filter(|part| **part > 0.0).for_each(|part| *part = 0.25);
        let kept = odd.find(&scene, &alpha, |ray| ray < side * side / 2).unwrap();
        assert_eq!(kept.parts[..side * (side / 2 - 1)], outline.parts[..side * (side / 2 - 1)]);
        assert_eq!(kept.parts[side * side / 2..], odd.parts[side * side / 2..]);
    }
}
