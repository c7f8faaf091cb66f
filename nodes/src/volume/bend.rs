//! A frame's displacement as the tensors that the role `render` takes.

use crate::{
    error::Result,
    geometry::deformation::{Bend, Tabulated},
    tensor::{Tensor, Tensors},
};

/// `motion`, `motion_box`, `detail`, `detail_box` of a bend.
pub fn tensors(bend: &Bend) -> Result<Tensors> {
    let mut tensors = Tensors::new();
    for (name, part) in [("motion", &bend.motion), ("detail", &bend.detail)] {
        let (lattice, corners) = match part {
            Some(part) => lattice(part)?,
            None => (Tensor::f32([1, 3, 2, 2, 2], vec![0.0; 24])?, vec![-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]),
        };
        tensors.0.insert(name.into(), lattice);
        tensors.0.insert(format!("{name}_box"), Tensor::f32([2, 3], corners)?);
    }
    Ok(tensors)
}

/// The values [1,3,z,y,x], and the first node and the last.
fn lattice(part: &Tabulated) -> Result<(Tensor, Vec<f32>)> {
    let [columns, rows, layers] = part.nodes.size;
    let mut values = Vec::with_capacity(3 * part.values.len());
    for axis in 0..3 {
        values.extend(part.values.iter().map(|value| value[axis]));
    }
    Ok((Tensor::f32([1, 3, layers, rows, columns], values)?, [part.nodes.low, part.nodes.high()].concat()))
}
