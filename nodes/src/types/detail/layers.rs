//! What of a person's photo stays the same in all frames: its head, its edge, and what is behind it.

use wide::f32x4;

use crate::geometry::{
    enlarge::Enlarge,
    fill::{fill, sample},
    guided,
};

/// Rays on each side of the rendered edge within which the photo's edge is looked for.
const BAND: f32 = 3.0;
/// Rays by which the background is taken from farther out than the edge's soft rim: strands of hair lie there.
const MARGIN: f32 = 4.0;
/// Below this variance of colours in [0,1] there is no edge.
const SMOOTH: f32 = 2e-4;
/// A filtered edge is this much harder than it comes.
const HARDEN: f32 = 1.5;

/// Steps of what is left at rest in one of colour.
pub(super) const REST_STEPS: f32 = 32.0;

/// A square picture of the photo in layers, `side` x `side`, colours in [0,255].
pub(super) struct Layers {
    pub(super) side: usize,
    /// R.
    pub(super) rays: usize,
    /// What the head's colours have beyond the rendering at rest (three numbers), and how much of the head a pixel shows.
    pub(super) front: Vec<f32x4>,
    /// The photo without its head. The fourth number is unused.
    pub(super) back: Vec<[u8; 4]>,
    /// What the two do not show of the photo at rest, in steps of 1/[`REST_STEPS`].
    pub(super) rest: Vec<[i16; 4]>,
    /// On the rays' grid: 1 at the photo's edge, 0 far from it.
    pub(super) edge: Vec<[f32; 1]>,
    /// The photo's bytes.
    pub(super) photo: Vec<u8>,
    /// On the rays' grid: where there is nothing but background, far from the edge.
    pub(super) empty: Vec<bool>,
    /// The rendering at rest, and P.
    pub(super) rendered: Vec<[f32; 4]>,
    pub(super) own: usize,
}

/// The rendering at rest, from the photo's own camera.
pub(super) struct Rest {
    /// Frame [P·P], colours in [0,255].
    pub(super) frame: Vec<[f32; 4]>,
    /// P.
    pub(super) side: usize,
    /// [R·R].
    pub(super) alpha: Vec<f32>,
    /// R.
    pub(super) rays: usize,
}

impl Layers {
    /// Takes apart `photo`, rows of RGB in [0,255], `side` x `side`.
    pub(super) fn new(photo: &[f32], side: usize, rest: &Rest) -> Self {
        let colours: Vec<[f32; 3]> = photo.as_chunks::<3>().0.to_vec();
        let distance = signed_distance(&rest.alpha, rest.rays);
        let matte = matte(&colours, side, rest, &distance);
        let scale = rest.rays as f32 / side as f32;
        let far = |at: usize| {
            let (x, y) = ((at % side) as f32, (at / side) as f32);
            let place = |k: f32| (k + 0.5) * scale - 0.5;
            sample(&distance, rest.rays, rest.rays, place(x), place(y))[0]
        };
        let mut back = colours.clone();
        let outside: Vec<f32> =
            (0..side * side).map(|at| (-far(at) - BAND).clamp(0.0, MARGIN) / MARGIN).collect();
        fill(&mut back, &outside, side, side);
        back.iter_mut().for_each(|back| *back = back.map(f32::round));
        let mut head = colours.clone();
        fill(&mut head, &matte.iter().map(|a| ((a - 0.9) / 0.1).max(0.0)).collect::<Vec<_>>(), side, side);
        for (at, head) in head.iter_mut().enumerate() {
            let a = matte[at];
            for c in 0..3 {
                // What the head's colour must be for the two layers to give the photo; where little of it is seen, what is beside it.
                let own = ((colours[at][c] - (1.0 - a) * back[at][c]) / a.max(0.05)).clamp(0.0, 255.0);
                head[c] += a * (own - head[c]);
            }
        }
        let rendered = Enlarge::new(rest.side, side).whole(&extended(
            rest.frame.clone(),
            rest.side,
            &rest.alpha,
            rest.rays,
        ));
        let parts = || colours.iter().zip(&head).zip(&back).zip(&matte);
        let four = |c: &[f32; 3], last: f32| f32x4::from([c[0], c[1], c[2], last]);
        let front = parts()
            .zip(&rendered)
            .map(|((((_, f), _), a), r)| four(f, *a) - *r * f32x4::from([1.0, 1.0, 1.0, 0.0]));
        let missing = parts().map(|(((p, f), b), a)| {
            four(p, 0.0) - f32x4::splat(*a) * four(f, 0.0) - f32x4::splat(1.0 - a) * four(b, 0.0)
        });
        Self {
            side,
            rays: rest.rays,
            front: front.collect(),
            rest: missing.map(|left| left.to_array().map(|x| (x * REST_STEPS).round() as i16)).collect(),
            back: back.iter().map(|b| [b[0] as u8, b[1] as u8, b[2] as u8, 0]).collect(),
            photo: photo.iter().map(|value| value.round() as u8).collect(),
            empty: distance.iter().map(|d| d[0] < -BAND - MARGIN - 1.0).collect(),
            rendered: rest.frame.clone(),
            own: rest.side,
            edge: distance.iter().map(|d| [((BAND + 1.5 - d[0].abs()) / 1.5).clamp(0.0, 1.0)]).collect(),
        }
    }
}

