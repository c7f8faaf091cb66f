use std::slice;

use image::RgbImage;

use crate::{
    body::Context,
    error::{NodeError, Result},
    params::Params,
    pictures::{bicubic_planes, planes},
    tensor::{Tensor, Tensors},
    types::{by_picture, levels::Levels, scaling::Scaling},
};

pub(super) fn classify(pictures: &[RgbImage], params: &Params, ctx: &Context<'_>) -> Result<Tensors> {
    let (levels, scaling) = (Levels::of(params)?, Scaling::of(params)?);
    let pack = ctx.models.pack()?;
    let parsing = pack.parsing().ok_or_else(|| {
        NodeError::model(format!("pack {}: `parsing` is missing in pack.yaml", pack.name()))
            .hint("the format is described in docs/packs.md")
    })?;
    let side = parsing.size;
    let seen = move |value: f32| match levels {
        Levels::All => value.clamp(0.0, 1.0),
        Levels::Bright => levels.unit(2.0 * value - 1.0),
    };
    let normalised =
        |channel: usize, value: f32| (seen(value) - parsing.mean[channel]) / parsing.std[channel];
    let mut classes = Vec::with_capacity(pictures.len() * side * side);
    let image = |picture: &RgbImage| match scaling {
        Scaling::Smooth => planes(slice::from_ref(picture), (side, side), normalised),
        Scaling::Bicubic => bicubic_planes(picture, (side, side), normalised),
    };
    for outputs in by_picture::each(pictures, ctx, "parse", image) {
        classes.extend(largest(outputs?.get("logits")?, side)?);
    }
    Ok(Tensors::new().with("classes", Tensor::u8([pictures.len(), side, side], classes)?))
}

/// The class with the largest logit at each pixel; the first of equals.
fn largest(logits: &Tensor, side: usize) -> Result<Vec<u8>> {
    let area = side * side;
    let &[1, count @ 1..=256, height, width] = logits.shape() else {
        return Err(NodeError::model(format!(
            "role `parse`: expected logits [1,16,Q,Q], found {:?}",
            logits.shape()
        )));
    };
    if (height, width) != (side, side) {
        return Err(NodeError::model(format!(
            "role `parse`: expected logits of {side}x{side}, found {width}x{height}"
        )));
    }
    let logits = logits.as_f32()?;
    let class = |pixel: usize| {
        let value = |class: usize| logits[class * area + pixel];
        (1..count).fold(0, |best, class| if value(class) > value(best) { class } else { best }) as u8
    };
    Ok((0..area).map(class).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_logit_wins_and_the_first_of_equals() {
        let logits = Tensor::f32([1, 3, 1, 1], vec![1.0, 3.0, 3.0]).unwrap();
        assert_eq!(largest(&logits, 1).unwrap(), [1]);
        assert!(largest(&logits, 2).unwrap_err().to_string().contains("expected logits of 2x2"));
    }
}
