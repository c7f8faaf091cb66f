use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
};

pub(super) struct Cut {
    /// Name of the tensor.
    pub(super) name: &'static str,
    /// Frames in a chunk.
    pub(super) frames: usize,
}

impl ValueBody for Cut {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let at_port = |error: NodeError| error.at_port("tensors");
        let tensor = inputs.tensors("tensors")?.get(self.name).map_err(at_port)?;
        let data = tensor.as_f32().map_err(at_port)?;
        let &[frames, ref one @ ..] = tensor.shape() else {
            return Err(NodeError::input("port `tensors`: a scalar, expected frames first"));
        };
        let size: usize = one.iter().product();
        if frames == 0 || size == 0 {
            let shape = tensor.shape();
            return Err(NodeError::input(format!(
                "port `tensors`: shape {shape:?}, expected at least one number"
            )));
        }
        for chunk in data.chunks(size * self.frames) {
            ctx.check_cancelled()?;
            let shape = [&[chunk.len() / size], one].concat();
            let chunk = Tensors::new().with(self.name, Tensor::f32(shape, chunk.to_vec())?);
            out.chunk("sequence", Value::Tensors(chunk))?;
        }
        Ok(())
    }
}
