use image::RgbImage;
use serde_json::json;

use super::{
    choice::Choice,
    mesh::{Mesh, POINTS, located},
    parts::{self, EYE},
    photo::search,
    shot::Shots,
};
use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody},
    error::{NodeError, Result},
    models::Models,
    pictures,
    tensor::{Tensor, Tensors},
    warp::{self, Border, Square},
};

pub(super) struct Track {
    pub(super) side: usize,
    pub(super) choice: Choice,
    /// Whether every frame has a crop of its own.
    pub(super) each: bool,
}

/// What goes from chunk to chunk.
struct State {
    /// The crop: of all frames, or of the last one with a face; before the first face the middle of the picture.
    crop: Square,
    /// Whether a face was seen yet.
    begun: bool,
    /// Where the face was last; `None` when it was lost.
    region: Option<Square>,
    /// What was last seen of the face.
    seen: Seen,
    shots: Shots,
}

/// What is seen of a face, in [0,1] of the crop.
#[derive(Clone, Default)]
struct Seen {
    landmarks: Vec<f32>,
    near: Vec<f32>,
    eyes: Vec<f32>,
}

/// The landmarks of a chunk's frames.
#[derive(Default)]
struct Rows {
    seen: Seen,
    found: Vec<u8>,
    shot: Vec<i64>,
    sharpness: Vec<f32>,
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
            None => State::before(&frames, ctx.models)?,
        };
        if !state.begun {
            state.begin(&frames, self.choice, ctx)?;
        }
        let (mut cropped, mut rows) = (vec![], Rows::default());
        for frame in &frames {
            ctx.check_cancelled()?;
            let look = state.shots.look(frame);
            let mesh = match state.region {
                Some(region) if !look.cut => Mesh::find_closer(ctx.models, frame, region)?,
                _ => None,
            };
            let mesh = match mesh {
                Some(mesh) => Some(mesh),
                None if !state.begun => None,
                None => match self.choice.again(search(frame, ctx)?, state.crop, look.cut) {
                    Some(found) => Mesh::find_closer(ctx.models, frame, found.region())?,
                    None => None,
                },
            };
            if let Some(mesh) = &mesh {
                if self.each {
                    state.crop = mesh.crop(false);
                }
                state.region = Some(mesh.region());
                state.shots.go_on(look);
                state.seen = Seen::of(mesh, state.crop);
            } else {
                state.region = None;
            }
            rows.found.push(u8::from(mesh.is_some()));
            rows.shot.push(state.shots.shot);
            rows.seen.add(&state.seen);
            let pixels = warp::cut(frame, state.crop, self.side, Border::Mirror);
            rows.sharpness.push(sharpness(&pixels, self.side, &state.seen.landmarks));
            cropped.extend(pixels.iter().map(|value| value.round() as u8));
        }
        let lost = rows.found.iter().filter(|&&found| found == 0).count();
        if lost > 0 {
            ctx.host.note("frames_without_face", json!(lost));
        }
        let count = frames.len();
        let cropped = Tensors::new().with("frames", Tensor::u8([count, self.side, self.side, 3], cropped)?);
        let outputs = [
            ("frames".to_owned(), Value::Tensors(cropped)),
            ("landmarks".to_owned(), Value::Tensors(rows.tensors()?)),
        ];
        Ok((outputs.into(), state.write()?))
    }
}

impl Seen {
    fn of(mesh: &Mesh, crop: Square) -> Self {
        Self { landmarks: mesh.within(crop), near: mesh.near(crop), eyes: located(&mesh.eyes, crop) }
    }

    fn add(&mut self, other: &Self) {
        self.landmarks.extend_from_slice(&other.landmarks);
        self.near.extend_from_slice(&other.near);
        self.eyes.extend_from_slice(&other.eyes);
    }

    /// As tensors of `count` frames.
    fn tensors(self, count: usize) -> Result<Tensors> {
        let tensors = Tensors::new()
            .with("landmarks", Tensor::f32([count, POINTS, 2], self.landmarks)?)
            .with("near", Tensor::f32([count, POINTS], self.near)?);
        if self.eyes.is_empty() {
            return Ok(tensors);
        }
        Ok(tensors.with("eyes", Tensor::f32([count, 2, EYE, 2], self.eyes)?))
    }
}

