use image::RgbImage;

use super::{
    choice::{Choice, MAX_FACES},
    crop::describe,
    detect::{Face, detect, levels},
    mesh::{Mesh, POINTS},
};
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    models::Models,
    tensor::{Tensor, Tensors},
    warp::{self, Border, Square},
};

pub(super) struct Portrait {
    pub(super) side: usize,
    pub(super) choice: Choice,
}

impl ValueBody for Portrait {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let photo = inputs.image("image")?;
        let mut faces = search(photo, ctx)?;
        if faces.is_empty() {
            let (width, height) = photo.dimensions();
            return Err(NodeError::input(format!("no face found in the image ({width}x{height})")).hint(
                "take a photo in which the face is upright, mostly frontal and at least 30 pixels wide",
            ));
        }
        self.choice.apply(&mut faces, ctx)?;
        let mesh = &faces[0].1;
        let crop = mesh.crop(true);
        let pixels = warp::cut(photo, crop, self.side, Border::Mirror);
        out.value("image", Value::Image(warp::picture(&pixels, self.side)))?;
        let landmarks = Tensor::f32([1, POINTS, 2], mesh.within(crop))?;
        out.value("landmarks", Value::Tensors(Tensors::new().with("landmarks", landmarks)))?;
        out.value("crop", Value::Json(describe(photo, crop, self.side, &faces)))
    }
}

/// The faces of the first level of tiles that shows any, largest first, each with the landmarks that confirm it.
pub(super) fn search(picture: &RgbImage, ctx: &Context<'_>) -> Result<Vec<(Face, Mesh)>> {
    for tiles in levels(picture.width(), picture.height()) {
        ctx.check_cancelled()?;
        let found = confirmed(ctx.models, picture, &tiles)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(vec![])
}

fn confirmed(models: &Models, picture: &RgbImage, tiles: &[Square]) -> Result<Vec<(Face, Mesh)>> {
    let mut confirmed = vec![];
    for face in detect(models, picture, tiles)?.into_iter().take(MAX_FACES) {
        if let Some(mesh) = Mesh::refine(models, picture, face.region())? {
            confirmed.push((face, mesh));
        }
    }
    Ok(confirmed)
}
