use super::inside::{self, Inside};
use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    geometry::resample,
    kept::Kept,
    models::Models,
    params::Params,
    runtime::Values,
    tensor::{Tensor, Tensors},
    volume,
};

pub(super) struct Finish {
    /// How a mask becomes as coarse as features.
    shrink: Shrink,
    /// The person's state.
    state: Kept<Values>,
}

/// Makes a plane of one width and height one of another.
type Shrink = fn(&[f32], (usize, usize), (usize, usize)) -> Result<Vec<f32>>;

impl Finish {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let shrink = match params.text("shrink")? {
            "bicubic" => resample::bicubic,
            _ => resample::resize,
        };
        Ok(Self { shrink, state: Kept::default() })
    }

    fn state(&self, inputs: &Inputs, models: &Models) -> Result<Values> {
        self.state.get(models, || volume::prepare(models, inputs.tensors("identity")?))
    }
}

impl MapBody for Finish {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let state = self.state(inputs, ctx.models)?;
        let features = four(inputs, "features", "features")?;
        let shape = features.shape();
        let painted = match (inputs.has("inpainted"), inputs.has("mask")) {
            (true, true) => {
                let left = ctx.models.pack()?.unblended();
                Some((Painted::of(inputs, shape, left)?, four(inputs, "mask", "mask")?))
            }
            (false, false) => None,
            _ => {
                return Err(NodeError::input(
                    "ports `inpainted` and `mask`: one is connected without the other",
                )
                .hint("connect both, or neither"));
            }
        };
        if let Some((_, mask)) = &painted
            && (mask.shape()[0] != shape[0] || mask.shape()[1] != 1)
        {
            return Err(NodeError::input(format!(
                "port `mask`: shape {:?}, expected [{},1,H,W]",
                mask.shape(),
                shape[0]
            )));
        }
        let one = [1, shape[1], shape[2], shape[3]];
        let size = one.iter().product::<usize>().max(1);
        let mut masks = vec![];
        if let Some((_, mask)) = &painted {
            let from = (mask.shape()[3], mask.shape()[2]);
            let frames = mask.as_f32()?.chunks_exact((from.0 * from.1).max(1));
            masks =
                frames.map(|mask| (self.shrink)(mask, from, (shape[3], shape[2]))).collect::<Result<_>>()?;
        }
        let mut inside = match &painted {
            Some((painted, _)) => Inside::of(ctx.models, inputs, painted, &masks, shape[3])?,
            None => None,
        };
        let mut pixels = vec![];
        let mut side = (0, 0);
        for (frame, row) in features.as_f32()?.chunks_exact(size).enumerate() {
            ctx.check_cancelled()?;
            let mut row = row.to_vec();
            if let Some((painted, mask)) = &painted {
                if let Some(inside) = &mut inside {
                    let from = (mask.shape()[3], mask.shape()[2]);
                    let mask = &mask.as_f32()?[frame * from.0 * from.1..][..from.0 * from.1];
                    inside.push(ctx.models, &state, frame, (&row, shape[3]), (mask, from))?;
                }
                painted.blend(frame, &mut row, &masks[frame], shape[3]);
            }
            let image = volume::upsample(ctx.models, &state, Tensor::f32(one, row)?)?;
            let &[1, 3, height, width] = image.shape() else {
                return Err(NodeError::model(format!(
                    "role `upsample`: expected an image [1,3,P,P], found {:?}",
                    image.shape()
                )));
            };
            side = (height, width);
            append(&mut pixels, image.as_f32()?, height * width);
        }
        let frames = Tensor::u8([shape[0], side.0, side.1, 3], pixels)?;
        Ok(Outputs::from([
            ("frames".to_owned(), Value::Tensors(Tensors::new().with("frames", frames))),
            ("inside".to_owned(), inside::value(inside)?),
        ]))
    }
}

