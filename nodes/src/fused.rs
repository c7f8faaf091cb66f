//! The fused operators against the plain bodies that models carry for them.

use talkgraph_operators::Isa;

use crate::{
    models::Models,
    tensor::{Tensor, Tensors},
    testing::tiny_models_on,
    volume::testing::person,
};

/// The tiny pack with fused operators of these instructions, or with the plain bodies.
fn models(operators: Option<Isa>) -> Option<Models> {
    tiny_models_on(|runtime| runtime.with_operators(operators))
}

/// Numbers in [-1,1] that look random and are the same everywhere.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 * 2.0 - 1.0
        })
        .collect()
}

/// A person's state and all rays of a camera.
fn scene(models: &Models) -> Tensors {
    let (identity, _) = person(models);
    let mut tensors = identity.clone();
    tensors.0.extend(models.run("prepare", &identity).unwrap().0);
    let pose = Tensors::new().with("pose", Tensor::f32([1, 6], vec![0.1, 0.3, 0.0, 0.02, 0.0, 0.1]).unwrap());
    tensors.0.extend(models.run("camera", &pose).unwrap().0);
    let rays = tensors.get("origins").unwrap().shape()[1];
    sampled(models, everywhere(tensors))
        .with("pixels", Tensor::i64([rays], (0..rays as i64).collect()).unwrap())
}

/// The scene with its depths.
fn sampled(models: &Models, mut tensors: Tensors) -> Tensors {
    let depths = models.run("depths", &tensors).unwrap();
    tensors.0.extend(depths.0);
    tensors
}

/// The scene with steeper densities, so that some of its cells are empty, and with its occupancy.
fn steep(models: &Models, mut tensors: Tensors) -> Tensors {
    let (weight, bias) = (tensors.get("decode2_weight").unwrap(), tensors.get("decode2_bias").unwrap());
    let shape = weight.shape().to_vec();
    let (mut weight, mut bias) = (weight.as_f32().unwrap().to_vec(), bias.as_f32().unwrap().to_vec());
    weight[..shape[1]].iter_mut().for_each(|x| *x *= 20.0);
    bias[0] -= 19.0;
    tensors.0.insert("decode2_bias".into(), Tensor::f32([bias.len()], bias).unwrap());
    tensors.0.insert("decode2_weight".into(), Tensor::f32(shape, weight).unwrap());
    let cells = models.run("occupancy", &tensors).unwrap();
    tensors.0.extend(cells.0);
    sampled(models, tensors)
}

/// The scene with no cell left out.
fn everywhere(tensors: Tensors) -> Tensors {
    tensors.with("occupancy", Tensor::f32([1, 1, 1, 1, 1], vec![1.0]).unwrap())
}

/// Both lattices with displacements of this size; zero on the outside when `closed`.
fn bent(tensors: Tensors, size: f32, closed: bool) -> Tensors {
    let lattice = |seed: u32, [layers, rows, columns]: [usize; 3], size: f32| {
        let mut values = noise(3 * layers * rows * columns, seed);
        for (index, value) in values.iter_mut().enumerate() {
            let (x, y, z) = (index % columns, index / columns % rows, index / (columns * rows) % layers);
            let edge = x == 0 || x == columns - 1 || y == 0 || y == rows - 1 || z == 0 || z == layers - 1;
            *value *= if closed && edge { 0.0 } else { size };
        }
        Tensor::f32([1, 3, layers, rows, columns], values).unwrap()
    };
    let corners = |low: [f32; 3], high: [f32; 3]| Tensor::f32([2, 3], [low, high].concat()).unwrap();
    tensors
        .with("motion", lattice(1, [4, 6, 5], size))
        .with("motion_box", corners([-0.9, -0.8, -0.7], [0.8, 0.9, 1.0]))
        .with("detail", lattice(2, [3, 5, 9], size / 2.0))
        .with("detail_box", corners([-0.3, -0.4, -0.2], [0.5, 0.1, 0.7]))
}

/// The largest difference of the outputs called `name`.
fn difference(a: &Tensors, b: &Tensors, name: &str) -> f32 {
    let (a, b) = (a.get(name).unwrap(), b.get(name).unwrap());
    assert_eq!(a.shape(), b.shape());
    let pairs = a.as_f32().unwrap().iter().zip(b.as_f32().unwrap());
    pairs.fold(0.0, |most, (a, b)| if (a - b).abs() <= most { most } else { (a - b).abs() })
}

/// What the role `render` gave, `source` times alpha.
fn seen(rendered: &Tensors) -> Tensors {
    let source = rendered.get("source").unwrap();
    let alpha = rendered.get("alpha").unwrap().as_f32().unwrap();
    let weighted = source.as_f32().unwrap().iter().zip(alpha.iter().cycle()).map(|(x, alpha)| x * alpha);
    rendered.clone().with("source", Tensor::f32(source.shape(), weighted.collect()).unwrap())
}

