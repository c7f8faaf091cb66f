use std::sync::{Arc, Mutex, PoisonError};

use image::{RgbImage, imageops};
use rayon::prelude::*;

use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    params::Params,
    pictures::Clip,
    room,
    tensor::{Tensor, Tensors},
    types::align::crop::square,
    warp::{self, Border, Square, catmull_rom},
};

/// The most memory, in bytes, of the frames of one chunk.
const MOST: u64 = 4 << 30;

pub(super) struct Paste {
    max_side: u32,
    feather: f64,
    scene: Mutex<Option<Arc<Scene>>>,
}

/// What stays the same in all chunks.
struct Scene {
    /// The photo at the frames' size, with even sides.
    photo: RgbImage,
    /// The crop in it.
    square: Square,
    /// The crop at the size of the frames that come, RGB in [0,255].
    crop: Vec<f32>,
    /// Side of the frames that come.
    side: usize,
    /// First row and column of the part of the photo that may change, and its rows and columns.
    corner: [usize; 2],
    part: [usize; 2],
}

impl Paste {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self {
            max_side: u32::try_from(params.int("max_side")?).unwrap_or(u32::MAX),
            feather: params.float("feather")?,
            scene: Mutex::new(None),
        })
    }

    fn scene(&self, inputs: &Inputs, side: usize) -> Result<Arc<Scene>> {
        let mut slot = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scene) = &*slot {
            return Ok(Arc::clone(scene));
        }
        let scene =
            Arc::new(Scene::new(inputs.image("photo")?, square(inputs.json("crop")?)?, side, self.max_side)?);
        *slot = Some(Arc::clone(&scene));
        Ok(scene)
    }
}

impl Scene {
    fn new(photo: &RgbImage, square: Square, side: usize, max_side: u32) -> Result<Self> {
        let (width, height) = photo.dimensions();
        let scale = (f64::from(max_side) / f64::from(width.max(height))).min(1.0);
        let scaled = if scale < 1.0 {
            let size = |n: u32| (f64::from(n) * scale).round().max(2.0) as u32;
            imageops::resize(photo, size(width), size(height), imageops::FilterType::CatmullRom)
        } else {
            photo.clone()
        };
        let even = |n: u32| n / 2 * 2;
        let (width, height) = (even(scaled.width()), even(scaled.height()));
        if width == 0 || height == 0 {
            return Err(NodeError::input(format!(
                "port `photo`: {}x{} pixels, expected at least 2x2",
                photo.width(),
                photo.height()
            )));
        }
        let photo = imageops::crop_imm(&scaled, 0, 0, width, height).to_image();
        let square = Square { centre: square.centre.map(|x| x * scale), half: square.half * scale, ..square };
        let crop = warp::cut(&photo, square, side, Border::Mirror);
        let corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].map(|at| square.to_picture(at));
        let range = |axis: usize, size: u32| {
            let all = corners.map(|corner| corner[axis]);
            let low = all.into_iter().fold(f64::MAX, f64::min).floor().clamp(0.0, f64::from(size - 1));
            let high = all.into_iter().fold(f64::MIN, f64::max).ceil().clamp(low + 1.0, f64::from(size));
            (low as usize, high as usize)
        };
        let (columns, rows) = (range(0, width), range(1, height));
        Ok(Self {
            photo,
            square,
            crop,
            side,
            corner: [rows.0, columns.0],
            part: [rows.1 - rows.0, columns.1 - columns.0],
        })
    }

    /// Writes the part that may change, as `frame` has it, into `out`.
    fn paste(&self, frame: &[u8], feather: f64, out: &mut [u8]) {
        let difference: Vec<[f32; 3]> = frame
            .as_chunks::<3>()
            .0
            .iter()
            .zip(self.crop.as_chunks::<3>().0)
            .map(|(now, before)| [0, 1, 2].map(|c| f32::from(now[c]) - before[c].round()))
            .collect();
        let scale = self.side as f64 / (2.0 * self.square.half);
        // Several samples a pixel where the frame has more pixels than its place in the photo.
        let samples = (scale - 0.25).ceil().max(1.0) as usize;
        let width = self.part[1];
        out.par_chunks_exact_mut(3 * width).enumerate().for_each(|(row, line)| {
            let y = row + self.corner[0];
            for (column, pixel) in line.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let x = column + self.corner[1];
                *pixel = self.photo.get_pixel(x as u32, y as u32).0;
                let mut sum = [0.0; 3];
                for k in 0..samples * samples {
                    let within = |k: usize| (k as f64 + 0.5) / samples as f64;
                    let at =
                        self.square.locate([x as f64 + within(k % samples), y as f64 + within(k / samples)]);
                    let light = fade(at, feather);
                    if light > 0.0 {
                        let found = cubic(&difference, self.side, at.map(|u| u * self.side as f64 - 0.5));
                        (0..3).for_each(|c| sum[c] += light * found[c]);
                    }
                }
                let count = (samples * samples) as f32;
                *pixel = [0, 1, 2].map(|c| (f32::from(pixel[c]) + sum[c] / count + 0.5) as u8);
            }
        });
    }
}

