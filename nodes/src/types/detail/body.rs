use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use wide::f32x4;

use super::{
    compose::{Frame, Places, Steps},
    contract,
    layers::{Layers, Rest, extended},
    maps::Rays,
};
use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    geometry::{
        enlarge::{Enlarge, Part},
        resample,
    },
    models::Models,
    params::Params,
    tensor::{Tensor, Tensors},
    types::align::crop::square,
    volume::{self, Frames, Window},
    warp::{self, Border},
};

pub(super) struct Sharpen {
    size: String,
    photo: Mutex<Option<Arc<Photo>>>,
}

/// What stays the same in all chunks.
struct Photo {
    layers: Layers,
    enlarge: Enlarge,
    /// For what is painted, at twice the generator's pitch.
    finer: Enlarge,
}

impl Sharpen {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self { size: params.text("size")?.to_owned(), photo: Mutex::new(None) })
    }

    /// The photo in layers, made by whichever chunk comes first. `own` is the side of the generator's frames.
    fn photo(&self, inputs: &Inputs, ctx: &Context<'_>, own: usize) -> Result<Arc<Photo>> {
        let mut slot = self.photo.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(photo) = &*slot {
            return Ok(Arc::clone(photo));
        }
        let square = square(inputs.json("crop")?)?;
        let side = contract::side(&self.size, Some(2.0 * square.half), own);
        let rest = rest(inputs, ctx.models)?;
        let pixels = warp::cut(inputs.image("photo")?, square, side, Border::Mirror);
        let photo = Arc::new(Photo {
            layers: Layers::new(&pixels, side, &rest),
            enlarge: Enlarge::new(own, side),
            finer: Enlarge::new(2 * own, side),
        });
        ctx.host.note("size", json!(side));
        *slot = Some(Arc::clone(&photo));
        Ok(photo)
    }

    /// Frames enlarged, where there is no photo.
    fn enlarged(&self, frames: &[u8], count: usize, own: usize, ctx: &Context<'_>) -> Result<Tensor> {
        let side = contract::side(&self.size, None, own);
        ctx.host.note("size", json!(side));
        ctx.host.note("enlarged", json!("by Lanczos' kernel: there is no photo whose detail could be taken"));
        let enlarge = Enlarge::new(own, side);
        let mut out = Vec::with_capacity(count * side * side * 3);
        for frame in frames.chunks_exact(own * own * 3) {
            ctx.check_cancelled()?;
            let large = enlarge.whole(&wide(pixels(frame, |_| 0.0)));
            let bytes = large.iter().map(|pixel| pixel.to_array().map(|x| (x + 0.5) as u8));
            out.extend(bytes.flat_map(|[r, g, b, _]| [r, g, b]));
        }
        Tensor::u8([count, side, side, 3], out)
    }
}

impl MapBody for Sharpen {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let tensor = inputs.tensors("frames")?.get("frames")?;
        let bytes = tensor.as_u8().map_err(|error| error.at_port("frames"))?;
        let &[count, own, width, 3] = tensor.shape() else { return Err(not_square(tensor)) };
        if own != width || own == 0 {
            return Err(not_square(tensor));
        }
        let frames = if !inputs.has("photo") {
            self.enlarged(bytes, count, own, ctx)?
        } else if inputs.tensors("correspondence")?.0.is_empty() {
            ctx.host.note("size", json!(own));
            ctx.host.note("unchanged", json!("the pack's role `render` gives no `source`: no one knows where in the photo a ray's surface is"));
            tensor.clone()
        } else {
            self.sharpened(inputs, ctx, bytes, count, own)?
        };
        Ok(Outputs::from([("frames".to_owned(), Value::Tensors(Tensors::new().with("frames", frames)))]))
    }
}

impl Sharpen {
    fn sharpened(
        &self,
        inputs: &Inputs,
        ctx: &Context<'_>,
        bytes: &[u8],
        count: usize,
        own: usize,
    ) -> Result<Tensor> {
        let photo = self.photo(inputs, ctx, own)?;
        let (side, rays) = (photo.layers.side, photo.layers.rays);
        let plane = |port: &str, name: &str, channels: usize| -> Result<&[f32]> {
            let tensor = inputs.tensors(port)?.get(name).map_err(|error| error.at_port(port))?;
            match tensor.shape() {
                &[n, c, h, w] if [n, c, h, w] == [count, channels, rays, rays] => tensor.as_f32(),
                other => Err(NodeError::input(format!(
                    "port `{port}`: `{name}`: expected [{count},{channels},{rays},{rays}], found {other:?}"
                ))),
            }
        };
        let alpha = plane("features", "alpha", 1)?;
        let (flow, visible) = (plane("correspondence", "flow", 2)?, plane("correspondence", "visible", 1)?);
        let edges = edges(inputs, count)?;
        let masks = masks(inputs, count, own)?;
        let inside = inside(inputs, count)?;
        let (area, mut out) = (rays * rays, vec![0; count * side * side * 3]);
        let mut steps = None;
        for (n, out) in out.chunks_exact_mut(side * side * 3).enumerate() {
            ctx.check_cancelled()?;
            let rays_of = Rays {
                alpha: &alpha[n * area..][..area],
                flow: &flow[2 * n * area..][..2 * area],
                visible: &visible[n * area..][..area],
            };
            let painted = |at: usize| masks.get(n).map_or(0.0, |mask| mask[at]);
            let frame = pixels(&bytes[n * own * own * 3..][..own * own * 3], painted);
            let fine = inside.as_ref().map(|inside| inside.frame(n));
            let part = inside.as_ref().zip(fine.as_deref()).map(|(inside, pixels)| {
                (Part { pixels, corner: inside.corner, size: inside.size }, &photo.finer)
            });
            let still = rays_of.still(&frame, &photo.layers);
            let cover = rays_of
                .cover(edges.map(|edges| &edges[n * edges.len() / count..][..edges.len() / count]), rays);
            let steps = steps.get_or_insert_with(|| Places {
                rays: Steps::new(rays, side),
                cover: Steps::new(cover.side, side),
            });
            let frame = Frame {
                layers: &photo.layers,
                still: &still,
                rendered: &extended(frame, own, rays_of.alpha, rays),
                enlarge: &photo.enlarge,
                own,
                inside: part,
                maps: &rays_of.maps(&photo.layers),
                cover: &cover,
                steps,
            };
            frame.compose(out);
        }
        Tensor::u8([count, side, side, 3], out)
    }
}