/// The mean of a ray's samples lies on the ray while nothing is bent, is moved by as much as all of space is, and is zero where nothing is.
#[test]
fn sources_are_on_their_rays() {
    let Some(models) = models(Isa::chosen()) else { return };
    let rest = bent(scene(&models), 0.0, true);
    let shift = [0.1, -0.2, 0.3];
    let lattice = shift.iter().flat_map(|&x| [x; 8]).collect();
    let moved = rest.clone().with("motion", Tensor::f32([1, 3, 2, 2, 2], lattice).unwrap());
    let rows = |name: &str| rest.get(name).unwrap().as_f32().unwrap().as_chunks::<3>().0.to_vec();
    let (origins, directions) = (rows("origins"), rows("directions"));
    for (inputs, shift) in [(&rest, [0.0; 3]), (&moved, shift)] {
        let out = models.run("render", inputs).unwrap();
        let alpha = out.get("alpha").unwrap().as_f32().unwrap();
        let source = out.get("source").unwrap().as_f32().unwrap();
        let mut told = 0;
        for ray in (0..alpha.len()).filter(|ray| alpha[*ray] > 0.1) {
            let from =
                [0, 1, 2].map(|axis| source[axis * alpha.len() + ray] - shift[axis] - origins[ray][axis]);
            let along = from[2] / directions[ray][2];
            for axis in 0..3 {
                let off = from[axis] - along * directions[ray][axis];
                assert!(along > 0.0 && off.abs() < 1e-4, "ray {ray} is off by {off}");
            }
            told += 1;
        }
        assert!(told > 20, "{told} rays show anything");
    }
    let none = rest.clone().with("occupancy", Tensor::f32([1, 1, 1, 1, 1], vec![0.0]).unwrap());
    let source = models.run("render", &none).unwrap().get("source").unwrap().clone();
    assert!(source.as_f32().unwrap().iter().all(|&x| x == 0.0));
}

/// All instruction sets against the plain body: at rest, bent, and bent by lattices that are not zero on the outside.
#[test]
fn rendering_is_that_of_the_plain_body() {
    let Some(plain) = models(None) else { return };
    let scene = scene(&plain);
    for (size, closed) in [(0.0, true), (0.1, true), (0.1, false)] {
        let inputs = bent(scene.clone(), size, closed);
        let expected = plain.run("render", &inputs).unwrap();
        let alpha = expected.get("alpha").unwrap().as_f32().unwrap().iter().sum::<f32>();
        let rays = scene.get("pixels").unwrap().shape()[0] as f32;
        assert!(
            alpha > 0.1 * rays && alpha < 0.98 * rays,
            "the scene is not telling: alpha {}",
            alpha / rays
        );
        for isa in Isa::available() {
            let found = models(Some(isa)).unwrap().run("render", &inputs).unwrap();
            // Rays end at a transmittance of 1e-4.
            for name in ["features", "alpha"] {
                let worst = difference(&expected, &found, name);
                assert!(worst < 1e-3, "{isa}, displacement {size}: `{name}` differs by {worst}");
            }
            // Where next to nothing is seen, its mean is what rounding makes of it.
            let worst = difference(&seen(&expected), &seen(&found), "source");
            assert!(worst < 1e-3, "{isa}, displacement {size}: `source` differs by {worst}");
        }
    }
}

#[test]
fn cells_are_those_of_the_plain_body() {
    let Some(plain) = models(None) else { return };
    let scene = steep(&plain, scene(&plain));
    let cells = scene.get("occupancy").unwrap().as_f32().unwrap();
    let part = cells.iter().sum::<f32>() / cells.len() as f32;
    assert!(part > 0.05 && part < 0.95, "the scene is not telling: {part} of the cells hold something");
    for isa in Isa::available() {
        let found = models(Some(isa)).unwrap().run("occupancy", &scene).unwrap();
        assert_eq!(difference(&scene, &found, "occupancy"), 0.0, "{isa}");
    }
}

/// Leaving out what is empty cannot be seen; what is called empty is left out.
#[test]
fn empty_cells_are_not_missed() {
    let (Some(plain), Some(fused)) = (models(None), models(Isa::chosen())) else { return };
    let some = bent(steep(&plain, scene(&plain)), 0.1, true);
    let all = everywhere(some.clone());
    let none = some.clone().with("occupancy", Tensor::f32([1, 1, 1, 1, 1], vec![0.0]).unwrap());
    let alpha =
        |inputs| fused.run("render", inputs).unwrap().get("alpha").unwrap().as_f32().unwrap().to_vec();
    let seen = alpha(&all).iter().sum::<f32>();
    assert!(seen > 12.0, "the scene is not telling: {seen}");
    assert!(alpha(&none).iter().all(|&alpha| alpha == 0.0));
    for models in [&plain, &fused] {
        let (all, some) = (models.run("render", &all).unwrap(), models.run("render", &some).unwrap());
        for name in ["features", "alpha"] {
            let worst = difference(&all, &some, name);
            assert!(worst < 1e-3, "`{name}` differs by {worst}");
        }
    }
}

