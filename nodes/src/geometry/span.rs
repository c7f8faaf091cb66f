//! How far a face may move what, and whether anything is there to be moved.

use super::{
    displacement::{Displacement, REST},
    lattice::{Bounds, Nodes},
    solid::Solid,
    vector::{Vec3, add, sub},
};

/// What the extremes of a face span.
pub(super) struct Span {
    nodes: Nodes,
    /// The largest motion of each node in any of the extremes.
    most: Vec<Vec3>,
    /// By cell (its lowest node): farther than this all extremes together move nothing in it.
    far: Vec<Vec3>,
    /// Where the resting volume holds anything; `None`: anywhere.
    solid: Option<Solid>,
}

impl Span {
    /// Of anchors at `reference` and `fields`, one an extreme, whose motions at the `nodes` are `moved`.
    pub(super) fn new(
        reference: &[Vec3],
        fields: &[Displacement],
        moved: &[Vec<Vec3>],
        nodes: Nodes,
        solid: Option<Solid>,
    ) -> Self {
        let mut most = vec![[0.0f32; 3]; nodes.count()];
        let mut far = vec![[0.0f32; 3]; nodes.count()];
        for moved in moved {
            for cell in 0..nodes.count() {
                grow(&mut most[cell], moved[cell]);
                let mut farthest = [0.0; 3];
                for corner in nodes.corners() {
                    grow(&mut farthest, moved.get(cell + corner).copied().unwrap_or_default());
                }
                far[cell] = add(far[cell], farthest);
            }
        }
        // Beside an anchor everything moves as far as itself, wherever the extremes may take it together.
        for (anchor, rest) in reference.iter().enumerate() {
            let (mut low, mut high, mut farthest) = (*rest, *rest, [0.0; 3]);
            for field in fields {
                let back = field.motion()[anchor];
                low = add(low, back.map(|x| f32::min(-x, 0.0)));
                high = add(high, back.map(|x| f32::max(-x, 0.0)));
                farthest = add(farthest, back.map(f32::abs));
            }
            for cell in nodes.within(Bounds { low, high }) {
                grow(&mut far[cell], farthest);
            }
        }
        Self { nodes, most, far, solid }
    }

    /// Whether node `index` moves.
    pub(super) fn moves(&self, index: usize) -> bool {
        self.most[index].iter().any(|x| *x >= REST / 2.0)
    }

    /// Whether anything that can be seen moves at `p` in any of the extremes, or may come there.
    pub(super) fn reaches(&self, p: Vec3) -> bool {
        if self.nodes.interpolate(&self.most, p).iter().all(|x| *x < REST) {
            return false;
        }
        let far = self.far[self.nodes.place(p).0];
        self.solid.as_ref().is_none_or(|solid| solid.any(Bounds { low: sub(p, far), high: add(p, far) }))
    }
}

/// Makes each component of `most` at least the size of that of `value`.
fn grow(most: &mut Vec3, value: Vec3) {
    most.iter_mut().zip(value).for_each(|(most, x)| *most = most.max(x.abs()));
}
