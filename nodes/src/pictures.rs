//! Pictures as tensors and back.

use std::borrow::Cow;

use image::{
    RgbImage,
    imageops::{FilterType, resize},
};

use crate::{
    error::{NodeError, Result},
    geometry::resample,
    tensor::{Tensor, Tensors},
};

/// Pictures along time: `frames` u8 [n,h,w,3]; where they are a part of larger pictures, with its first row and column in `corner` i64 [2]
/// and what is around it in `canvas` u8 [H,W,3].
pub(crate) struct Clip<'a> {
    pixels: &'a [u8],
    count: usize,
    /// Rows and columns of the part.
    part: [usize; 2],
    corner: [usize; 2],
    /// Rows and columns of the whole.
    size: [usize; 2],
    canvas: Option<&'a [u8]>,
}

impl<'a> Clip<'a> {
    /// The pictures of `tensors`.
    ///
    /// # Errors
    /// Tensors of other shapes, or a part that does not fit its canvas.
    pub(crate) fn of(tensors: &'a Tensors) -> Result<Self> {
        let tensor = tensors.get("frames")?;
        let &[count, height, width, 3] = tensor.shape() else {
            return Err(NodeError::input(format!(
                "`frames`: expected [n,H,W,3], found {:?}",
                tensor.shape()
            )));
        };
        if width == 0 || height == 0 {
            return Err(NodeError::input(format!("`frames`: expected images, found {:?}", tensor.shape())));
        }
        let (pixels, part) = (tensor.as_u8()?, [height, width]);
        let Some(canvas) = tensors.0.get("canvas") else {
            return Ok(Self { pixels, count, part, corner: [0, 0], size: part, canvas: None });
        };
        let corner = tensors.get("corner")?.as_i64()?;
        let corner =
            <[i64; 2]>::try_from(corner).ok().map(|at| at.map(|x| usize::try_from(x).unwrap_or(usize::MAX)));
        match (canvas.shape(), corner) {
            (&[rows, columns, 3], Some(corner))
                if corner[0].saturating_add(height) <= rows && corner[1].saturating_add(width) <= columns =>
            {
                Ok(Self { pixels, count, part, corner, size: [rows, columns], canvas: Some(canvas.as_u8()?) })
            }
            (shape, _) => Err(NodeError::input(format!(
                "`frames` of {width}x{height} pixels do not fit the `canvas` {shape:?} at their `corner`"
            ))),
        }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Rows and columns of a picture.
    pub(crate) fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Picture `k`, rows of RGB.
    pub(crate) fn picture(&self, k: usize) -> Cow<'a, [u8]> {
        let [height, width] = self.part;
        let part = &self.pixels[k * height * width * 3..][..height * width * 3];
        let Some(canvas) = self.canvas else { return Cow::Borrowed(part) };
        let mut whole = canvas.to_vec();
        let rows = whole.chunks_exact_mut(self.size[1] * 3).skip(self.corner[0]);
        for (to, from) in rows.zip(part.chunks_exact(width * 3)) {
            to[self.corner[1] * 3..][..width * 3].copy_from_slice(from);
        }
        Cow::Owned(whole)
    }
}

/// The pictures in `tensors`, whole.
pub(crate) fn frames(tensors: &Tensors) -> Result<Vec<RgbImage>> {
    let clip = Clip::of(tensors)?;
    let [height, width] = clip.size();
    let whole = |k| RgbImage::from_raw(width as u32, height as u32, clip.picture(k).into_owned());
    // A picture has exactly the bytes of its size, so none is lost here.
    Ok((0..clip.len()).filter_map(whole).collect())
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
            data.extend(plane(&scaled, channel).map(|x| value(channel, x)));
        }
    }
    Tensor::f32([pictures.len(), 3, height, width], data)
}

/// A picture at `width` x `height` as [1,3,H,W], read bicubically as [`resample::bicubic`] does; `value` as that of [`planes`], of numbers that
/// may lie a little outside [0,1].
pub(crate) fn bicubic_planes(
    picture: &RgbImage,
    (width, height): (usize, usize),
    value: impl Fn(usize, f32) -> f32,
) -> Result<Tensor> {
    let from = (picture.width() as usize, picture.height() as usize);
    let mut data = Vec::with_capacity(3 * width * height);
    for channel in 0..3 {
        let whole: Vec<f32> = plane(picture, channel).collect();
        let scaled = resample::bicubic(&whole, from, (width, height))?;
        data.extend(scaled.into_iter().map(|x| value(channel, x)));
    }
    Tensor::f32([1, 3, height, width], data)
}

/// A channel in [0,1], row by row.
fn plane(picture: &RgbImage, channel: usize) -> impl Iterator<Item = f32> + '_ {
    picture.pixels().map(move |pixel| f32::from(pixel.0[channel]) / 255.0)
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
        return Err(NodeError::model(format!("image: expected [1,3,H,W], found {:?}", tensor.shape())));
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
    fn bicubic_planes_overshoot_at_edges_and_keep_what_is_even() {
        let even = RgbImage::from_pixel(4, 4, image::Rgb([51, 102, 255]));
        let planes = bicubic_planes(&even, (7, 9), |_, value| value).unwrap();
        assert_eq!(planes.shape(), [1, 3, 9, 7]);
        for (plane, expected) in planes.as_f32().unwrap().chunks_exact(63).zip([0.2, 0.4, 1.0]) {
            assert!(plane.iter().all(|x| (x - expected).abs() < 1e-5), "{plane:?}");
        }
        let edge = RgbImage::from_fn(4, 4, |x, _| image::Rgb([if x < 2 { 0 } else { 255 }; 3]));
        let planes = bicubic_planes(&edge, (8, 8), |_, value| value).unwrap();
        assert!(planes.as_f32().unwrap().iter().any(|&x| x > 1.01));
    }

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
    fn parts_lie_on_their_canvas() {
        let clip = |corner: [i64; 2]| {
            Tensors::new()
                .with("frames", Tensor::u8([2, 1, 2, 3], (1..13).collect::<Vec<_>>()).unwrap())
                .with("corner", Tensor::i64([2], corner.to_vec()).unwrap())
                .with("canvas", Tensor::u8([2, 3, 3], vec![99; 18]).unwrap())
        };
        let found = frames(&clip([1, 1])).unwrap();
        assert_eq!((found.len(), found[0].dimensions()), (2, (3, 2)));
        assert_eq!(found[1].as_raw()[..12], [99; 12]);
        assert_eq!(found[1].as_raw()[12..], [7, 8, 9, 10, 11, 12]);
        for corner in [[2, 0], [0, 2], [-1, 0]] {
            assert!(frames(&clip(corner)).unwrap_err().to_string().contains("do not fit the `canvas`"));
        }
    }

    #[test]
    fn network_pictures_round_as_published() {
        let tensor = Tensor::f32([1, 3, 1, 2], vec![-1.0, 1.0, 0.0, -2.0, 0.5, 2.0]).unwrap();
        let picture = from_planes(&tensor).unwrap();
        assert_eq!((picture.get_pixel(0, 0).0, picture.get_pixel(1, 0).0), ([0, 128, 191], [255, 0, 255]));
    }
}