#[test]
fn depths_are_those_of_the_plain_body() {
    let Some(plain) = models(None) else { return };
    let scene = scene(&plain);
    let expected = plain.run("depths", &scene).unwrap();
    for isa in Isa::available() {
        let found = models(Some(isa)).unwrap().run("depths", &scene).unwrap();
        let worst = difference(&expected, &found, "depths");
        assert!(worst < 1e-3, "{isa}: differs by {worst}");
        let rows = found.get("depths").unwrap();
        let samples = rows.shape()[2];
        assert!(rows.as_f32().unwrap().chunks_exact(samples).all(<[f32]>::is_sorted));
    }
}

/// Caches of machines that have AVX2 hold the same numbers.
#[test]
fn equal_rounding_means_equal_bits() {
    let Some(plain) = models(None) else { return };
    let mut inputs = bent(scene(&plain), 0.1, true);
    inputs.0.extend(frames(&plain).0);
    let mut seen = std::collections::BTreeMap::new();
    for isa in Isa::available() {
        let models = models(Some(isa)).unwrap();
        let all =
            ["render", "depths", "lipaint_state", "upsample"].map(|role| models.run(role, &inputs).unwrap());
        assert!(all == *seen.entry(isa.rounding()).or_insert_with(|| all.clone()), "{isa}");
    }
}

/// A ray's result does not depend on the rays that are cast with it.
#[test]
fn rays_are_rendered_alike_in_any_company() {
    let Some(models) = models(Isa::chosen()) else { return };
    let all = bent(scene(&models), 0.1, true);
    let whole = models.run("render", &all).unwrap();
    let keep: Vec<usize> = (0..all.get("pixels").unwrap().shape()[0]).filter(|ray| ray % 7 == 3).collect();
    let mut some = all.clone();
    for (name, width) in
        [("origins", 3), ("directions", 3), ("depths", all.get("depths").unwrap().shape()[2])]
    {
        let from = all.get(name).unwrap().as_f32().unwrap();
        let rows = keep.iter().flat_map(|ray| &from[ray * width..(ray + 1) * width]).copied().collect();
        some.0.insert(name.into(), Tensor::f32([1, keep.len(), width], rows).unwrap());
    }
    let pixels = keep.iter().map(|&ray| ray as i64).collect();
    some.0.insert("pixels".into(), Tensor::i64([keep.len()], pixels).unwrap());
    let found = models.run("render", &some).unwrap();
    let rays = whole.get("alpha").unwrap().shape()[2];
    for (name, channels) in [("alpha", 1), ("source", 3), ("features", 16)] {
        let (whole, found) =
            (whole.get(name).unwrap().as_f32().unwrap(), found.get(name).unwrap().as_f32().unwrap());
        for (at, ray) in keep.iter().enumerate() {
            for channel in 0..channels {
                assert_eq!(whole[channel * rays + ray], found[channel * keep.len() + at]);
            }
        }
    }
}

/// What the inversion of noise is offered.
fn portrait(models: &Models) -> Tensors {
    let side = models.pack().unwrap().resolution();
    let (_, reference) = person(models);
    let pose = Tensor::f32([1, 6], vec![0.1, 0.3, 0.0, 0.02, 0.0, 0.1]).unwrap();
    reference
        .with("target", Tensor::f32([1, 3, side, side], noise(3 * side * side, 5)).unwrap())
        .with("person", Tensor::f32([1, 1, side, side], vec![1.0; side * side]).unwrap())
        .with("pose", pose)
}

