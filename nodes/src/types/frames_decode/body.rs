use std::path::{Path, PathBuf};

use image::RgbImage;
use talkgraph_media::{Pictures, Session, Shown};

use super::{folder, sound};
use crate::{
    artifact::{FileRef, Value},
    body::{Context, Emit, Inputs, ValueBody},
    contract::Rate,
    error::{NodeError, Result},
    media::Told,
    sniff,
    tensor::{Tensor, Tensors},
};

/// Times of pictures are rounded ones: of two that are equally near but for so many seconds, the earlier is taken.
const ROUNDED: f64 = 1e-6;

pub(super) struct Decode {
    pub(super) rate: Rate,
    pub(super) max_side: u32,
}

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let path = &inputs.file("file")?.path;
        let mut chunks = Chunks::new(self.rate.chunk_frames(), ctx, out);
        match folder::pictures(path)? {
            Some(pictures) => {
                chunks.track(sound::silent(ctx)?)?;
                self.pictures(path, &pictures, &mut chunks)?
            }
            None => self.video(path, &mut chunks)?,
        }
        chunks.finish()
    }
}

impl Decode {
    fn pictures(&self, list: &Path, pictures: &[PathBuf], chunks: &mut Chunks<'_, '_>) -> Result<()> {
        chunks.total = Some(pictures.len() as u64);
        let session = Session::start().told()?;
        let mut sizes: Vec<(u32, u32)> = vec![];
        for path in pictures {
            let picture = folder::picture(&session, path, self.max_side, chunks.ctx)?;
            let own = picture.dimensions();
            if !sizes.contains(&own) {
                sizes.push(own);
            }
            match sizes[0] {
                first if first == own => chunks.add(&picture, &sniff::name(path))?,
                first => chunks.add(&folder::fitted(&picture, first), &sniff::name(path))?,
            }
        }
        let words: Vec<_> = sizes.iter().map(|(width, height)| format!("{width}x{height}")).collect();
        if let [first, others @ ..] = &words[..]
            && !others.is_empty()
        {
            let name = sniff::name(list);
            let more = if others.len() > 3 { ", …" } else { "" };
            chunks.ctx.host.note("sizes", words.clone().into());
            chunks.ctx.host.warn(&format!(
                "{name}: not all images are of one size ({}{more} besides {first}): they are fitted into the first one's, with grey \
                 borders where their shape differs",
                others[..others.len().min(3)].join(", ")
            ));
        }
        Ok(())
    }

    /// Takes, for each frame time, the picture nearest to it; of two equally near, the earlier.
    fn video(&self, path: &Path, chunks: &mut Chunks<'_, '_>) -> Result<()> {
        let name = sniff::name(path);
        let mut pictures = Pictures::open(path, self.max_side).told()?;
        // Before the frames, which may wait for those who wait for the track.
        let track = match pictures.has_audio() {
            true => sound::track(path, pictures.seconds(), chunks.ctx)?,
            false => sound::silent(chunks.ctx)?,
        };
        chunks.track(track)?;
        let Some(mut shown) = pictures.next_picture().told()? else {
            return Err(NodeError::input(format!("{name}: the video has no frames")));
        };
        let origin = shown.seconds;
        let mut frame = 0u64;
        let time = |frame: u64| origin + self.rate.seconds(frame);
        while let Some(next) = later(&mut pictures, shown.seconds)? {
            let middle = (shown.seconds + next.seconds) / 2.0;
            while time(frame) <= middle + ROUNDED {
                chunks.add(&shown.picture, &name)?;
                frame += 1;
            }
            shown = next;
        }
        let lasts = shown.seconds - origin + last(&shown, pictures.step());
        let frames = (lasts * self.rate.fps()).round().max(1.0) as u64;
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

/// Seconds that the last picture is shown. Files that say next to nothing of it leave it out.
fn last(shown: &Shown, step: f64) -> f64 {
    if shown.lasts > step / 4.0 { shown.lasts } else { step }
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

    /// Gives the audio track, a file.
    fn track(&mut self, path: PathBuf) -> Result<()> {
        self.out.value("track", Value::File(FileRef { path, digest: None }))
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
