//! Resizing of one plane of floats.

use image::{
    ImageBuffer, Luma,
    imageops::{self, FilterType},
};

use crate::error::{NodeError, Result};

/// `plane` of `from` = (width, height) resized to `to`: bilinear, with the filter widened where the picture shrinks so
/// that nothing aliases.
pub fn resize(plane: &[f32], from: (usize, usize), to: (usize, usize)) -> Result<Vec<f32>> {
    if from == to && plane.len() == from.0 * from.1 {
        return Ok(plane.to_vec());
    }
    let buffer = ImageBuffer::<Luma<f32>, _>::from_raw(from.0 as u32, from.1 as u32, plane)
        .filter(|_| plane.len() == from.0 * from.1 && !plane.is_empty() && to.0 > 0 && to.1 > 0)
        .ok_or_else(|| {
            NodeError::input(format!("{} pixels are no picture of {}x{}", plane.len(), from.0, from.1))
        })?;
    Ok(imageops::resize(&buffer, to.0 as u32, to.1 as u32, FilterType::Triangle).into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_kept_and_values_are_not_cut() {
        let plane: Vec<f32> = (0..64).map(|i| if i % 8 < 4 { -3.0 } else { 5.0 }).collect();
        let small = resize(&plane, (8, 8), (2, 2)).unwrap();
        assert_eq!(small.len(), 4);
        assert!(small[0] < -1.5 && small[1] > 3.5, "{small:?}");
        assert!((small.iter().sum::<f32>() / 4.0 - 1.0).abs() < 1e-4);
        assert_eq!(resize(&plane, (8, 8), (8, 8)).unwrap(), plane);
        assert!(resize(&plane, (7, 8), (2, 2)).is_err());
    }
}
