use std::{fs, io::Cursor};

use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder, imageops};

use super::contract::FORMATS;
use crate::{
    artifact::{FileRef, Value},
    body::{Context, Emit, Inputs, Sequence, ValueBody},
    codec,
    error::{NodeError, Result},
    params::Params,
    pictures::Clip,
    room,
    tensor::Tensors,
};

/// The most memory, in bytes, of a picture: that of the largest one that is read.
const MOST: u64 = 450_000_000;

pub(super) struct Write {
    format: ImageFormat,
    quality: u8,
    index: i64,
    columns: usize,
    rows: usize,
    width: u32,
}

impl Write {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let name = params.text("format")?;
        let format = FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        let format =
            format.ok_or_else(|| NodeError::input(format!("parameter `format`: unknown `{name}`")))?;
        Ok(Self {
            format,
            quality: params.count("quality")?.clamp(1, 100) as u8,
            index: params.int("index")?,
            columns: params.count("columns")?,
            rows: params.count("rows")?.max(1),
            width: params.count("width")? as u32,
        })
    }

    /// The picture that is asked for of a sequence.
    fn of_frames(&self, frames: &dyn Sequence) -> Result<RgbImage> {
        let index = Index::new(frames)?;
        let total = index.total();
        if total == 0 {
            return Err(NodeError::input("port `frames`: no frames, expected at least one"));
        }
        if self.columns == 0 {
            let at = if self.index < 0 { self.index + total as i64 } else { self.index };
            let at = usize::try_from(at).ok().filter(|&at| at < total).ok_or_else(|| {
                NodeError::input(format!(
                    "parameter `index`: frame {} of {total}, expected {} to {}",
                    self.index,
                    -(total as i64),
                    total - 1
                ))
            })?;
            return self.scaled(index.picture(frames, at)?);
        }
        let count = self.columns * self.rows;
        let mut sheet: Option<RgbImage> = None;
        for i in 0..count {
            let at = if count > 1 { i * (total - 1) / (count - 1) } else { 0 };
            let picture = index.picture(frames, at)?;
            if sheet.is_none() {
                self.check_sheet(self.size_of(&picture))?;
            }
            let tile = self.scaled(picture)?;
            let (width, height) = tile.dimensions();
            let sheet = sheet
                .get_or_insert_with(|| RgbImage::new(width * self.columns as u32, height * self.rows as u32));
            let (column, row) = (i % self.columns, i / self.columns);
            let (x, y) = (column as i64 * i64::from(width), row as i64 * i64::from(height));
            imageops::replace(sheet, &tile, x, y);
        }
        sheet.ok_or_else(|| NodeError::input("parameter `columns`: an empty contact sheet"))
    }

    /// Width and height that `picture` is written at.
    fn size_of(&self, picture: &RgbImage) -> [f64; 2] {
        let size = [picture.width(), picture.height()].map(f64::from);
        match self.width {
            0 => size,
            width => [f64::from(width), (size[1] * f64::from(width) / size[0].max(1.0)).round().max(1.0)],
        }
    }

    fn scaled(&self, picture: RgbImage) -> Result<RgbImage> {
        let [width, height] = self.size_of(&picture);
        if [width, height] == [picture.width(), picture.height()].map(f64::from) {
            return Ok(picture);
        }
        let place = format!("parameter `width`: a picture of {width:.0}x{height:.0}");
        room::within(&place, 3.0 * width * height, MOST, || "use a smaller `width`".into())?;
        Ok(imageops::resize(&picture, width as u32, height as u32, imageops::FilterType::CatmullRom))
    }

    /// Fails where a contact sheet of pictures of this width and height is too large.
    fn check_sheet(&self, [width, height]: [f64; 2]) -> Result<()> {
        let [width, height] = [width * self.columns as f64, height * self.rows as f64];
        let place = format!("parameters `columns`, `rows` and `width`: a picture of {width:.0}x{height:.0}");
        room::within(&place, 3.0 * width * height, MOST, || {
            "write fewer of them, or use a smaller `width`".into()
        })
    }
}

impl Write {
    fn encoded(&self, picture: &RgbImage) -> Result<Vec<u8>> {
        let mut bytes = Cursor::new(vec![]);
        let written = match self.format {
            // As the store's own PNG, so that equal pictures are one blob.
            ImageFormat::Png => return codec::picture::encode(picture),
            ImageFormat::Jpeg => {
                JpegEncoder::new_with_quality(&mut bytes, self.quality).encode_image(picture)
            }
            other => picture.write_to(&mut bytes, other),
        };
        written.map_err(|error| {
            NodeError::input(format!("the image cannot be written as {:?}", self.format)).caused_by(error)
        })?;
        Ok(bytes.into_inner())
    }
}

impl ValueBody for Write {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let picture = if inputs.has("frames") {
            self.of_frames(&**inputs.sequence("frames")?)?
        } else {
            self.scaled(inputs.image("image")?.clone())?
        };
        let bytes = self.encoded(&picture)?;
        let ending = self.format.extensions_str().first().copied().unwrap_or_default();
        let path = ctx.host.scratch().join(format!("picture.{ending}"));
        fs::write(&path, bytes).map_err(|error| {
            NodeError::io(format!("{}: cannot be written", path.display())).caused_by(error)
        })?;
        out.value("file", Value::File(FileRef { path, digest: None }))
    }
}

/// Where each frame of a sequence lies: for every chunk, how many frames come before its end.
struct Index(Vec<usize>);

impl Index {
    fn new(frames: &dyn Sequence) -> Result<Self> {
        let mut ends = vec![];
        let mut end = 0;
        for k in 0..frames.len() {
            end += clip(frames.chunk(k)?.tensors()?)?.len();
            ends.push(end);
        }
        Ok(Self(ends))
    }

    fn total(&self) -> usize {
        self.0.last().copied().unwrap_or(0)
    }

    /// Frame `at`, which must be below the total.
    fn picture(&self, frames: &dyn Sequence, at: usize) -> Result<RgbImage> {
        let k = self.0.partition_point(|&end| end <= at);
        let first = if k == 0 { 0 } else { self.0[k - 1] };
        let chunk = frames.chunk(k)?;
        let clip = clip(chunk.tensors()?)?;
        let [height, width] = clip.size();
        RgbImage::from_raw(width as u32, height as u32, clip.picture(at - first).into_owned())
            .ok_or_else(|| NodeError::input(format!("port `frames`: frame {at} is cut short")))
    }
}

fn clip(frames: &Tensors) -> Result<Clip<'_>> {
    Clip::of(frames).map_err(|error| error.at_port("frames"))
}
