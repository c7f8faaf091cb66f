//! BlazeFace, short range (Bazarevsky et al. 2019, arXiv:1907.05047): anchors, decoding, suppression, and a search over
//! tiles for faces that are small in their picture.

use image::RgbImage;

use crate::{
    error::{NodeError, Result},
    models::Models,
    tensor::{Tensor, Tensors},
    warp::{Border, Square, cut},
};

const SIDE: usize = 128;
/// Cells a side and anchors a cell of the two feature maps: 16² x 2 + 8² x 6 = 896.
const LAYERS: [(usize, usize); 2] = [(16, 2), (8, 6)];
const MIN_SCORE: f64 = 0.5;
const MAX_OVERLAP: f64 = 0.3;
/// A tile below this many pixels shows nothing that the tile around it did not.
const MIN_TILE: f64 = 96.0;

/// A detected face, in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Face {
    /// Left, top, right, bottom.
    pub(super) bounds: [f64; 4],
    /// Eye on the picture's left and on its right.
    pub(super) eyes: [[f64; 2]; 2],
    /// Confidence in [0,1].
    pub(super) score: f64,
}

impl Face {
    /// Area of the box in pixels.
    pub(super) fn area(&self) -> f64 {
        area(self.bounds)
    }

    /// The square that the mesh network wants to see: one and a half times the box, eyes level.
    pub(super) fn region(&self) -> Square {
        let [x0, y0, x1, y1] = self.bounds;
        let [a, b] = self.eyes;
        Square {
            centre: [(x0 + x1) / 2.0, (y0 + y1) / 2.0],
            half: 0.75 * (x1 - x0).max(y1 - y0),
            angle: (b[1] - a[1]).atan2(b[0] - a[0]),
        }
    }

    /// How much of the face's box and of `bounds` is common to both: 1 where they are one, 0 where they do not meet.
    pub(super) fn shared(&self, bounds: [f64; 4]) -> f64 {
        let width = self.bounds[2].min(bounds[2]) - self.bounds[0].max(bounds[0]);
        let height = self.bounds[3].min(bounds[3]) - self.bounds[1].max(bounds[1]);
        let common = width.max(0.0) * height.max(0.0);
        common / (area(self.bounds) + area(bounds) - common).max(f64::MIN_POSITIVE)
    }
}

fn area([left, top, right, bottom]: [f64; 4]) -> f64 {
    (right - left).max(0.0) * (bottom - top).max(0.0)
}

/// Where to look, coarse to fine: the whole picture, then tiles of its shorter side, of half and of a quarter of it,
/// each overlapping the next by half.
pub(super) fn levels(width: u32, height: u32) -> Vec<Vec<Square>> {
    let (width, height) = (f64::from(width), f64::from(height));
    let whole = Square { centre: [width / 2.0, height / 2.0], half: width.max(height) / 2.0, angle: 0.0 };
    let mut levels = vec![vec![whole]];
    let short = width.min(height);
    for side in [short, short / 2.0, short / 4.0] {
        if side < MIN_TILE || side > 0.8 * width.max(height) {
            continue;
        }
        let starts = |length: f64| {
            let count = ((length - side) / (side / 2.0)).ceil() as usize;
            (0..=count).map(move |k| if count == 0 { 0.0 } else { (length - side) * k as f64 / count as f64 })
        };
        let tile = |x: f64, y: f64| Square {
            centre: [x + side / 2.0, y + side / 2.0],
            half: side / 2.0,
            angle: 0.0,
        };
        levels.push(starts(height).flat_map(|y| starts(width).map(move |x| tile(x, y))).collect());
    }
    levels
}

/// The faces in `tiles` of `picture`, largest first.
pub(super) fn detect(models: &Models, picture: &RgbImage, tiles: &[Square]) -> Result<Vec<Face>> {
    let mut found = vec![];
    for &tile in tiles {
        let pixels =
            cut(picture, tile, SIDE, Border::Black).iter().map(|value| value / 127.5 - 1.0).collect();
        let inputs = Tensors::new().with("image", Tensor::f32([1, SIDE, SIDE, 3], pixels)?);
        let outputs = models.run("face_detector", &inputs)?;
        let (boxes, scores) = (outputs.get("boxes")?.as_f32()?, outputs.get("scores")?.as_f32()?);
        found.extend(decode(boxes, scores)?.into_iter().map(|face| place(face, tile)));
    }
    let mut faces = suppress(found);
    faces.sort_by(|a, b| b.area().total_cmp(&a.area()));
    Ok(faces)
}

