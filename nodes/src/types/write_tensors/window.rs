//! Chunks that hold a part of what they are about: each has its own window, and a file has one.

use crate::{
    error::{NodeError, Result},
    pictures::Clip,
    tensor::{Tensor, TensorData, Tensors},
};

/// First row and column of a window.
pub(super) const CORNER: &str = "corner";
/// What is around the frames of a window.
pub(super) const CANVAS: &str = "canvas";

/// Rows and columns, from a first one on.
#[derive(Clone, Copy)]
struct Window {
    corner: [usize; 2],
    size: [usize; 2],
}

/// The chunks with the same window each: the smallest around all of theirs, zero where a chunk has nothing; frames whole, on their canvas.
///
/// # Errors
/// Chunks with and without a window, and tensors that are none of a window.
pub(super) fn whole(chunks: Vec<Tensors>) -> Result<Vec<Tensors>> {
    if chunks.iter().all(|chunk| chunk.0.contains_key(CANVAS)) {
        return chunks.iter().map(framed).collect();
    }
    let windows: Vec<Window> = chunks.iter().map(window).collect::<Result<_>>()?;
    let corner = [0, 1].map(|axis| windows.iter().map(|one| one.corner[axis]).min().unwrap_or(0));
    let end = [0, 1].map(|axis| {
        windows.iter().map(|one| one.corner[axis] + one.size[axis]).max().unwrap_or(corner[axis])
    });
    let all = Window { corner, size: [0, 1].map(|axis| end[axis] - corner[axis]) };
    chunks.into_iter().zip(windows).map(|(chunk, own)| placed(chunk, own, all)).collect()
}

/// Frames on their canvas.
fn framed(chunk: &Tensors) -> Result<Tensors> {
    let clip = Clip::of(chunk)?;
    let [height, width] = clip.size();
    let pixels = (0..clip.len()).flat_map(|k| clip.picture(k).into_owned()).collect();
    let mut framed = chunk.clone();
    framed.0.remove(CORNER);
    framed.0.remove(CANVAS);
    Ok(framed.with("frames", Tensor::u8([clip.len(), height, width, 3], pixels)?))
}

/// A chunk's window: its size is that of the coarsest of its maps, [n,C,h,w].
fn window(chunk: &Tensors) -> Result<Window> {
    let corner = chunk.get(CORNER)?.as_i64()?;
    let corner: Option<Vec<usize>> = corner.iter().map(|at| usize::try_from(*at).ok()).collect();
    let Some(corner) = corner.and_then(|corner| <[usize; 2]>::try_from(corner).ok()) else {
        return Err(NodeError::input("`corner`: expected a row and a column"));
    };
    let sizes = chunk.0.values().filter_map(|tensor| match *tensor.shape() {
        [_, _, height, width] => Some([height, width]),
        _ => None,
    });
    let size =
        sizes.min().ok_or_else(|| NodeError::input("`corner`: there is nothing of rows and columns"))?;
    Ok(Window { corner, size })
}

fn placed(chunk: Tensors, own: Window, all: Window) -> Result<Tensors> {
    let mut placed = Tensors::new();
    for (name, tensor) in chunk.0 {
        let moved = match *tensor.shape() {
            _ if name == CORNER => {
                let corner = all.corner.map(|at| at as i64);
                Tensor::i64([2], corner.to_vec())?
            }
            [n, c, height, width] => {
                let pitch = height / own.size[0].max(1);
                if [height, width] != own.size.map(|size| size * pitch) {
                    let message =
                        format!("tensor `{name}`: shape {:?} in a window of {:?}", tensor.shape(), own.size);
                    return Err(NodeError::input(message));
                }
                let offset = [0, 1].map(|axis| (own.corner[axis] - all.corner[axis]) * pitch);
                let size = all.size.map(|size| size * pitch);
                match tensor.data() {
                    TensorData::F32(data) => {
                        Tensor::f32([n, c, size[0], size[1]], spread(data, [height, width], offset, size))?
                    }
                    TensorData::U8(data) => {
                        Tensor::u8([n, c, size[0], size[1]], spread(data, [height, width], offset, size))?
                    }
                    other => {
                        let message = format!("tensor `{name}`: {} in a window", other.type_name());
                        return Err(NodeError::input(message));
                    }
                }
            }
            _ => tensor,
        };
        placed.0.insert(name, moved);
    }
    Ok(placed)
}

/// Planes of one size in larger ones, zero around.
fn spread<T: Copy + Default>(data: &[T], from: [usize; 2], offset: [usize; 2], to: [usize; 2]) -> Vec<T> {
    let area = (from[0] * from[1]).max(1);
    let mut out = vec![T::default(); data.len() / area * to[0] * to[1]];
    for (plane, into) in data.chunks_exact(area).zip(out.chunks_exact_mut((to[0] * to[1]).max(1))) {
        for (row, line) in plane.chunks_exact(from[1]).enumerate() {
            into[(row + offset[0]) * to[1] + offset[1]..][..from[1]].copy_from_slice(line);
        }
    }
    out
}
