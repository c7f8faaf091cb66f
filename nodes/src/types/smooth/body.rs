use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody},
    error::{NodeError, Result},
    params::Params,
    tensor::{Tensor, Tensors},
};

pub(super) struct Smooth {
    tensor: &'static str,
    /// Weight of the frame `d` back, at index `d`.
    weights: Vec<f32>,
}

impl Smooth {
    pub(super) fn new(tensor: &'static str, params: &Params) -> Result<Self> {
        let window = params.count("window")?.max(1);
        let sigma = window as f32 / 3.0;
        let gaussian = params.text("kind")? == "gaussian";
        let weight = |d: usize| if gaussian { (-0.5 * (d as f32 / sigma).powi(2)).exp() } else { 1.0 };
        Ok(Self { tensor, weights: (0..window).map(weight).collect() })
    }
}

impl ScanBody for Smooth {
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        _: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        let input = inputs.tensors("sequence")?.get(self.tensor)?;
        let (new, shape) = (input.as_f32()?, input.shape());
        let Some((&frames, one)) = shape.split_first() else {
            return Err(NodeError::input(format!(
                "tensor `{}`: a scalar, expected frames first",
                self.tensor
            )));
        };
        let size: usize = one.iter().product();
        let before = match state {
            Some(state) => {
                let before = state.get(self.tensor)?;
                if before.shape()[1..] != *one {
                    return Err(NodeError::input(format!(
                        "port `sequence`: frames of shape {one:?}, expected {:?} as before",
                        &before.shape()[1..]
                    )));
                }
                before.as_f32()?
            }
            None => &[],
        };
        let past = before.len() / size.max(1);
        let frame = |i: usize| match i.checked_sub(past) {
            Some(i) => &new[i * size..][..size],
            None => &before[i * size..][..size],
        };

        let mut smooth = vec![0.0f32; new.len()];
        for (i, out) in smooth.chunks_exact_mut(size.max(1)).enumerate() {
            let newest = past + i;
            let used = &self.weights[..self.weights.len().min(newest + 1)];
            let total: f32 = used.iter().sum();
            for (d, weight) in used.iter().enumerate() {
                let share = weight / total;
                out.iter_mut().zip(frame(newest - d)).for_each(|(out, x)| *out += share * x);
            }
        }

        let kept = (past + frames).min(self.weights.len() - 1);
        let last: Vec<f32> = (past + frames - kept..past + frames).flat_map(frame).copied().collect();
        let shape_of = |frames: usize| [&[frames], one].concat();
        let output = Tensors::new().with(self.tensor, Tensor::f32(shape_of(frames), smooth)?);
        let state = Tensors::new().with(self.tensor, Tensor::f32(shape_of(kept), last)?);
        Ok(([("sequence".to_owned(), Value::Tensors(output))].into(), state))
    }
}
