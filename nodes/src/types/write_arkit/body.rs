use std::fs;

use serde_json::json;

use crate::{
    arkit::{self, Angles, Mapping, Units},
    artifact::{FileRef, Value},
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    volume,
};

pub(super) struct Write {
    pub(super) format: String,
    pub(super) angles: Angles,
}

/// Rows of the tensor `name` of the sequence at `port`, one a frame.
fn rows(inputs: &Inputs, port: &str, name: &str, width: usize) -> Result<Vec<Vec<f32>>> {
    let sequence = inputs.sequence(port)?;
    let mut all = vec![];
    for k in 0..sequence.len() {
        let chunk = sequence.chunk(k)?;
        let tensors = chunk.tensors().map_err(|error| error.at_port(port))?;
        let rows = volume::rows(tensors, name, width).map_err(|error| error.at_port(port))?;
        for row in rows {
            if row.iter().any(|number| !number.is_finite()) {
                return Err(NodeError::input(format!(
                    "port `{port}`: frame {}: `{name}` has numbers that are not finite",
                    all.len()
                )));
            }
            all.push(row.to_vec());
        }
    }
    Ok(all)
}

impl ValueBody for Write {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let pack = ctx.models.pack()?;
        let mapping = Mapping::of(pack);
        let (port, turns) = if inputs.has("motion") {
            ("motion", Some(("motion", "rotation", 3)))
        } else {
            ("expression", inputs.has("pose").then_some(("pose", "pose", 6)))
        };
        let expressions = rows(inputs, port, "expression", pack.expression().len())?;
        if expressions.is_empty() {
            return Err(NodeError::input(format!("port `{port}`: no frames, expected at least one")));
        }
        let turned = match turns {
            Some((port, name, width)) => Some(rows(inputs, port, name, width)?),
            None => None,
        };
        if let Some(turned) = turned.as_ref().filter(|turned| turned.len() != expressions.len()) {
            return Err(NodeError::input(format!(
                "port `pose`: {} frames, expected {} as `expression` has",
                turned.len(),
                expressions.len()
            )));
        }
        let rate = inputs.rate().ok_or_else(|| NodeError::input(format!("port `{port}`: no frame rate")))?;
        ctx.check_cancelled()?;

        let mut cut = 0;
        let frames: Vec<(Units, [f32; 3])> = expressions
            .iter()
            .enumerate()
            .map(|(k, row)| {
                let (units, beyond) = mapping.units(row);
                cut += usize::from(beyond);
                let turn = turned.as_ref().map_or([0.0; 3], |turned| [0, 1, 2].map(|axis| turned[k][axis]));
                (units, turn)
            })
            .collect();
        ctx.host.note("frames", json!(frames.len()));
        if cut > 0 {
            ctx.host.note("cut", json!(cut));
        }
        let bytes = match self.format.as_str() {
            "json" => arkit::to_json(frames.into_iter(), rate, turned.is_some()),
            _ => arkit::to_csv(frames.into_iter(), rate, self.angles),
        }?;
        let path = ctx.host.scratch().join(format!("face.{}", self.format));
        fs::write(&path, bytes).map_err(|error| {
            NodeError::io(format!("{}: cannot be written", path.display())).caused_by(error)
        })?;
        out.value("file", Value::File(FileRef { path, digest: None }))
    }
}
