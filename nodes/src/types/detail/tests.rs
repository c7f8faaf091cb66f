use super::{
    compose::{Frame, Places, Steps},
    contract,
    layers::{Layers, Rest, extended},
    maps::Rays,
};
use crate::geometry::enlarge::Enlarge;

const RAYS: usize = 32;
const OWN: usize = 64;
const SIDE: usize = 256;

/// A head: a disc before a plain background; the photo has stripes and a soft edge, the rendering none of them.
struct Scene {
    photo: Vec<f32>,
    rest: Rest,
}

fn disc(x: f32, y: f32, soft: f32) -> f32 {
    ((0.3 - (x - 0.5).hypot(y - 0.5)) / soft + 0.5).clamp(0.0, 1.0)
}

fn each(side: usize) -> impl Iterator<Item = (f32, f32)> {
    let place = move |k: usize| (k as f32 + 0.5) / side as f32;
    (0..side * side).map(move |at| (place(at % side), place(at / side)))
}

fn scene() -> Scene {
    let photo = each(SIDE).flat_map(|(x, y)| {
        let (a, stripe) = (disc(x, y, 0.01), 30.0 * (x * 200.0).sin());
        let mix = |head: f32, back: f32| (a * (head + stripe) + (1.0 - a) * back).round();
        [mix(180.0, 60.0), mix(140.0, 70.0), mix(120.0, 90.0)]
    });
    let frame = each(OWN).map(|(x, y)| {
        let a = disc(x, y, 0.05);
        let mix = |head: f32, back: f32| a * head + (1.0 - a) * back;
        [mix(170.0, 60.0), mix(150.0, 70.0), mix(110.0, 90.0), 0.0]
    });
    let alpha = each(RAYS).map(|(x, y)| disc(x, y, 0.001));
    Scene {
        photo: photo.collect(),
        rest: Rest { frame: frame.collect(), side: OWN, alpha: alpha.collect(), rays: RAYS },
    }
}

/// The rendering at rest seen where the head has moved by `shift` rays to the right.
fn compose(scene: &Scene, shift: usize) -> (Layers, Vec<u8>) {
    let layers = Layers::new(&scene.photo, SIDE, &scene.rest);
    let moved = |side: usize, by: usize, at: usize| at / side * side + (at % side + side - by) % side;
    let alpha: Vec<f32> = (0..RAYS * RAYS).map(|at| scene.rest.alpha[moved(RAYS, shift, at)]).collect();
    let frame: Vec<[f32; 4]> =
        (0..OWN * OWN).map(|at| scene.rest.frame[moved(OWN, shift * OWN / RAYS, at)]).collect();
    let flow: Vec<f32> = (0..2 * RAYS * RAYS)
        .map(|at| if at < RAYS * RAYS { -(shift as f32) * alpha[at] } else { 0.0 })
        .collect();
    let rays = Rays { alpha: &alpha, flow: &flow, visible: &vec![1.0; RAYS * RAYS] };
    let still = rays.still(&frame, &layers);
    let rendered = extended(frame, OWN, &alpha, RAYS);
    let enlarge = Enlarge::new(OWN, SIDE);
    let maps = rays.maps(&layers);
    let mut out = vec![0; SIDE * SIDE * 3];
    let cover = rays.cover(None, RAYS);
    let steps = &Places { rays: Steps::new(RAYS, SIDE), cover: Steps::new(cover.side, SIDE) };
    let (rendered, enlarge, maps, cover) = (&rendered, &enlarge, &maps, &cover);
    Frame { layers: &layers, rendered, enlarge, own: OWN, inside: None, maps, cover, steps, still: &still }
        .compose(&mut out);
    (layers, out)
}

