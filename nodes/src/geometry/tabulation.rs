//! Lattices of a face's motion, within the memory that they may take.

use super::lattice::{Bounds, Nodes};
use crate::{error::Result, room};

/// Bytes of a vector.
const VECTOR: f64 = 12.0;
/// The most nodes of a lattice: it is filled for every frame, and copied to the renderer.
const NODES: u64 = 8 << 20;
/// The most memory, in bytes, for what is known of a face before its first frame.
const MEMORY: u64 = 1 << 30;

/// The lattice over `bounds`, which are made by `core` and `radius`, held for `poses` poses at once. `steps` is its spacing in parts of the
/// parameter `step`.
pub(super) fn lattice(bounds: Bounds, step: f32, steps: f32, poses: usize) -> Result<Nodes> {
    let sides = [0, 1, 2].map(|axis| {
        let length = f64::from(bounds.high[axis]) - f64::from(bounds.low[axis]);
        (length / f64::from(steps * step)).ceil().max(0.0) + 3.0
    });
    let count: f64 = sides.iter().product();
    let [x, y, z] = sides;
    let most = (MEMORY / poses.max(1) as u64).min(NODES * VECTOR as u64);
    let place = format!("parameters `core`, `radius` and `step`: a lattice of {x:.0}x{y:.0}x{z:.0} nodes");
    room::within(&place, count * VECTOR, most, || coarser(step, count * VECTOR / most as f64))?;
    Ok(Nodes::over(bounds, steps * step))
}

/// Fails where `poses` poses of `anchors` anchors each are too many to be kept.
pub(super) fn poses(poses: f64, anchors: usize, step: f32) -> Result<()> {
    let need = poses * anchors as f64 * 2.0 * VECTOR;
    let place = format!("parameter `step`: {anchors} anchors in {poses:.0} poses");
    // Poses go with the step, not with its cube.
    room::within(&place, need, MEMORY, || {
        format!("use a `step` of {:.3} or more", step * (need / MEMORY as f64) as f32)
    })
}

/// What to do where a lattice of spacing `step` is `over` times as large as it may be.
fn coarser(step: f32, over: f64) -> String {
    // A tenth more, for the nodes around the box.
    let step = f64::from(step) * over.cbrt() * 1.1;
    match step {
        step if step <= 1.0 => format!("use a `step` of {step:.3} or more, or a smaller `core` and `radius`"),
        _ => "use a smaller `core` and `radius`, or a larger `step`; they are in units of the volume".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(half: f32) -> Bounds {
        Bounds { low: [-half; 3], high: [half; 3] }
    }

    #[test]
    fn a_lattice_that_fits_is_made() {
        assert_eq!(lattice(cube(1.0), 0.03, 4.0, 13).unwrap(), Nodes::over(cube(1.0), 0.12));
    }

    #[test]
    fn a_lattice_that_does_not_names_parameters_size_and_limit() {
        let error = lattice(cube(30.0), 0.004, 4.0, 13).unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameters `core`, `radius` and `step`: a lattice of 3753x3753x3753 nodes needs 634.3 GB, the most is 83 MB"
        );
        assert_eq!(
            error.hint_text(),
            Some("use a `step` of 0.087 or more, or a smaller `core` and `radius`")
        );
        lattice(cube(30.0), 0.087, 4.0, 13).unwrap();
        let error = lattice(cube(f32::MAX), 0.004, 1.0, 1).unwrap_err();
        assert!(error.hint_text().unwrap().starts_with("use a smaller `core`"), "{error}");
    }

    #[test]
    fn poses_are_bounded_too() {
        poses(300.0, 9000, 0.03).unwrap();
        let error = poses(30_000.0, 9000, 0.002).unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameter `step`: 9000 anchors in 30000 poses needs 6.5 GB, the most is 1.1 GB"
        );
        poses(30_000.0 * 0.002 / 0.013, 9000, 0.013).unwrap();
    }
}
