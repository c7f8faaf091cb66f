use std::path::Path;

use image::RgbImage;
use talkgraph_media::{Pictures, Session, Shown};

use super::folder;
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    contract::Rate,
    error::{NodeError, Result},
    media::Told,
    sniff,
    tensor::{Tensor, Tensors},
};

pub(super) struct Decode {
    pub(super) rate: Rate,
    pub(super) max_side: u32,
}

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let path = &inputs.file("file")?.path;
        let mut chunks = Chunks::new(self.rate.chunk_frames(), ctx, out);
        if path.is_dir() {
            self.folder(path, &mut chunks)?
        } else {
            self.video(path, &mut chunks)?
        }
        chunks.finish()
    }
}

impl Decode {
    fn folder(&self, path: &Path, chunks: &mut Chunks<'_, '_>) -> Result<()> {
        let pictures = folder::pictures(path)?;
        chunks.total = Some(pictures.len() as u64);
        let session = Session::start().told()?;
        for path in &pictures {
            let picture = folder::picture(&session, path, self.max_side, chunks.ctx)?;
            chunks.add(&picture, &sniff::name(path))?;
        }
        Ok(())
    }

    /// Takes, for each frame time, the picture nearest to it; of two equally near, the earlier.
    fn video(&self, path: &Path, chunks: &mut Chunks<'_, '_>) -> Result<()> {
        let name = sniff::name(path);
        let fps = f64::from(self.rate.num) / f64::from(self.rate.den);
        let mut pictures = Pictures::open(path, self.max_side).told()?;
        let Some(mut shown) = pictures.next_picture().told()? else {
            return Err(NodeError::input(format!("{name}: the video has no frames")));
        };
        let origin = shown.seconds;
        let mut frame = 0u64;
        let time = |frame: u64| origin + frame as f64 / fps;
        while let Some(next) = later(&mut pictures, shown.seconds)? {
            let middle = (shown.seconds + next.seconds) / 2.0;
            while time(frame) <= middle {
                chunks.add(&shown.picture, &name)?;
                frame += 1;
            }
            shown = next;
        }
        let frames = ((shown.seconds - origin + pictures.step()) * fps).round().max(1.0) as u64;
        while frame < frames {
            chunks.add(&shown.picture, &name)?;
            frame += 1;
        }
        if let [first, others @ ..] = pictures.sizes()
            && !others.is_empty()
        {
            chunks.ctx.host.note("sizes", pictures.sizes().into());
            chunks.ctx.host.warn(&format!(
                "{name}: the video changes its size midway, to {}; all frames are scaled to the first size, {first}",
                others.join(", ")
            ));
        }
        if pictures.damaged > 0 {
            chunks.ctx.host.note("damaged_pictures", pictures.damaged.into());
            chunks
                .ctx
                .host
                .warn(&format!("{name}: {} frames are damaged and were left out", pictures.damaged));
        }
        Ok(())
    }
}

/// The next picture that is shown later than `seconds`: some files hold pictures without a time of their own.
fn later(pictures: &mut Pictures, seconds: f64) -> Result<Option<Shown>> {
    while let Some(next) = pictures.next_picture().told()? {
        if next.seconds > seconds {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

/// Gathers pictures of one size into chunks.
struct Chunks<'a, 'b> {
    ctx: &'a Context<'b>,
    out: &'a mut dyn Emit,
    frames: usize,
    total: Option<u64>,
    size: Option<(u32, u32)>,
    pixels: Vec<u8>,
    held: usize,
    given: u64,
}

impl<'a, 'b> Chunks<'a, 'b> {
    fn new(frames: usize, ctx: &'a Context<'b>, out: &'a mut dyn Emit) -> Self {
        Self { ctx, out, frames, total: None, size: None, pixels: vec![], held: 0, given: 0 }
    }

    /// Adds a picture that comes from `place`.
    fn add(&mut self, picture: &RgbImage, place: &str) -> Result<()> {
        self.ctx.check_cancelled()?;
        let (width, height) = *self.size.get_or_insert(picture.dimensions());
        if picture.dimensions() != (width, height) {
            return Err(NodeError::input(format!(
                "{place}: {}x{} pixels, expected {width}x{height} as the first image",
                picture.width(),
                picture.height()
            ))
            .hint("bring all images to one size"));
        }
        self.pixels.extend_from_slice(picture.as_raw());
        self.held += 1;
        if self.held == self.frames { self.give() } else { Ok(()) }
    }

    fn give(&mut self) -> Result<()> {
        let Some((width, height)) = self.size.filter(|_| self.held > 0) else { return Ok(()) };
        let shape = [self.held, height as usize, width as usize, 3];
        let frames = Tensor::u8(shape, std::mem::take(&mut self.pixels))?;
        self.given += self.held as u64;
        self.held = 0;
        self.out.chunk("frames", Value::Tensors(Tensors::new().with("frames", frames)))?;
        self.ctx.host.progress(self.given, self.total);
        Ok(())
    }

    /// Gives the last, shorter chunk.
    fn finish(mut self) -> Result<()> {
        self.give()
    }
}