/// The head's edge finer than rays, all frames'; where the renderer looked for it.
fn edges(inputs: &Inputs, count: usize) -> Result<Option<&[u8]>> {
    let Some(tensor) = inputs.tensors("correspondence")?.0.get("edge") else { return Ok(None) };
    match tensor.shape() {
        &[n, 1, height, width] if n == count && height == width && width > 0 => tensor.as_u8().map(Some),
        other => Err(NodeError::input(format!(
            "port `correspondence`: `edge`: expected [{count},1,S,S], found {other:?}"
        ))),
    }
}

/// What is painted, at twice the generator's pitch.
struct Inside<'a> {
    bytes: &'a [u8],
    corner: [usize; 2],
    size: [usize; 2],
}

impl Inside<'_> {
    fn frame(&self, n: usize) -> Vec<f32x4> {
        let bytes = self.size[0] * self.size[1] * 3;
        wide(pixels(&self.bytes[n * bytes..][..bytes], |_| 0.0))
    }
}

/// The port `inside`, where it is connected and has anything.
fn inside(inputs: &Inputs, count: usize) -> Result<Option<Inside<'_>>> {
    if !inputs.has("inside") {
        return Ok(None);
    }
    let tensors = inputs.tensors("inside")?;
    let (Some(frames), Some(corner)) = (tensors.0.get("frames"), tensors.0.get("corner")) else {
        return Ok(None);
    };
    match (frames.shape(), corner.as_i64()?) {
        (&[n, height, width, 3], &[row, column]) if n == count && height > 0 && width > 0 => {
            let corner = [row, column].map(|x| usize::try_from(x).unwrap_or(0));
            Ok(Some(Inside { bytes: frames.as_u8()?, corner, size: [height, width] }))
        }
        (shape, _) => Err(NodeError::input(format!(
            "port `inside`: expected frames [{count},h,w,3] and their corner, found {shape:?}"
        ))),
    }
}

fn not_square(tensor: &Tensor) -> NodeError {
    NodeError::input(format!("port `frames`: expected square frames [n,P,P,3], found {:?}", tensor.shape()))
}

/// Bytes as colours in [0,255] with a fourth number each.
fn pixels(frame: &[u8], fourth: impl Fn(usize) -> f32) -> Vec<[f32; 4]> {
    let pixels = frame.as_chunks::<3>().0.iter().enumerate();
    pixels.map(|(at, rgb)| [rgb[0].into(), rgb[1].into(), rgb[2].into(), fourth(at)]).collect()
}

fn wide(pixels: Vec<[f32; 4]>) -> Vec<f32x4> {
    pixels.into_iter().map(f32x4::from).collect()
}

/// The mask of each frame at `own` x `own` pixels; none where the port is not connected.
fn masks(inputs: &Inputs, count: usize, own: usize) -> Result<Vec<Vec<f32>>> {
    if !inputs.has("mask") {
        return Ok(vec![]);
    }
    let tensor = inputs.tensors("mask")?.get("mask")?;
    let &[n, 1, height, width] = tensor.shape() else {
        return Err(NodeError::input(format!("port `mask`: expected [n,1,H,W], found {:?}", tensor.shape())));
    };
    if n != count {
        return Err(NodeError::input(format!("port `mask`: {n} masks for {count} frames")));
    }
    let masks = tensor.as_f32()?.chunks_exact((height * width).max(1));
    masks.map(|mask| resample::resize(mask, (width, height), (own, own))).collect()
}

/// Renders the person at rest, from the photo's own camera.
fn rest(inputs: &Inputs, models: &Models) -> Result<Rest> {
    let mut state = volume::prepare(models, inputs.tensors("identity")?)?;
    volume::survey(models, &mut state)?;
    let layout = models.pack()?.coefficients();
    let pose = layout.pose_of(volume::reference(inputs, layout)?)?;
    let rays = volume::Rays::cast(models, &state, pose)?;
    let mut frames = Frames::blank(1, rays.side(), Window::whole(rays.side()));
    rays.render(models, &state, &volume::rest(models)?, &mut frames, 0)?;
    let image = volume::upsample(models, &state, frames.features(0)?)?;
    let &[1, 3, side, width] = image.shape() else {
        return Err(NodeError::model(format!(
            "role `upsample`: expected [1,3,P,P], found {:?}",
            image.shape()
        )));
    };
    let planes = image.as_f32()?;
    let byte = |x: f32| (x * 127.5 + 127.5).clamp(0.0, 255.0);
    let area = side * width;
    let frame =
        (0..area).map(|at| [byte(planes[at]), byte(planes[area + at]), byte(planes[2 * area + at]), 0.0]);
    Ok(Rest { frame: frame.collect(), side, alpha: frames.alpha(0).to_vec(), rays: rays.side() })
}