impl Rows {
    fn tensors(self) -> Result<Tensors> {
        let count = self.found.len();
        Ok(self
            .seen
            .tensors(count)?
            .with("found", Tensor::u8([count], self.found)?)
            .with("shot", Tensor::i64([count], self.shot)?)
            .with("sharpness", Tensor::f32([count], self.sharpness)?))
    }
}

impl State {
    /// Before a face is seen: landmarks lie in the middle, and `found` says that they are none.
    fn before(frames: &[RgbImage], models: &Models) -> Result<Self> {
        let (width, height) = frames.first().map_or((1, 1), RgbImage::dimensions);
        let [width, height] = [width, height].map(f64::from);
        let eyes = if models.pack()?.has(parts::ROLE) { 4 * EYE } else { 0 };
        let seen = Seen { landmarks: vec![0.5; 2 * POINTS], near: vec![0.0; POINTS], eyes: vec![0.5; eyes] };
        Ok(Self {
            crop: Square { centre: [width / 2.0, height / 2.0], half: width.min(height) / 2.0, angle: 0.0 },
            begun: false,
            region: None,
            seen,
            shots: Shots::default(),
        })
    }

    /// Takes the crop from the first of `frames` that shows a face; the frames before it get its landmarks.
    fn begin(&mut self, frames: &[RgbImage], choice: Choice, ctx: &Context<'_>) -> Result<()> {
        for frame in frames {
            ctx.check_cancelled()?;
            let mut faces = search(frame, ctx)?;
            if faces.is_empty() {
                continue;
            }
            choice.apply(&mut faces, ctx)?;
            if let Some((_, mesh)) = faces.first() {
                self.crop = mesh.crop(false);
                let region = mesh.region();
                let closer = Mesh::find_closer(ctx.models, frame, region)?;
                self.seen = Seen::of(closer.as_ref().unwrap_or(mesh), self.crop);
                (self.region, self.begun) = (Some(region), true);
                return Ok(());
            }
        }
        Ok(())
    }

    fn write(&self) -> Result<Tensors> {
        let square = |square: Square| vec![square.centre[0], square.centre[1], square.half, square.angle];
        let thumbnail = self.shots.thumbnail.clone();
        let state = self
            .seen
            .clone()
            .tensors(1)?
            .with("crop", Tensor::f64([4], square(self.crop))?)
            .with("begun", Tensor::u8([1], vec![u8::from(self.begun)])?)
            .with("shot", Tensor::i64([1], vec![self.shots.shot])?)
            .with("usual", Tensor::f64([1], vec![self.shots.usual])?)
            .with("thumbnail", Tensor::u8([thumbnail.len()], thumbnail)?);
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
        let floats = |name: &str| state.get(name)?.as_f32().map(<[f32]>::to_vec);
        Ok(Self {
            crop: square(state.get("crop")?)?,
            begun: state.get("begun")?.as_u8()? == [1],
            region: state.0.get("region").map(square).transpose()?,
            seen: Seen {
                landmarks: floats("landmarks")?,
                near: floats("near")?,
                eyes: if state.0.contains_key("eyes") { floats("eyes")? } else { vec![] },
            },
            shots: Shots {
                shot: state.get("shot")?.as_i64()?.first().copied().unwrap_or_default(),
                usual: state.get("usual")?.as_f64()?.first().copied().unwrap_or_default(),
                thumbnail: state.get("thumbnail")?.as_u8()?.to_vec(),
            },
        })
    }
}

/// How sharp the face is: mean squared difference of neighbouring green pixels within the bounds of its landmarks, which a blur
/// brings down.
fn sharpness(pixels: &[f32], side: usize, landmarks: &[f32]) -> f32 {
    let bounds = |axis: usize| {
        let values = landmarks.iter().skip(axis).step_by(2).map(|x| x.clamp(0.0, 1.0));
        let (low, high) = values.fold((1.0f32, 0.0f32), |(low, high), x| (low.min(x), high.max(x)));
        let at = |x: f32| (x * (side - 1) as f32) as usize;
        at(low)..at(high)
    };
    let (columns, rows) = (bounds(0), bounds(1));
    let green = |x: usize, y: usize| pixels[3 * (y * side + x) + 1];
    let (mut sum, mut count) = (0.0, 0);
    for y in rows {
        for x in columns.clone() {
            let here = green(x, y);
            sum += (green(x + 1, y) - here).powi(2) + (green(x, y + 1) - here).powi(2);
            count += 2;
        }
    }
    sum / count.max(1) as f32
}
