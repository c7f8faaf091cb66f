//! Pictures as tensors and back.

use image::{
    RgbImage,
    imageops::{FilterType, resize},
};

use crate::{
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
};

/// The pictures in `frames` u8 [n,H,W,3].
pub(crate) fn frames(tensors: &Tensors) -> Result<Vec<RgbImage>> {
    let tensor = tensors.get("frames")?;
    let &[_, height, width, 3] = tensor.shape() else {
        return Err(NodeError::input(format!("`frames`: expected [n,H,W,3], found {:?}", tensor.shape())));
    };
    if width == 0 || height == 0 {
        return Err(NodeError::input(format!("`frames`: expected pictures, found {:?}", tensor.shape())));
    }
    let pictures = tensor.as_u8()?.chunks_exact(width * height * 3);
    let pictures = pictures.map(|bytes| RgbImage::from_raw(width as u32, height as u32, bytes.to_vec()));
    // A chunk has exactly the bytes of a picture, so none is lost here.
    Ok(pictures.flatten().collect())
}

/// Pictures at `width` x `height` as [n,3,H,W]; `value` maps channel and a number in [0,1] to what a network wants. Shrinking
/// averages over each pixel's area.
pub(crate) fn planes(
    pictures: &[RgbImage],
    (width, height): (usize, usize),
    value: impl Fn(usize, f32) -> f32,
) -> Result<Tensor> {
    let mut data = Vec::with_capacity(pictures.len() * 3 * width * height);
    for picture in pictures {
        let scaled = scaled(picture, width, height);
        for channel in 0..3 {
            data.extend(scaled.pixels().map(|pixel| value(channel, f32::from(pixel.0[channel]) / 255.0)));
        }
    }
    Tensor::f32([pictures.len(), 3, height, width], data)
}

/// The picture at another size.
pub(crate) fn scaled(picture: &RgbImage, width: usize, height: usize) -> RgbImage {
    if picture.dimensions() == (width as u32, height as u32) {
        return picture.clone();
    }
    resize(picture, width as u32, height as u32, FilterType::Triangle)
}

/// A network's picture f32 [1,3,H,W] in [-1,1] as 8-bit RGB: x·127.5 + 128, as the published code rounds.
pub(crate) fn from_planes(tensor: &Tensor) -> Result<RgbImage> {
    let &[1, 3, height, width] = tensor.shape() else {
        return Err(NodeError::model(format!("picture: expected [1,3,H,W], found {:?}", tensor.shape())));
    };
    let data = tensor.as_f32()?;
    Ok(RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = y as usize * width + x as usize;
        image::Rgb(std::array::from_fn(|c| {
            (data[c * width * height + at] * 127.5 + 128.0).clamp(0.0, 255.0) as u8
        }))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_planes_keep_the_order_of_pixels() {
        let bytes: Vec<u8> = (0..2 * 2 * 3 * 3).collect();
        let tensors = Tensors::new().with("frames", Tensor::u8([2, 2, 3, 3], bytes).unwrap());
        let frames = frames(&tensors).unwrap();
        assert_eq!((frames.len(), frames[1].get_pixel(2, 1).0), (2, [33, 34, 35]));
        let planes = planes(&frames, (3, 2), |_, value| value * 255.0).unwrap();
        assert_eq!(planes.shape(), [2, 3, 2, 3]);
        assert_eq!(planes.as_f32().unwrap()[..7], [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 1.0]);
        let wrong = Tensors::new().with("frames", Tensor::u8([2, 2, 3], vec![0; 12]).unwrap());
        assert!(
            super::frames(&wrong).unwrap_err().to_string().contains("expected [n,H,W,3], found [2, 2, 3]")
        );
    }

    #[test]
    fn network_pictures_round_as_published() {
        let tensor = Tensor::f32([1, 3, 1, 2], vec![-1.0, 1.0, 0.0, -2.0, 0.5, 2.0]).unwrap();
        let picture = from_planes(&tensor).unwrap();
        assert_eq!((picture.get_pixel(0, 0).0, picture.get_pixel(1, 0).0), ([0, 128, 191], [255, 0, 255]));
    }
}
