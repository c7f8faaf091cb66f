//! Filled polygons as soft masks.

/// Coverage in [0,1] of the pixels of a `width` × `height` picture by the closed polygon `points` (x, y in pixels, the
/// first pixel's centre at 0.5), grown by `grow` pixels on all sides. Edges are soft over one pixel: coverage is taken from the
/// signed distance of the pixel's centre.
pub fn fill(points: &[[f32; 2]], width: usize, height: usize, grow: f32) -> Vec<f32> {
    let mut mask = vec![0.0; width * height];
    if points.len() < 3 || points.iter().flatten().any(|x| !x.is_finite()) {
        return mask;
    }
    let range = |axis: usize, size: usize| {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for point in points {
            low = low.min(point[axis]);
            high = high.max(point[axis]);
        }
        let end = |x: f32| x.clamp(0.0, size as f32) as usize;
        end((low - grow - 1.0).floor())..end((high + grow + 1.0).ceil())
    };
    for y in range(1, height) {
        for x in range(0, width) {
            let distance = signed_distance(points, [x as f32 + 0.5, y as f32 + 0.5]);
            mask[y * width + x] = (0.5 + grow - distance).clamp(0.0, 1.0);
        }
    }
    mask
}

/// Distance of `p` to the polygon's outline, negative inside (even-odd rule).
fn signed_distance(points: &[[f32; 2]], p: [f32; 2]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut a = points[points.len() - 1];
    for &b in points {
        let (edge, to) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
        let length = edge[0] * edge[0] + edge[1] * edge[1];
        let along =
            if length > 0.0 { ((to[0] * edge[0] + to[1] * edge[1]) / length).clamp(0.0, 1.0) } else { 0.0 };
        let off = [to[0] - along * edge[0], to[1] - along * edge[1]];
        nearest = nearest.min(off[0] * off[0] + off[1] * off[1]);
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < edge[0] * (p[1] - a[1]) / edge[1] + a[0] {
            inside = !inside;
        }
        a = b;
    }
    if inside { -nearest.sqrt() } else { nearest.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [[f32; 2]; 4] = [[2.0, 2.0], [6.0, 2.0], [6.0, 6.0], [2.0, 6.0]];

    #[test]
    fn a_square_covers_its_pixels() {
        let mask = fill(&SQUARE, 8, 8, 0.0);
        assert_eq!(mask.iter().filter(|&&m| m == 1.0).count(), 16);
        assert_eq!(mask.iter().sum::<f32>(), 16.0);
    }

    #[test]
    fn edges_are_soft_and_growth_is_in_pixels() {
        let shifted = SQUARE.map(|p| [p[0] + 0.25, p[1]]);
        let sum: f32 = fill(&shifted, 8, 8, 0.0).iter().sum();
        assert!((sum - 16.0).abs() < 0.6, "{sum}");
        let grown: f32 = fill(&SQUARE, 8, 8, 1.0).iter().sum();
        assert!((grown - (36.0 - 4.0 + std::f32::consts::PI)).abs() < 1.5, "{grown}");
    }

    #[test]
    fn closed_lips_cover_nothing_until_grown() {
        let line = [[1.0, 4.0], [7.0, 4.0], [4.0, 4.0]];
        assert!(fill(&line, 8, 8, 0.0).iter().sum::<f32>() < 1.0);
        assert!(fill(&line, 8, 8, 1.0).iter().sum::<f32>() > 8.0);
    }

    #[test]
    fn outlines_outside_the_picture_and_bad_points_are_harmless() {
        assert_eq!(fill(&SQUARE.map(|p| [p[0] - 90.0, p[1]]), 8, 8, 0.0).iter().sum::<f32>(), 0.0);
        assert_eq!(fill(&[[f32::NAN; 2]; 3], 8, 8, 0.0).iter().sum::<f32>(), 0.0);
    }
}