/// The f32 tensor `name` [n,·,·,·] at `port`.
pub(super) fn four<'a>(inputs: &'a Inputs, port: &str, name: &str) -> Result<&'a Tensor> {
    let tensor = inputs.tensors(port)?.get(name).map_err(|error| error.at_port(port))?;
    tensor.as_f32().map_err(|error| error.at_port(port))?;
    match tensor.shape() {
        [_, _, _, _] => Ok(tensor),
        other => Err(NodeError::input(format!("port `{port}`: `{name}`: expected 4 sizes, found {other:?}"))),
    }
}

/// Features that show the inside of the mouth, of the whole picture or of a window of it.
pub(super) struct Painted<'a> {
    features: &'a [f32],
    /// Channels, rows, columns.
    pub(super) size: [usize; 3],
    /// First row and column in the picture.
    pub(super) corner: [usize; 2],
    /// How many channels are blended, the first ones.
    pub(super) blended: usize,
}

impl<'a> Painted<'a> {
    /// Those at the port `inpainted`, which must fit into features of `shape`. `left` last channels are left alone.
    fn of(inputs: &'a Inputs, shape: &[usize], left: usize) -> Result<Self> {
        let features = four(inputs, "inpainted", "features")?;
        let corner = match inputs.tensors("inpainted")?.0.get("corner") {
            None => [0, 0],
            Some(corner) => match *corner.as_i64().map_err(|error| error.at_port("inpainted"))? {
                [row, column] => [row, column].map(|x| usize::try_from(x).unwrap_or(usize::MAX)),
                ref other => {
                    return Err(NodeError::input(format!(
                        "port `inpainted`: `corner`: expected row and column, found {} numbers",
                        other.len()
                    )));
                }
            },
        };
        let &[frames, channels, rows, columns] = features.shape() else {
            return Err(NodeError::input("port `inpainted`: `features`: expected 4 sizes"));
        };
        let ends = [corner[0].saturating_add(rows), corner[1].saturating_add(columns)];
        if [frames, channels] != shape[..2] || ends[0] > shape[2] || ends[1] > shape[3] {
            return Err(NodeError::input(format!(
                "port `inpainted`: shape {:?} at row {}, column {} does not fit {shape:?}, the shape of `features`",
                features.shape(),
                corner[0],
                corner[1]
            )));
        }
        let (features, blended) = (features.as_f32()?, channels.saturating_sub(left));
        Ok(Self { features, size: [channels, rows, columns], corner, blended })
    }

    /// Moves each channel of `features`, of `width` columns, towards those of frame `frame` by the mask.
    fn blend(&self, frame: usize, features: &mut [f32], mask: &[f32], width: usize) {
        let [channels, rows, columns] = self.size;
        let from = &self.features[frame * channels * rows * columns..];
        for (line, painted) in from.chunks_exact(columns.max(1)).take(self.blended * rows).enumerate() {
            let (channel, row) = (line / rows, line % rows + self.corner[0]);
            let at = row * width + self.corner[1];
            let features = &mut features[channel * mask.len() + at..][..columns];
            for ((feature, painted), mask) in features.iter_mut().zip(painted).zip(&mask[at..]) {
                *feature += mask * (painted - *feature);
            }
        }
    }
}

/// Appends a picture of planes in [-1,1] as interleaved bytes, as published: x·127.5 + 128, clamped, cut to whole numbers.
pub(super) fn append(pixels: &mut Vec<u8>, planes: &[f32], area: usize) {
    let from = pixels.len();
    pixels.resize(from + 3 * area, 0);
    let (red, rest) = planes.split_at(area);
    let (green, blue) = rest.split_at(area);
    let byte = |x: &f32| (x * 127.5 + 128.0) as u8;
    for (pixel, ((r, g), b)) in
        pixels[from..].as_chunks_mut().0.iter_mut().zip(red.iter().zip(green).zip(blue))
    {
        *pixel = [byte(r), byte(g), byte(b)];
    }
}
