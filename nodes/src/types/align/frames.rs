use image::RgbImage;
use serde_json::json;

use super::{
    choice::{Choice, nearest},
    mesh::{Mesh, POINTS},
    photo::search,
};
use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody},
    error::{NodeError, Result},
    pictures,
    tensor::{Tensor, Tensors},
    warp::{self, Border, Square},
};

pub(super) struct Track {
    pub(super) side: usize,
    pub(super) choice: Choice,
}

/// What goes from chunk to chunk.
struct State {
    /// The crop of all frames.
    crop: Square,
    /// Where the face was last; `None` when it was lost.
    region: Option<Square>,
    /// The landmarks last seen, in [0,1] of the crop.
    landmarks: Vec<f32>,
}

impl ScanBody for Track {
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        ctx: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        let frames = pictures::frames(inputs.tensors("frames")?)?;
        let mut state = match state {
            Some(state) => State::read(state)?,
            None => State::first(&frames, self.choice, ctx)?,
        };
        let (mut cropped, mut landmarks, mut lost) = (vec![], vec![], 0);
        for frame in &frames {
            ctx.check_cancelled()?;
            let mesh = match state.region {
                Some(region) => Mesh::find(ctx.models, frame, region)?,
                None => None,
            };
            let mesh = match mesh {
                Some(mesh) => Some(mesh),
                None => nearest(search(frame, ctx)?, state.crop),
            };
            match mesh {
                Some(mesh) => {
                    state.region = Some(mesh.region());
                    state.landmarks = mesh.within(state.crop);
                }
                None => {
                    state.region = None;
                    lost += 1;
                }
            }
            landmarks.extend_from_slice(&state.landmarks);
            let pixels = warp::cut(frame, state.crop, self.side, Border::Mirror);
            cropped.extend(pixels.iter().map(|value| value.round() as u8));
        }
        if lost > 0 {
            ctx.host.note("frames_without_face", json!(lost));
        }
        let count = frames.len();
        let cropped = Tensors::new().with("frames", Tensor::u8([count, self.side, self.side, 3], cropped)?);
        let landmarks = Tensors::new().with("landmarks", Tensor::f32([count, POINTS, 2], landmarks)?);
        let outputs = [
            ("frames".to_owned(), Value::Tensors(cropped)),
            ("landmarks".to_owned(), Value::Tensors(landmarks)),
        ];
        Ok((outputs.into(), state.write()?))
    }
}

impl State {
    /// The crop comes from the first frame that shows a face.
    fn first(frames: &[RgbImage], choice: Choice, ctx: &Context<'_>) -> Result<Self> {
        for frame in frames {
            ctx.check_cancelled()?;
            let mut faces = search(frame, ctx)?;
            if faces.is_empty() {
                continue;
            }
            choice.apply(&mut faces, ctx)?;
            if let Some((_, mesh)) = faces.first() {
                let crop = mesh.crop(false);
                return Ok(Self { crop, region: Some(mesh.region()), landmarks: mesh.within(crop) });
            }
        }
        Err(NodeError::input(format!("no face found in the first {} frames", frames.len()))
            .hint("start the driving clip where the face is seen"))
    }

    fn write(&self) -> Result<Tensors> {
        let square = |square: Square| vec![square.centre[0], square.centre[1], square.half, square.angle];
        let state = Tensors::new()
            .with("crop", Tensor::f64([4], square(self.crop))?)
            .with("landmarks", Tensor::f32([POINTS, 2], self.landmarks.clone())?);
        match self.region {
            Some(region) => Ok(state.with("region", Tensor::f64([4], square(region))?)),
            None => Ok(state),
        }
    }

    fn read(state: &Tensors) -> Result<Self> {
        let square = |tensor: &Tensor| match tensor.as_f64()? {
            &[x, y, half, angle] => Ok(Square { centre: [x, y], half, angle }),
            other => {
                Err(NodeError::input(format!("align's state: expected 4 numbers, found {}", other.len())))
            }
        };
        Ok(Self {
            crop: square(state.get("crop")?)?,
            region: state.0.get("region").map(square).transpose()?,
            landmarks: state.get("landmarks")?.as_f32()?.to_vec(),
        })
    }
}