/// Marching and its gradient, and the look-up in planes and its own, in steps of the inversion that only they can tell apart. Instructions
/// that round alike give equal bits.
#[test]
fn gradients_are_those_of_the_plain_bodies() {
    let Some(plain) = models(None) else { return };
    let run = |models: &Models, file, inputs: &Tensors| {
        models.runtime().unwrap().session(file).unwrap().run(inputs).unwrap()
    };
    let mut set = portrait(&plain);
    for phase in &plain.pack().unwrap().phases("pti").unwrap()[..2] {
        let mut known = set.clone();
        known.0.extend(run(&plain, &phase.init, &set).0);
        let start = known.get("params").unwrap().as_f32().unwrap();
        let count = start.len();
        // At the start itself L1 losses stand on their kinks.
        let moved = start.iter().zip(noise(count, 6)).map(|(x, noise)| x + 0.02 * noise).collect();
        let vector = |values| Tensor::f32([count], values).unwrap();
        let one = |value| Tensor::f32([1], vec![value]).unwrap();
        let inputs = known.clone().with("params", vector(moved));
        let inputs = inputs.with("m", vector(vec![0.0; count])).with("v", vector(vec![0.0; count]));
        let inputs = inputs.with("step_size", one(0.0)).with("bias2", one(1.0)).with("progress", one(0.0));
        let expected = run(&plain, &phase.step, &inputs);
        let moment = expected.get("m_out").unwrap().as_f32().unwrap();
        let largest = moment.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let telling = moment.iter().filter(|x| x.abs() > 1e-3 * largest).count();
        assert!(telling > count / 1000, "{}: {telling} of {count} gradients", phase.name);
        let mut seen = std::collections::BTreeMap::new();
        for isa in Isa::available() {
            let found = run(&models(Some(isa)).unwrap(), &phase.step, &inputs);
            let worst = difference(&expected, &found, "m_out");
            assert!(
                worst < 1e-4 * largest,
                "{}, {isa}: differs by {worst}, the largest is {largest}",
                phase.name
            );
            assert!(found == *seen.entry(isa.rounding()).or_insert_with(|| found.clone()), "{isa}");
        }
        set.0.extend(run(&plain, &phase.finish, &known).0);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let Some(models) = models(Isa::chosen()) else { return };
    let good = bent(scene(&models), 0.1, true);
    let message = |change: (&str, Tensor)| {
        let error = models.run("render", &good.clone().with(change.0, change.1)).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {cause}")
    };
    let rays = good.get("pixels").unwrap().shape()[0];
    let pixels = Tensor::i64([rays], vec![-1; rays]).unwrap();
    let text = message(("pixels", pixels));
    assert!(text.contains("input `pixels`: -1 is no pixel of a background of 256"), "{text}");
    let text = message(("motion_box", Tensor::f32([2, 3], vec![0.0; 6]).unwrap()));
    assert!(text.contains("input `motion_box`") && text.contains("is no box"), "{text}");
    let text = message(("detail", Tensor::f32([1, 3, 1, 4, 4], vec![0.0; 48]).unwrap()));
    assert!(text.contains("input `detail`: shape [1,3,1,4,4]"), "{text}");
}

/// Places that are no numbers read inside the planes and give some number or none, but end the ray like any other.
#[test]
fn numbers_that_are_none_do_no_harm() {
    let Some(models) = models(Isa::chosen()) else { return };
    let good = bent(scene(&models), 0.1, true);
    for value in [f32::NAN, f32::INFINITY, 1e30] {
        let rays = good.get("pixels").unwrap().shape()[0];
        let origins = Tensor::f32([1, rays, 3], vec![value; 3 * rays]).unwrap();
        let out = models.run("render", &good.clone().with("origins", origins)).unwrap();
        assert_eq!(out.get("alpha").unwrap().shape(), [1, 1, rays]);
    }
}

/// A person whose photo adds something everywhere, three codes of it, and features.
fn frames(models: &Models) -> Tensors {
    let (mut tensors, _) = person(models);
    for (name, seed) in [("plane_offset", 6), ("style_offset", 8)] {
        let shape = tensors.get(name).unwrap().shape().to_vec();
        let size = shape.iter().product();
        tensors.0.insert(name.into(), Tensor::f32(shape, noise(size, seed)).unwrap());
    }
    tensors.0.extend(models.run("prepare", &tensors).unwrap().0);
    let w = tensors.get("w").unwrap().as_f32().unwrap();
    let codes = noise(3 * w.len(), 5).iter().zip(w.iter().cycle()).map(|(x, w)| w + x).collect();
    let codes = Tensor::f32([3, 1, w.len()], codes).unwrap();
    let features = tensors.get("background").unwrap().shape().to_vec();
    let size = features.iter().product();
    tensors
        .with("w", codes)
        .with("mouth_kept", Tensor::f32([1], vec![0.2]).unwrap())
        .with("features", Tensor::f32(features, noise(size, 7)).unwrap())
}

#[test]
fn planes_and_pictures_are_those_of_the_plain_bodies() {
    let Some(plain) = models(None) else { return };
    let inputs = frames(&plain);
    for (role, output) in [("lipaint_state", "planes"), ("upsample", "image")] {
        let expected = plain.run(role, &inputs).unwrap();
        for isa in Isa::available() {
            let found = models(Some(isa)).unwrap().run(role, &inputs).unwrap();
            let worst = difference(&expected, &found, output);
            assert!(worst < 1e-4, "{role}, {isa}: differs by {worst}");
        }
    }
}
