//! Where a frame is painted, the mouth and moving eyes: 1 there, 0 elsewhere.

use crate::{
    error::{NodeError, Result},
    geometry::{polygon, resample},
    models::Models,
    onnx::Dim,
    tensor::{Tensor, Tensors},
    types::{levels::Levels, scaling::Scaling},
    volume::{self, Window},
};

/// The mouth classes of the parsed `image` f32 [1,3,P,P] in [-1,1], as f32 [1,1,Q,Q].
pub(super) fn parsed(models: &Models, image: Tensor, levels: Levels, scaling: Scaling) -> Result<Tensor> {
    let pack = models.pack()?;
    let parsing = pack.parsing().ok_or_else(|| {
        NodeError::model(format!("pack {} has no `parsing`", pack.name())).hint("use `mask: contour`")
    })?;
    let side = parsing.size;
    let &[1, 3, height, width] = image.shape() else {
        return Err(NodeError::model(format!(
            "role `upsample`: expected an image [1,3,P,P], found {:?}",
            image.shape()
        )));
    };
    let resize = match scaling {
        Scaling::Smooth => resample::resize,
        Scaling::Bicubic => resample::bicubic,
    };
    let mut planes = vec![];
    for (channel, plane) in image.as_f32()?.chunks_exact(height * width).enumerate() {
        let (mean, std) = (parsing.mean[channel], parsing.std[channel]);
        let plane = resize(plane, (width, height), (side, side))?;
        planes.extend(plane.into_iter().map(|x| (levels.unit(x) - mean) / std));
    }
    let outputs =
        models.run("parse", &Tensors::new().with("image", Tensor::f32([1, 3, side, side], planes)?))?;
    let logits = outputs.get("logits")?;
    let &[1, classes, rows, columns] = logits.shape() else {
        return Err(NodeError::model(format!(
            "role `parse`: expected logits [1,16,Q,Q], found {:?}",
            logits.shape()
        )));
    };
    let logits = logits.as_f32()?;
    let pixels = rows * columns;
    let mouth = (0..pixels).map(|pixel| {
        let best =
            (0..classes).max_by(|a, b| logits[a * pixels + pixel].total_cmp(&logits[b * pixels + pixel]));
        f32::from(best.is_some_and(|class| parsing.mouth.iter().any(|&mouth| usize::from(mouth) == class)))
    });
    Tensor::f32([1, 1, rows, columns], mouth.collect())
}

/// What is painted in a frame, and where it may be in frames around it.
pub(super) struct Painted {
    /// f32 [1,1,P,P].
    pub(super) mask: Tensor,
    /// What a mask may show once it is grown, shrunk to R x R and averaged over neighbouring frames.
    pub(super) window: Window,
}

/// Part of a picture's side that a head may move while masks are averaged.
const MOTION: f32 = 0.04;

/// The lids' edges among the landmarks of the face mesh, around the person's right eye and the left.
const EYES: [[usize; 16]; 2] = [
    [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
    [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
];

/// How far lids must be from where they rest before the eyes are painted, as part of the picture's side: less is a squint, which bent
/// rays show well.
const LID_TRAVEL: f32 = 0.004;

/// How far beyond the lids' edges an eye is painted, as part of the picture's side: lashes lie there.
const LASHES: f32 = 0.006;

/// What to paint: the lip contours that the morphable model projects for the frames' expressions and poses, grown by `grow` pixels; and with
/// `eyes`, where the lids move, what they cover and uncover: the eyes as the frame or the reference has them open, without what both show.
pub(super) fn contours(
    models: &Models,
    reference: &[f32],
    expression: &Tensors,
    poses: &[[f32; 6]],
    grow: f32,
    eyes: bool,
) -> Result<Vec<Painted>> {
    let pack = models.pack()?;
    let (side, layout) = (pack.resolution(), pack.coefficients());
    let extremes = volume::extremes(reference, pack)?;
    let mut expressions = volume::rows(expression, "expression", layout.expressions())?;
    let (mut rows, mut places) = (vec![], vec![]);
    // Frames of one pose share where an expression may take lips and lids.
    for run in poses.chunk_by(PartialEq::eq) {
        let first = rows.len();
        for expression in expressions.by_ref().take(run.len()) {
            let mut row = reference.to_vec();
            layout.set_expression(&mut row, expression)?;
            rows.push(row);
        }
        rows.extend(extremes.iter().cloned());
        for row in &mut rows[first..] {
            layout.set_pose(row, &run[0])?;
        }
        let reach = rows.len() - extremes.len()..rows.len();
        places.extend((first..reach.start).map(|frame| (frame, reach.clone())));
    }
    let count = rows.len();
    let coefficients = Tensor::f32([count, reference.len()], rows.concat())?;
    let outputs = models.run("morphable_model", &Tensors::new().with("coefficients", coefficients))?;
    let mouths = outlines(&outputs, "contour", count)?;
    let lids = if eyes { rings(outlines(&outputs, "landmarks", count)?, pack.landmarks())? } else { vec![] };
    let moved = |frame: usize, rest: usize| eyes && travel(&lids[frame], &lids[rest]) > LID_TRAVEL;
    let blinking = places.iter().any(|(frame, reach)| moved(*frame, reach.start));
    let rays = rays(models)?;
    let margin = grow.max(0.0) / side as f32 + MOTION;
    let scaled =
        |points: &[[f32; 2]]| points.iter().map(|point| point.map(|x| x * side as f32)).collect::<Vec<_>>();
    let mut painted = vec![];
    for (frame, reach) in places {
        let mut mask = polygon::fill(&scaled(mouths[frame]), side, side, grow);
        let mut around = [mouths[frame], &mouths[reach.clone()].concat()].concat();
        if blinking {
            // frames between those of a blink have a window as large, for masks that are averaged
            let lids = std::iter::once(&lids[frame]).chain(&lids[reach.clone()]);
            around.extend(lids.flatten().flatten());
        }
        if moved(frame, reach.start) {
            for (now, rest) in lids[frame].iter().zip(&lids[reach.start]) {
                let changed = changed(&scaled(now), &scaled(rest), side, grow);
                mask.iter_mut().zip(changed).for_each(|(mask, eye)| *mask = mask.max(eye));
            }
        }
        let mask = Tensor::f32([1, 1, side, side], mask)?;
        painted.push(Painted { mask, window: window(&around, margin, rays) });
    }
    Ok(painted)
}

/// What lids with the edges `now` cover or uncover of the eye that they show at `rest`, and their lashes, grown by `grow` pixels. Not what
/// both show of it.
fn changed(now: &[[f32; 2]], rest: &[[f32; 2]], side: usize, grow: f32) -> Vec<f32> {
    let lashes = LASHES * side as f32;
    let fill = |ring: &[[f32; 2]], grow: f32| polygon::fill(ring, side, side, grow);
    let grown = fill(now, grow + lashes).into_iter().zip(fill(rest, grow + lashes));
    let open = fill(now, -lashes).into_iter().zip(fill(rest, -lashes));
    grown
        .zip(open)
        .map(|((now, rest), (open, open_rest))| now.max(rest) * (1.0 - open.min(open_rest)))
        .collect()
}

/// The points `name` [n,J,2] of `count` rows.
fn outlines<'a>(outputs: &'a Tensors, name: &str, count: usize) -> Result<Vec<&'a [[f32; 2]]>> {
    let points = outputs.get(name)?;
    match *points.shape() {
        [found, each, 2] if found == count && each > 0 => {
            Ok(points.as_f32()?.as_chunks::<2>().0.chunks_exact(each).collect())
        }
        ref other => Err(NodeError::model(format!(
            "role `morphable_model`: expected {name} [{count},J,2], found {other:?}"
        ))),
    }
}

