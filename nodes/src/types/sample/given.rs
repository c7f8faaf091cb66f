//! What a file says of a head in place of a seed.

use crate::{
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
};

/// The tensor that is mapped.
const LATENT: &str = "z";

/// The given z, of `size` numbers.
pub(super) fn latent(given: &Tensors, size: usize) -> Result<Tensor> {
    let at_port = |error: NodeError| error.at_port("given");
    let z = given.get(LATENT).map_err(at_port)?;
    z.as_f32().map_err(at_port)?;
    match *z.shape() {
        [1, found] if found == size => Ok(z.clone()),
        ref other => Err(NodeError::input(format!(
            "port `given`: `{LATENT}`: expected [1,{size}] as the pack's mapping takes, found {other:?}"
        ))),
    }
}

/// Puts the other tensors of `given` in the place of those of the same names in `identity`, as the pack's role of that name gives them.
pub(super) fn replace(given: &Tensors, identity: &mut Tensors) -> Result<()> {
    for (name, tensor) in given.0.iter().filter(|(name, _)| *name != LATENT) {
        let Some(drawn) = identity.0.get_mut(name) else {
            let known: Vec<_> = identity.0.keys().map(String::as_str).collect();
            let error = NodeError::input(format!("port `given`: the pack's identity has no tensor `{name}`"));
            return Err(error.hint(format!("it has {}", known.join(", "))));
        };
        if tensor.shape() != drawn.shape() {
            return Err(NodeError::input(format!(
                "port `given`: `{name}`: expected {:?} as the pack's identity has, found {:?}",
                drawn.shape(),
                tensor.shape()
            )));
        }
        tensor.as_f32().map_err(|error| error.at_port("given"))?;
        *drawn = tensor.clone();
    }
    Ok(())
}