/// `frame` of P x P pixels with the colours of what is surely the head (`alpha` of R x R rays) carried over its edge, so that no
/// background is mixed in there.
pub(super) fn extended(frame: Vec<[f32; 4]>, side: usize, alpha: &[f32], rays: usize) -> Vec<f32x4> {
    let scale = rays as f32 / side as f32;
    let alpha: Vec<[f32; 1]> = alpha.iter().map(|a| [*a]).collect();
    let place = |k: usize| (k as f32 + 0.5) * scale - 0.5;
    let sure: Vec<f32> = (0..side * side)
        .map(|at| sample(&alpha, rays, rays, place(at % side), place(at / side))[0])
        .collect();
    let mut weights = vec![0.0; side * side];
    for (at, weight) in weights.iter_mut().enumerate() {
        let (x, y) = (at % side, at / side);
        // The up-sampler's convolutions mix in what is beside a ray.
        let (left, right) = (at - x.min(2), at + (side - 1 - x).min(2));
        let (above, below) = (at - side * y.min(2), at + side * (side - 1 - y).min(2));
        let least = sure[at].min(sure[left]).min(sure[right]).min(sure[above]).min(sure[below]);
        *weight = ((least - 0.9) / 0.08).clamp(0.0, 1.0);
    }
    let mut out = frame;
    fill(&mut out, &weights, side, side);
    out.into_iter().map(f32x4::from).collect()
}

/// How much of each pixel is the head: 1 inside, 0 outside, and around the rendered edge as the photo's colours say.
fn matte(colours: &[[f32; 3]], side: usize, rest: &Rest, distance: &[[f32; 1]]) -> Vec<f32> {
    let (small, rays) = (rest.side.min(side), rest.rays);
    let four: Vec<f32x4> =
        colours.iter().map(|c| f32x4::from([c[0], c[1], c[2], 0.0]) * f32x4::splat(1.0 / 255.0)).collect();
    let shrunk = Enlarge::new(side, small).whole(&four);
    let guide: Vec<[f32; 3]> = shrunk.iter().map(|c| c.to_array()).map(|[r, g, b, _]| [r, g, b]).collect();
    let at_rays = |at: usize, side: usize| {
        let scale = rays as f32 / side as f32;
        [at % side, at / side].map(|k| (k as f32 + 0.5) * scale - 0.5)
    };
    let signed = |at: usize, side: usize| {
        let [x, y] = at_rays(at, side);
        sample(distance, rays, rays, x, y)[0]
    };
    let rough: Vec<f32> = (0..small * small).map(|at| (signed(at, small) + 0.5).clamp(0.0, 1.0)).collect();
    let radius = (2.0 * small as f32 / rays as f32).round().max(1.0) as usize;
    let local = guided::coefficients(&guide, &rough, small, radius, SMOOTH);
    let scale = small as f32 / side as f32;
    (0..side * side)
        .map(|at| {
            let [x, y] = [at % side, at / side].map(|k| (k as f32 + 0.5) * scale - 0.5);
            let [a, b, c, d] = sample(&local, small, small, x, y);
            let [red, green, blue, _] = four[at].to_array();
            let found = a * red + b * green + c * blue + d;
            let found = ((found - 0.5) * HARDEN + 0.5).clamp(0.0, 1.0);
            let far = signed(at, side);
            let inside = ((far.abs() - (BAND - 1.0)) / 1.0).clamp(0.0, 1.0);
            found + inside * (f32::from(far > 0.0) - found)
        })
        .collect()
}

/// Distance of each ray to the edge where alpha is one half, in rays, positive inside; right up to a few rays.
fn signed_distance(alpha: &[f32], rays: usize) -> Vec<[f32; 1]> {
    const REACH: isize = 9;
    let inside = |at: usize| alpha[at] > 0.5;
    let mut out = vec![[0.0]; rays * rays];
    for (at, out) in out.iter_mut().enumerate() {
        let (x, y) = ((at % rays) as isize, (at / rays) as isize);
        let mut least = (REACH * REACH) as f32;
        for dy in -REACH..=REACH {
            for dx in -REACH..=REACH {
                let (i, j) = (x + dx, y + dy);
                let within = (0..rays as isize).contains(&i) && (0..rays as isize).contains(&j);
                if within && inside((j * rays as isize + i) as usize) != inside(at) {
                    least = least.min((dx * dx + dy * dy) as f32);
                }
            }
        }
        let far = least.sqrt() - 0.5;
        *out = [if inside(at) { far } else { -far }];
    }
    smooth(&mut out, rays);
    out
}

/// Averages over three by three rays: the edge of whole rays has steps.
pub(super) fn smooth<const C: usize>(values: &mut [[f32; C]], rays: usize) {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    for step in [1, rays] {
        let from = values.to_vec();
        for (at, out) in values.iter_mut().enumerate() {
            let place = if step == 1 { at % rays } else { at / rays };
            let before = if place > 0 { at - step } else { at };
            let after = if place + 1 < rays { at + step } else { at };
            for c in 0..C {
                out[c] =
                    WEIGHTS[0] * from[before][c] + WEIGHTS[1] * from[at][c] + WEIGHTS[2] * from[after][c];
            }
        }
    }
}