/// The edges of the lids of both eyes in every row of `landmarks`, which are the points `chosen` of the face mesh, or all.
fn rings(landmarks: Vec<&[[f32; 2]]>, chosen: Option<&[usize]>) -> Result<Vec<[[[f32; 2]; 16]; 2]>> {
    let count = landmarks.first().map_or(0, |points| points.len());
    let place = |point: usize| match chosen {
        Some(chosen) => chosen.iter().position(|one| *one == point),
        None => Some(point),
    };
    let mut places = EYES;
    for point in places.as_flattened_mut() {
        *point = place(*point).filter(|place| *place < count).ok_or_else(|| {
            NodeError::model(format!(
                "role `morphable_model`: none of its {count} landmarks is point {point} of the face mesh, at the edge of a lid"
            ))
            .hint("`eyes: false` paints the mouth alone")
        })?;
    }
    let ring = |points: &[[f32; 2]]| places.map(|eye| eye.map(|place| points[place]));
    Ok(landmarks.into_iter().map(ring).collect())
}

/// The farthest that any point of the lids is from where it rests.
fn travel(lids: &[[[f32; 2]; 16]; 2], rest: &[[[f32; 2]; 16]; 2]) -> f32 {
    let pairs = lids.iter().flatten().zip(rest.iter().flatten());
    pairs.map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).fold(0.0, f32::max)
}

/// R, from the camera's N = R·R rays.
fn rays(models: &Models) -> Result<usize> {
    let session = models.session("camera")?;
    match session.signature().output("origins").and_then(|port| port.dims.as_deref()) {
        Some([_, Dim::Fixed(rays), _]) => Ok(rays.isqrt()),
        _ => Err(NodeError::model("role `camera`: expected an output `origins` [n,N,3] with a fixed N")),
    }
}

/// The rays of `side` x `side` within `margin` of `points`, which are parts of the picture's side, and two more for resampling.
fn window(points: &[[f32; 2]], margin: f32, side: usize) -> Window {
    let range = |axis: usize| {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for point in points {
            low = low.min(point[axis]);
            high = high.max(point[axis]);
        }
        // A cast cuts to zero and, from what is no number, gives zero.
        let first = ((low - margin) * side as f32).floor() as usize;
        let end = ((high + margin) * side as f32).ceil() as usize + 2;
        let first = first.saturating_sub(2).min(side - 1);
        (first, end.clamp(first + 1, side))
    };
    Window { columns: range(0), rows: range(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lid_leaves_open_is_not_painted() {
        // An eye 40 pixels wide; its upper lid at these rows.
        let eye = |top: f32| [[20.0, top], [60.0, top], [60.0, 60.0], [20.0, 60.0]];
        let at = |mask: &[f32], y: usize| mask[y * 80 + 40];
        let half = changed(&eye(50.0), &eye(40.0), 80, 1.0);
        assert_eq!([39, 45, 49].map(|y| at(&half, y)), [1.0; 3], "the lid and its lashes");
        assert_eq!([54, 56].map(|y| at(&half, y)), [0.0; 2], "what is left open");
        let shut = changed(&eye(59.5), &eye(40.0), 80, 1.0);
        assert_eq!([39, 45, 50, 56, 60].map(|y| at(&shut, y)), [1.0; 5]);
        let wide = changed(&eye(35.0), &eye(40.0), 80, 1.0);
        assert_eq!([35, 38, 45, 56].map(|y| at(&wide, y)), [1.0, 1.0, 0.0, 0.0]);
    }
}