#[test]
fn at_rest_the_frame_is_the_photo() {
    let scene = scene();
    let (_, out) = compose(&scene, 0);
    let worst = out.iter().zip(&scene.photo).map(|(a, b)| (f32::from(*a) - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1.0, "{worst}");
}

#[test]
fn detail_and_edge_move_with_the_head_and_the_background_stays() {
    let scene = scene();
    let shift = 2 * SIDE / RAYS;
    let (_, out) = compose(&scene, 2);
    let mut worst = [0.0_f32; 2];
    for (at, (x, y)) in each(SIDE).enumerate() {
        let from = (x - shift as f32 / SIDE as f32).max(0.0);
        let error = |k: usize, c: usize| (f32::from(out[3 * at + c]) - scene.photo[3 * k + c]).abs();
        if disc(from, y, 0.01) >= 1.0 {
            (0..3).for_each(|c| worst[0] = worst[0].max(error(at - shift, c)));
        } else if disc(from, y, 0.04) <= 0.0 && disc(x, y, 0.04) <= 0.0 {
            (0..3).for_each(|c| worst[1] = worst[1].max(error(at, c)));
        }
    }
    assert!(worst[0] <= 6.0 && worst[1] <= 6.0, "{worst:?}");
    // What the head uncovered is background, not head.
    let uncovered = (SIDE / 2) * SIDE + (0.5 * SIDE as f32 - 0.3 * SIDE as f32) as usize + 4;
    let found = [0, 1, 2].map(|c| out[3 * uncovered + c]);
    assert!(found.iter().zip([60, 70, 90]).all(|(a, b)| a.abs_diff(b) < 14), "{found:?}");
}

#[test]
fn specks_beside_the_head_are_left_out_and_edges_finer_than_rays_are_taken() {
    let scene = scene();
    let mut alpha = scene.rest.alpha.clone();
    alpha[3 * RAYS + 3] = 1.0;
    let (flow, visible) = (vec![0.0; 2 * RAYS * RAYS], vec![1.0; RAYS * RAYS]);
    let rays = Rays { alpha: &alpha, flow: &flow, visible: &visible };
    let cover = rays.cover(None, RAYS);
    assert_eq!((cover.side, cover.values[3 * RAYS + 3]), (RAYS, 0.0));
    assert!(cover.values[RAYS / 2 * RAYS + RAYS / 2] > 1.0);
    let edge: Vec<u8> = each(4 * RAYS).map(|(x, y)| (255.0 * disc(x, y, 0.001)) as u8).collect();
    let cover = rays.cover(Some(&edge), RAYS);
    assert_eq!(cover.side, 2 * RAYS);
    // Half covered where the disc ends, to a third of a ray.
    let end = (0..cover.side).find(|x| cover.values[RAYS * cover.side + x] >= 0.5).unwrap();
    assert!(((end as f32 + 0.5) / cover.side as f32 - 0.2).abs() < 0.4 / RAYS as f32, "{end}");
}

#[test]
fn what_is_as_at_rest_is_still_and_what_moves_or_is_painted_is_not() {
    let scene = scene();
    let layers = Layers::new(&scene.photo, SIDE, &scene.rest);
    let (mut flow, visible) = (vec![0.0; 2 * RAYS * RAYS], vec![1.0; RAYS * RAYS]);
    let mut frame = scene.rest.frame.clone();
    let still = |flow: &[f32], frame: &[[f32; 4]]| {
        Rays { alpha: &scene.rest.alpha, flow, visible: &visible }.still(frame, &layers)
    };
    assert!(still(&flow, &frame).iter().all(|still| *still));
    let middle = RAYS / 2 * RAYS + RAYS / 2;
    flow[middle] = 0.5;
    let found = still(&flow, &frame);
    assert_eq!((found[middle], found[middle + 2], found[middle + 3]), (false, false, true));
    flow[middle] = 0.0;
    frame[OWN * OWN / 2 + OWN / 2][3] = 1.0;
    assert!(!still(&flow, &frame)[middle]);
}

#[test]
fn sizes_are_even_and_within_bounds() {
    assert_eq!(contract::side("photo", Some(1001.3), 256), 1002);
    assert_eq!(contract::side("photo", Some(96.0), 256), 256);
    assert_eq!(contract::side("photo", Some(9000.0), 256), 2048);
    assert_eq!(contract::side("photo", None, 256), 1024);
    assert_eq!(contract::side("512", Some(3000.0), 256), 512);
}

#[test]
fn ports_of_the_photo_come_together() {
    assert_eq!(contract::resolved(|_| false).unwrap().inputs.len(), 1);
    assert!(contract::resolved(|_| true).unwrap().inputs.iter().filter(|input| input.required).count() == 7);
    let error = contract::resolved(|port| port == "photo").unwrap_err();
    assert!(error.to_string().contains("`crop`, `identity`"), "{error}");
}
