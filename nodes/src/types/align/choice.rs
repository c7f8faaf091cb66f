//! Which of several faces is taken.

use serde_json::json;

use super::{detect::Face, mesh::Mesh};
use crate::{
    body::Context,
    error::{NodeError, Result},
    params::Params,
    warp::Square,
};

/// More candidates than this in one picture are not looked at closer.
pub(super) const MAX_FACES: usize = 16;

/// How the user chooses a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Choice {
    /// No choice: the largest.
    Largest,
    /// The face of this number, counted from 1 by size.
    Number(usize),
    /// The face that shares most with these bounds: left, top, right, bottom.
    Bounds([f64; 4]),
}

impl Choice {
    /// The choice that the parameters `face` and `box` make.
    pub(super) fn read(params: &Params) -> Result<Self> {
        let bounds = params.text("box")?;
        let number = params.count("face")?;
        if bounds.trim().is_empty() {
            return Ok(if number == 0 { Self::Largest } else { Self::Number(number) });
        }
        let numbers =
            bounds.split(',').map(|number| number.trim().parse().ok().filter(|x: &f64| x.is_finite()));
        let numbers =
            numbers.collect::<Option<Vec<_>>>().and_then(|numbers| <[f64; 4]>::try_from(numbers).ok());
        match numbers {
            Some(bounds) if bounds[0] < bounds[2] && bounds[1] < bounds[3] => Ok(Self::Bounds(bounds)),
            _ => Err(NodeError::input(format!(
                "parameter `box`: expected `left,top,right,bottom` in pixels, found `{bounds}`"
            ))
            .hint("for example `box: 120,80,310,300`")),
        }
    }

    /// Puts the chosen one of `faces`, which are ordered by size, first; where there are several and none was chosen, a warning
    /// lists them. The note `faces` counts them.
    pub(super) fn apply(self, faces: &mut [(Face, Mesh)], ctx: &Context<'_>) -> Result<()> {
        ctx.host.note("faces", json!(faces.len()));
        let place = match self {
            Self::Largest => {
                if faces.len() > 1 {
                    ctx.host.warn(&format!(
                        "{} faces found; the largest, 1, is taken: choose another with the parameter `face`. {}",
                        faces.len(),
                        list(faces)
                    ));
                }
                return Ok(());
            }
            Self::Number(number) => (number <= faces.len()).then(|| number - 1).ok_or_else(|| {
                let plural = if faces.len() == 1 { "" } else { "s" };
                NodeError::input(format!(
                    "parameter `face`: asks for face {number}, found {} face{plural}",
                    faces.len()
                ))
            }),
            Self::Bounds(bounds) => {
                let shared = |k: &usize| faces[*k].0.shared(bounds);
                let best = (0..faces.len()).max_by(|a, b| shared(a).total_cmp(&shared(b)));
                best.filter(|best| shared(best) > 0.0).ok_or_else(|| {
                    let [left, top, right, bottom] = bounds;
                    NodeError::input(format!("parameter `box`: no face within {left},{top},{right},{bottom}"))
                })
            }
        };
        let place =
            place.map_err(|error| error.hint(format!("faces, left,top,right,bottom: {}", list(faces))))?;
        faces[..=place].rotate_right(1);
        Ok(())
    }

    /// The one of `faces` that is followed after the face was lost, or `cut`: the one nearest to the crop; after a cut, where no
    /// face was chosen, the largest.
    pub(super) fn again(self, faces: Vec<(Face, Mesh)>, crop: Square, cut: bool) -> Option<Mesh> {
        match self {
            Self::Largest if cut => faces.into_iter().next().map(|(_, mesh)| mesh),
            _ => nearest(faces, crop),
        }
    }
}

/// The one of `faces` that is nearest to the crop.
fn nearest(faces: Vec<(Face, Mesh)>, crop: Square) -> Option<Mesh> {
    let away = |face: &Face| {
        let [left, top, right, bottom] = face.bounds;
        ((left + right) / 2.0 - crop.centre[0]).hypot((top + bottom) / 2.0 - crop.centre[1])
    };
    faces.into_iter().min_by(|(a, _), (b, _)| away(a).total_cmp(&away(b))).map(|(_, mesh)| mesh)
}

fn list(faces: &[(Face, Mesh)]) -> String {
    let words = faces.iter().enumerate().map(|(k, (face, _))| {
        let [left, top, right, bottom] = face.bounds.map(f64::round);
        format!("{}: {left},{top},{right},{bottom}", k + 1)
    });
    words.collect::<Vec<_>>().join("; ")
}
