use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody},
    error::{NodeError, Result},
    models::Models,
    onnx::Dim,
    tensor::{Tensor, Tensors},
    volume,
};

/// The network as one file.
pub(super) const WHOLE: &str = "audio2exp";
/// The network in two: its convolutional encoder, which does not see the reference, and its last layer.
pub(super) const SPLIT: [&str; 2] = ["audio2exp_encoder", "audio2exp_head"];

/// Whether the pack has the network in two files.
pub(super) fn is_split(models: &Models) -> Result<bool> {
    let pack = models.pack()?;
    Ok(SPLIT.iter().all(|role| pack.has(role)))
}

pub(super) struct Speak {
    pub(super) scale: f32,
    pub(super) ratio: f32,
    pub(super) blend: f32,
}

impl ScanBody for Speak {
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        ctx: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        let layout = ctx.models.pack()?.coefficients();
        let root = layout.expression_of(volume::reference(inputs, layout)?)?;
        let mut reference = match state {
            Some(state) => state.get("reference")?.as_f32()?.to_vec(),
            None => root.to_vec(),
        };
        let frames = Frames::new(inputs.tensors("mel")?.get("mel")?, ctx.models)?;
        let ratios = self.ratios(inputs, frames.count)?;
        let mut expression = Vec::with_capacity(frames.count * root.len());
        for (k, &ratio) in ratios.iter().enumerate() {
            ctx.check_cancelled()?;
            let prediction = frames.predict(k, &reference, ratio, ctx.models)?;
            for ((next, root), predicted) in reference.iter_mut().zip(root).zip(&prediction) {
                *next = self.blend * root + (1.0 - self.blend) * predicted;
            }
            expression.extend(prediction.iter().map(|predicted| predicted * self.scale));
        }
        let expression = Tensor::f32([frames.count, root.len()], expression)?;
        let output = Value::Tensors(Tensors::new().with("expression", expression));
        let state = Tensors::new().with("reference", Tensor::f32([reference.len()], reference)?);
        Ok(([("expression".to_owned(), output)].into(), state))
    }
}

impl Speak {
    /// The blink ratio of each of `frames` frames: from the chunk at `ratio`, else the parameter.
    fn ratios(&self, inputs: &Inputs, frames: usize) -> Result<Vec<f32>> {
        if !inputs.has("ratio") {
            return Ok(vec![self.ratio; frames]);
        }
        let ratio = inputs.tensors("ratio")?.get("ratio")?;
        if ratio.shape() != [frames, 1] {
            return Err(NodeError::input(format!(
                "port `ratio`: shape {:?}, expected [{frames}, 1] as there are mel windows",
                ratio.shape()
            )));
        }
        Ok(ratio.as_f32()?.to_vec())
    }
}

/// What the recurrence sees of each frame of a chunk.
struct Frames {
    count: usize,
    /// Mel windows, or embeddings when the network is split.
    rows: Vec<f32>,
    /// Shape of one frame's row as the network takes it, batch included.
    shape: Vec<usize>,
    split: bool,
}

impl Frames {
    fn new(mel: &Tensor, models: &Models) -> Result<Self> {
        let &[count, bands, columns] = mel.shape() else {
            return Err(NodeError::input(format!("`mel`: expected [n,80,W], found {:?}", mel.shape())));
        };
        let split = is_split(models)?;
        let session = models.session(if split { SPLIT[0] } else { WHOLE })?;
        if let Some([.., Dim::Fixed(expected)]) =
            session.signature().input("mel").and_then(|port| port.dims.as_deref())
            && *expected != columns
        {
            return Err(NodeError::input(format!(
                "port `mel`: expected windows of {expected} columns, found {columns}"
            ))
            .hint(format!("set the parameter `columns` of the mel node to {expected}")));
        }
        if !split {
            let shape = vec![1, 1, bands, columns];
            return Ok(Self { count, rows: mel.as_f32()?.to_vec(), shape, split: false });
        }
        let batch = Tensors::new().with("mel", mel.clone().reshape([count, 1, bands, columns])?);
        let outputs = session.run(&batch)?;
        let embedding = outputs.get("embedding")?;
        let &[rows, width] = embedding.shape() else {
            let found = embedding.shape();
            return Err(NodeError::model(format!(
                "role `{}`: expected embedding [n,H], found {found:?}",
                SPLIT[0]
            )));
        };
        if rows != count {
            return Err(NodeError::model(format!(
                "role `{}`: expected {count} rows, found {rows}",
                SPLIT[0]
            )));
        }
        Ok(Self { count, rows: embedding.as_f32()?.to_vec(), shape: vec![1, width], split: true })
    }

    /// The expression of frame `k`.
    fn predict(&self, k: usize, reference: &[f32], ratio: f32, models: &Models) -> Result<Vec<f32>> {
        let width = self.rows.len() / self.count.max(1);
        let row = Tensor::f32(self.shape.clone(), self.rows[k * width..(k + 1) * width].to_vec())?;
        let size = reference.len();
        let (role, name, shape) = if self.split {
            (SPLIT[1], "embedding", vec![1, size])
        } else {
            (WHOLE, "mel", vec![1, 1, size])
        };
        let offered = Tensors::new()
            .with(name, row)
            .with("reference", Tensor::f32(shape, reference.to_vec())?)
            .with("ratio", Tensor::f32([1, 1], vec![ratio])?);
        let outputs = models.run(role, &offered)?;
        let expression = outputs.get("expression")?.as_f32()?;
        if expression.len() != size {
            return Err(NodeError::model(format!(
                "role `{role}`: expected {size} numbers, found {}",
                expression.len()
            )));
        }
        Ok(expression.to_vec())
    }
}
