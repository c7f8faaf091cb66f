use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::given;
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    models::Models,
    onnx::Dim,
    tensor::{Tensor, Tensors},
    types::portrait,
};

pub(super) struct Draw {
    pub(super) seed: u64,
    pub(super) psi: f32,
    pub(super) pose: [f32; 6],
}

impl ValueBody for Draw {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let models = ctx.models;
        let size = latent_size(models)?;
        let given = if inputs.has("given") { Some(inputs.tensors("given")?) } else { None };
        let z = match given {
            Some(given) => given::latent(given, size)?,
            None => Tensor::f32([1, size], normal(self.seed, size))?,
        };
        let latent = Tensors::new().with("z", z.clone()).with("psi", Tensor::f32([1], vec![self.psi])?);
        let w = models.run("mapping", &latent)?.get("w")?.clone();
        let latent = Tensors::new().with("z", z).with("w", w.clone());
        let mut identity = Tensors::new().with("w", w);
        let mut drawn = models.run("identity", &identity)?;
        if let Some(given) = given {
            given::replace(given, &mut drawn)?;
        }
        identity.0.extend(drawn.0);
        out.value("latent", Value::Tensors(latent))?;
        portrait::show(&identity, self.pose, ctx, out)?;
        out.value("identity", Value::Tensors(identity))
    }
}

/// Z, from the mapping network itself.
fn latent_size(models: &Models) -> Result<usize> {
    let session = models.session("mapping")?;
    match session.signature().input("z").and_then(|port| port.dims.as_deref()) {
        Some([_, Dim::Fixed(size)]) => Ok(*size),
        _ => Err(NodeError::model("role `mapping`: expected an input `z` [n,Z] with a fixed Z")),
    }
}

fn normal(seed: u64, count: usize) -> Vec<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| generator.sample::<f32, _>(StandardNormal)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins the generator: a seed must stay the same person.
    #[test]
    fn the_numbers_never_change() {
        assert_eq!(normal(1, 3), normal(1, 5)[..3]);
        assert_ne!(normal(1, 3), normal(2, 3));
        assert_eq!(normal(1, 2), [-0.23484705, -1.4108177]);
    }
}