/// Candidates in [0,1] of the network's input.
fn decode(boxes: &[f32], scores: &[f32]) -> Result<Vec<Face>> {
    let anchors: Vec<[f64; 2]> = anchors().collect();
    if boxes.len() != anchors.len() * 16 || scores.len() != anchors.len() {
        let (boxes, scores) = (boxes.len(), scores.len());
        return Err(NodeError::model(format!(
            "face detector: expected 896 boxes and scores, found {boxes} and {scores}"
        )));
    }
    let candidates =
        anchors.iter().zip(boxes.chunks_exact(16)).zip(scores).filter_map(|((anchor, raw), &score)| {
            let score = 1.0 / (1.0 + f64::from(-score.clamp(-100.0, 100.0)).exp());
            if score < MIN_SCORE {
                return None;
            }
            // Offsets and sizes are pixels of the input: centre, size, then six points of which the eyes come first.
            let raw = |k: usize| f64::from(raw[k]) / SIDE as f64;
            let point = |k: usize| [anchor[0] + raw(k), anchor[1] + raw(k + 1)];
            let ([x, y], w, h) = (point(0), raw(2), raw(3));
            let bounds = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
            Some(Face { bounds, eyes: [point(4), point(6)], score })
        });
    Ok(candidates.collect())
}

/// Centres of the anchors in [0,1], in the order of the network's outputs.
fn anchors() -> impl Iterator<Item = [f64; 2]> {
    LAYERS.into_iter().flat_map(|(cells, each)| {
        (0..cells * cells * each).map(move |k| {
            let cell = k / each;
            [((cell % cells) as f64 + 0.5) / cells as f64, ((cell / cells) as f64 + 0.5) / cells as f64]
        })
    })
}

fn place(face: Face, tile: Square) -> Face {
    let [x0, y0, x1, y1] = face.bounds;
    let ([x0, y0], [x1, y1]) = (tile.to_picture([x0, y0]), tile.to_picture([x1, y1]));
    Face { bounds: [x0, y0, x1, y1], eyes: face.eyes.map(|eye| tile.to_picture(eye)), ..face }
}

/// Weighted non-maximum suppression: overlapping candidates are averaged by their scores.
fn suppress(mut candidates: Vec<Face>) -> Vec<Face> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = vec![];
    while let Some(best) = candidates.first().cloned() {
        let (group, rest): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|other| best.shared(other.bounds) > MAX_OVERLAP);
        candidates = rest;
        let weight: f64 = group.iter().map(|face| face.score).sum();
        let mean =
            |of: &dyn Fn(&Face) -> f64| group.iter().map(|face| face.score * of(face)).sum::<f64>() / weight;
        faces.push(Face {
            bounds: std::array::from_fn(|k| mean(&|face| face.bounds[k])),
            eyes: std::array::from_fn(|eye| std::array::from_fn(|k| mean(&|face| face.eyes[eye][k]))),
            score: best.score,
        });
        if group.is_empty() {
            // A box without area overlaps nothing, itself included.
            candidates.remove(0);
        }
    }
    faces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f64, size: f64, score: f64) -> Face {
        Face { bounds: [x, 0.0, x + size, size], eyes: [[x, 0.0], [x + size, 0.0]], score }
    }

    #[test]
    fn there_are_896_anchors_from_the_first_to_the_last_cell() {
        let anchors: Vec<_> = anchors().collect();
        assert_eq!((anchors.len(), anchors[0], anchors[895]), (896, [0.03125; 2], [0.9375; 2]));
        assert_eq!(anchors[2], [0.09375, 0.03125]);
    }

    #[test]
    fn overlapping_candidates_become_their_weighted_mean() {
        let faces = suppress(vec![face(0.0, 10.0, 0.6), face(1.0, 10.0, 0.9), face(50.0, 10.0, 0.7)]);
        assert_eq!(faces.len(), 2);
        assert!((faces[0].bounds[0] - 0.6).abs() < 1e-9 && faces[0].score == 0.9);
    }

    #[test]
    fn empty_boxes_end() {
        assert_eq!(suppress(vec![face(0.0, 0.0, 0.9); 3]).len(), 3);
    }

    #[test]
    fn tiles_cover_the_picture() {
        for (width, height) in [(1920, 1080), (640, 480), (1000, 1000), (90, 60)] {
            let levels = levels(width, height);
            assert!(levels.len() <= 4);
            for level in &levels[1..] {
                let last = level.last().unwrap();
                assert!((last.centre[0] + last.half - f64::from(width)).abs() < 1e-6);
                assert!((last.centre[1] + last.half - f64::from(height)).abs() < 1e-6);
            }
        }
    }
}
