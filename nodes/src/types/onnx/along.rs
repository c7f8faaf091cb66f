//! A model mapped along a sequence.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use image::RgbImage;

use super::{body::pick, clash, port_name};
use crate::{
    artifact::{ArtifactType, Value},
    body::{Context, Inputs, MapBody, Outputs},
    contract::{Arity, Contract, SequenceRate, Time},
    error::{NodeError, Result},
    file::ModelFile,
    onnx::{Dim, Element, Port, Signature},
    params::Params,
    pictures,
    tensor::{Tensor, Tensors},
};

/// How many rows go into a model at once that says nothing of it.
const MOST: usize = 8;

/// How the model has pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    /// [n,3,H,W].
    Planes,
    /// [n,H,W,3].
    Pixels,
}

impl Layout {
    /// That of a port, when it is one of pictures.
    fn of(port: &Port) -> Option<Self> {
        let three = Dim::Fixed(3);
        match port.dims.as_deref()? {
            [_, channels, _, _] if *channels == three => Some(Self::Planes),
            [_, _, _, channels] if *channels == three => Some(Self::Pixels),
            _ => None,
        }
    }
}

/// Floats from black to white.
#[derive(Clone, Copy, Debug)]
struct Range {
    black: f32,
    white: f32,
}

/// The model, and which of its inputs takes the sequence.
pub(super) struct Along {
    path: PathBuf,
    /// The input.
    input: Port,
    /// How it has pictures; `None`: it takes tensors.
    layout: Option<Layout>,
    range: Range,
}

impl Along {
    /// What the parameters ask of a model.
    ///
    /// # Errors
    /// No such input, or one that takes no pictures where frames are to go in.
    pub(super) fn of(path: &Path, signature: &Signature, params: &Params) -> Result<Self> {
        let (named, file) = (params.text("along")?, path.display());
        let known = || signature.inputs.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ");
        let input = match (named, signature.inputs.as_slice()) {
            ("", [only]) => only,
            ("", _) => {
                let hint = format!("name one with the parameter `along`: {}", known());
                return Err(NodeError::model(format!("{file}: the model has several inputs")).hint(hint));
            }
            (name, inputs) => inputs
                .iter()
                .find(|port| port.name == name || port_name(&port.name) == name)
                .ok_or_else(|| {
                NodeError::model(format!("{file}: the model has no input `{name}`"))
                    .hint(format!("known: {}", known()))
            })?,
        };
        let layout = match params.text("over")? {
            "frames" => Some(Layout::of(input).ok_or_else(|| {
                NodeError::model(format!(
                    "{file}: input `{}`: expected pictures, [n,3,H,W] or [n,H,W,3], found {input}",
                    input.name
                ))
                .hint("take `over: tensors`, or another input with `along`")
            })?),
            _ => None,
        };
        if layout.is_some() && !matches!(input.element, Element::F32 | Element::F16 | Element::U8) {
            return Err(NodeError::model(format!(
                "{file}: input `{}`: expected pictures of f32 or u8, found {input}",
                input.name
            )));
        }
        let range = match params.text("range")? {
            "-1..1" => Range { black: -1.0, white: 1.0 },
            "0..255" => Range { black: 0.0, white: 255.0 },
            _ => Range { black: 0.0, white: 1.0 },
        };
        Ok(Self { path: path.to_owned(), input: input.clone(), layout, range })
    }

    /// The ports of this use.
    ///
    /// # Errors
    /// Two tensors whose names would be the same port's.
    pub(super) fn contract(&self, general: Contract, path: &Path, signature: &Signature) -> Result<Contract> {
        let mut contract = Contract { time: Time::Map, ..general };
        for port in &signature.inputs {
            let name = port_name(&port.name);
            if contract.find_input(&name).is_some() {
                return Err(clash(path, &name));
            }
            let (ty, arity) = match (port.name == self.input.name, self.layout) {
                (true, Some(_)) => (ArtifactType::Frames, Arity::Chunk),
                (true, None) => (ArtifactType::Tensors, Arity::Chunk),
                _ => (ArtifactType::Tensors, Arity::Value),
            };
            contract = contract.input(name, ty, arity, port.to_string());
        }
        for port in &signature.outputs {
            let name = port_name(&port.name);
            if contract.find_output(&name).is_some() {
                return Err(clash(path, &name));
            }
            let ty = if self.draws(port) { ArtifactType::Frames } else { ArtifactType::Tensors };
            contract = contract.sequence(name, ty, SequenceRate::Inherited, port.to_string());
        }
        Ok(contract)
    }

    /// Whether an output is pictures.
    fn draws(&self, port: &Port) -> bool {
        self.layout.is_some() && Layout::of(port).is_some()
    }

    /// How many rows go in at once.
    fn batch(&self) -> usize {
        match self.input.dims.as_deref() {
            Some([Dim::Fixed(count), ..]) => (*count).max(1),
            _ => MOST,
        }
    }