/// 1 in the middle of the crop, 0 at its rim.
fn fade([u, v]: [f64; 2], feather: f64) -> f32 {
    let rim = u.min(v).min(1.0 - u).min(1.0 - v);
    let t = if feather > 0.0 { (rim / feather).clamp(0.0, 1.0) } else { f64::from(rim >= 0.0) };
    (t * t * (3.0 - 2.0 * t)) as f32
}

/// Catmull-Rom interpolation of a `side` x `side` picture, held beyond its edges.
fn cubic(values: &[[f32; 3]], side: usize, [x, y]: [f64; 2]) -> [f32; 3] {
    let (column, row) = (x.floor(), y.floor());
    let (wx, wy) = (catmull_rom((x - column) as f32), catmull_rom((y - row) as f32));
    let place = |base: f64, k: usize| (base as isize + k as isize - 1).clamp(0, side as isize - 1) as usize;
    let mut sum = [0.0; 3];
    for (j, wy) in wy.into_iter().enumerate() {
        let line = &values[place(row, j) * side..][..side];
        for (i, wx) in wx.into_iter().enumerate() {
            let value = line[place(column, i)];
            (0..3).for_each(|c| sum[c] += wx * wy * value[c]);
        }
    }
    sum
}

impl MapBody for Paste {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let clip = Clip::of(inputs.tensors("frames")?).map_err(|error| error.at_port("frames"))?;
        let [side, width] = clip.size();
        if side != width {
            return Err(NodeError::input(format!(
                "port `frames`: expected the square that `align` cut, found {width}x{side} pixels"
            )));
        }
        let scene = self.scene(inputs, side)?;
        let [rows, columns] = scene.part;
        let (frames, need) = (clip.len(), clip.len() as f64 * rows as f64 * columns as f64 * 3.0);
        let place = format!("parameter `max_side`: a second of {frames} frames of {columns}x{rows}");
        room::within(&place, need, MOST, || "use a smaller `max_side`".into())?;
        let mut out = vec![0; frames * rows * columns * 3];
        for (k, out) in out.chunks_exact_mut(rows * columns * 3).enumerate() {
            ctx.check_cancelled()?;
            scene.paste(&clip.picture(k), self.feather, out);
        }
        let (photo, corner) = (&scene.photo, scene.corner.map(|x| x as i64));
        let size = [photo.height() as usize, photo.width() as usize, 3];
        let tensors = Tensors::new()
            .with("frames", Tensor::u8([clip.len(), rows, columns, 3], out)?)
            .with("corner", Tensor::i64([2], corner.to_vec())?)
            .with("canvas", Tensor::u8(size, photo.as_raw().clone())?);
        Ok(Outputs::from([("frames".to_owned(), Value::Tensors(tensors))]))
    }
}
