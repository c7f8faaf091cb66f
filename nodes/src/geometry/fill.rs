//! Filling of what is not known in a picture from what is, smoothly: push-pull over a pyramid (Gortler et al., The Lumigraph, 1996).

/// Completes `values` of a `width` x `height` grid: where its weight is 1 a value stays, where it is 0 it comes from around, and between
/// it is mixed.
pub(crate) fn fill<const C: usize>(values: &mut [[f32; C]], weights: &[f32], width: usize, height: usize) {
    let known: Vec<f32> = weights.iter().map(|weight| weight.clamp(0.0, 1.0)).collect();
    complete(values, &known, width, height);
}

fn complete<const C: usize>(values: &mut [[f32; C]], weights: &[f32], width: usize, height: usize) {
    if width <= 1 && height <= 1 || weights.iter().all(|weight| *weight >= 1.0) {
        return;
    }
    let (w, h) = (width.div_ceil(2), height.div_ceil(2));
    let (mut small, mut light) = (vec![[0.0; C]; w * h], vec![0.0; w * h]);
    for y in 0..height {
        for x in 0..width {
            let (from, to) = (y * width + x, y / 2 * w + x / 2);
            light[to] += weights[from];
            for c in 0..C {
                small[to][c] += weights[from] * values[from][c];
            }
        }
    }
    for (value, weight) in small.iter_mut().zip(&mut light) {
        if *weight > 0.0 {
            value.iter_mut().for_each(|value| *value /= *weight);
        }
        *weight = weight.min(1.0);
    }
    complete(&mut small, &light, w, h);
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let weight = weights[at];
            if weight >= 1.0 {
                continue;
            }
            let below = sample(&small, w, h, (x as f32 - 0.5) / 2.0, (y as f32 - 0.5) / 2.0);
            for c in 0..C {
                values[at][c] = weight * values[at][c] + (1.0 - weight) * below[c];
            }
        }
    }
}

/// Linear interpolation of a grid at column `x` and row `y`, held beyond its edges.
#[inline(always)]
pub(crate) fn sample<const C: usize>(
    values: &[[f32; C]],
    width: usize,
    height: usize,
    x: f32,
    y: f32,
) -> [f32; C] {
    let x = x.clamp(0.0, (width - 1) as f32);
    let y = y.clamp(0.0, (height - 1) as f32);
    let (i, j) = (x as usize, y as usize);
    let (fx, fy) = (x - i as f32, y - j as f32);
    let (right, down) = (usize::from(i + 1 < width), if j + 1 < height { width } else { 0 });
    let at = j * width + i;
    let (a, b, c, d) = (&values[at], &values[at + right], &values[at + down], &values[at + down + right]);
    let mut out = [0.0; C];
    for k in 0..C {
        let (top, bottom) = (a[k] + fx * (b[k] - a[k]), c[k] + fx * (d[k] - c[k]));
        out[k] = top + fy * (bottom - top);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_stays_and_the_rest_lies_between() {
        let side = 33;
        let truth = |at: usize| [(at % side) as f32, 5.0];
        let known = |at: usize| f32::from(at % side < 8 || at % side > 24);
        let mut values: Vec<_> =
            (0..side * side).map(|at| if known(at) > 0.0 { truth(at) } else { [-99.0; 2] }).collect();
        let weights: Vec<_> = (0..side * side).map(known).collect();
        fill(&mut values, &weights, side, side);
        for (at, value) in values.iter().enumerate() {
            if known(at) > 0.0 {
                assert_eq!(*value, truth(at));
            }
            assert!((0.0..=32.0).contains(&value[0]) && (value[1] - 5.0).abs() < 1e-3, "{at} {value:?}");
        }
        let middle = values[16 * side + 16][0];
        assert!((10.0..22.0).contains(&middle), "{middle}");
    }

    #[test]
    fn nothing_known_leaves_zeros() {
        let mut values = vec![[3.0]; 12];
        fill(&mut values, &[0.0; 12], 4, 3);
        assert!(values.iter().all(|value| value[0] == 0.0));
    }
}