    /// Pictures as the model wants them.
    fn given(&self, pictures: &[RgbImage], layout: Layout) -> Result<Tensor> {
        let (rows, columns) = if layout == Layout::Planes { (2, 3) } else { (1, 2) };
        let fixed = |axis: usize, own: u32| match self.input.dims.as_deref().map(|dims| &dims[axis]) {
            Some(Dim::Fixed(size)) => *size,
            _ => own as usize,
        };
        let (width, height) = pictures.first().map_or((1, 1), RgbImage::dimensions);
        let (width, height) = (fixed(columns, width), fixed(rows, height));
        let Range { black, white } = self.range;
        let bytes = self.input.element == Element::U8;
        if layout == Layout::Planes {
            if !bytes {
                return pictures::planes(pictures, (width, height), |_, value| {
                    black + value * (white - black)
                });
            }
            let planes = pictures::planes(pictures, (width, height), |_, value| value * 255.0)?;
            let data = planes.as_f32()?.iter().map(|value| value.round() as u8).collect();
            return Tensor::u8(planes.shape(), data);
        }
        let scaled = pictures.iter().map(|picture| pictures::scaled(picture, width, height));
        let data: Vec<u8> = scaled.flat_map(RgbImage::into_raw).collect();
        let shape = [pictures.len(), height, width, 3];
        match bytes {
            true => Tensor::u8(shape, data),
            false => {
                let float = |byte: u8| black + f32::from(byte) / 255.0 * (white - black);
                Tensor::f32(shape, data.into_iter().map(float).collect())
            }
        }
    }

    /// Pictures that the model gave, as frames u8 [n,H,W,3].
    fn drawn(&self, port: &Port, tensor: &Tensor) -> Result<Tensor> {
        let &[n, a, b, c] = tensor.shape() else {
            let message = format!("output `{}`: expected pictures, found {:?}", port.name, tensor.shape());
            return Err(NodeError::model(message));
        };
        let Range { black, white } = self.range;
        let bytes: Vec<u8> = match tensor.as_u8() {
            Ok(bytes) => bytes.to_vec(),
            Err(_) => {
                let byte =
                    |value: &f32| ((value - black) / (white - black) * 255.0).round().clamp(0.0, 255.0) as u8;
                tensor.as_f32()?.iter().map(byte).collect()
            }
        };
        if Layout::of(port) == Some(Layout::Pixels) {
            return Tensor::u8([n, a, b, c], bytes);
        }
        let area = b * c;
        let mut pixels = Vec::with_capacity(bytes.len());
        for picture in bytes.chunks_exact((3 * area).max(1)) {
            pixels.extend((0..area).flat_map(|at| [picture[at], picture[area + at], picture[2 * area + at]]));
        }
        Tensor::u8([n, b, c, 3], pixels)
    }
}

impl MapBody for Along {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let session = ctx.models.runtime()?.session(&ModelFile::at(&self.path)?)?;
        let signature = session.signature();
        let mut offered = Tensors::new();
        for port in signature.inputs.iter().filter(|port| port.name != self.input.name) {
            let name = port_name(&port.name);
            let tensor = pick(inputs.tensors(&name)?, &port.name).map_err(|error| error.at_port(&name))?;
            offered.0.insert(port.name.clone(), tensor.clone());
        }
        let name = port_name(&self.input.name);
        let tensors = inputs.tensors(&name)?;
        let rows = match self.layout {
            Some(layout) => {
                Rows::Pictures(pictures::frames(tensors).map_err(|error| error.at_port(&name))?, layout)
            }
            None => {
                Rows::Tensor(pick(tensors, &self.input.name).map_err(|error| error.at_port(&name))?.clone())
            }
        };
        let (count, batch) = (rows.len(), self.batch());
        let mut parts: BTreeMap<String, Vec<Tensor>> = BTreeMap::new();
        for start in (0..count).step_by(batch) {
            ctx.check_cancelled()?;
            let end = (start + batch).min(count);
            let given = match &rows {
                Rows::Pictures(pictures, layout) => self.given(&pictures[start..end], *layout)?,
                Rows::Tensor(tensor) => tensor.rows(start..end)?,
            };
            // A fixed batch is filled up with its last row, which comes out again and is dropped.
            let short = match self.input.dims.as_deref() {
                Some([Dim::Fixed(_), ..]) => batch - (end - start),
                _ => 0,
            };
            let given = match short {
                0 => given,
                _ => {
                    let last = given.rows(end - start - 1..end - start)?;
                    Tensor::joined(&[vec![given], vec![last; short]].concat())?
                }
            };
            offered.0.insert(self.input.name.clone(), given);
            for (output, tensor) in session.run(&offered)?.0 {
                let found = tensor.shape().first().copied();
                if found != Some(end - start + short) {
                    let message = format!(
                        "model {}: output `{output}`: expected {} rows as went in, found {:?}",
                        session.name(),
                        end - start + short,
                        tensor.shape()
                    );
                    return Err(NodeError::model(message));
                }
                let tensor = if short > 0 { tensor.rows(0..end - start)? } else { tensor };
                parts.entry(output).or_default().push(tensor);
            }
        }
        let mut outputs = Outputs::new();
        for (output, parts) in parts {
            let tensor = Tensor::joined(&parts)?;
            let port = signature.outputs.iter().find(|port| port.name == output && self.draws(port));
            let tensors = match port {
                Some(port) => Tensors::new().with("frames", self.drawn(port, &tensor)?),
                None => Tensors::new().with(output.clone(), tensor),
            };
            outputs.insert(port_name(&output), Value::Tensors(tensors));
        }
        Ok(outputs)
    }
}

/// What of a chunk goes into the model, row by row.
enum Rows {
    Pictures(Vec<RgbImage>, Layout),
    Tensor(Tensor),
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Self::Pictures(pictures, _) => pictures.len(),
            Self::Tensor(tensor) => tensor.shape().first().copied().unwrap_or(0),
        }
    }
}
