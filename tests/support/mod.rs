//! A small, fixed set of node types, so that messages and drawings do not change with the real ones.

use std::path::Path;

use talkgraph::{
    check::{self, Settings},
    error::Diagnostics,
    graph::Graph,
};
use talkgraph_nodes::{
    artifact::ArtifactType as Ty,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Time},
    error::{NodeError, Result},
    params::Params,
    registry::Registry,
};

type Resolve = fn(&Contract, &NodeUse<'_>) -> Result<Contract>;

/// A type that is only ever checked.
struct Checked {
    contract: Contract,
    resolve: Resolve,
}

impl NodeType for Checked {
    fn contract(&self) -> &Contract {
        &self.contract
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        (self.resolve)(&self.contract, use_)
    }

    fn body(&self, _: &Params, _: &Contract) -> Result<Body> {
        Err(NodeError::input("this type is only checked"))
    }
}

fn as_is(contract: &Contract, _: &NodeUse<'_>) -> Result<Contract> {
    Ok(contract.clone())
}

/// Takes a picture or pictures along time, not both, as the types of the face do.
fn still_or_moving(contract: &Contract, use_: &NodeUse<'_>) -> Result<Contract> {
    let (still, moving) = (use_.connected.contains("image"), use_.connected.contains("frames"));
    let mut resolved = contract.clone();
    match (still, moving) {
        (true, false) => {
            resolved.inputs.retain(|input| input.name == "image");
            resolved.outputs.retain(|output| output.sequence.is_none());
        }
        (false, true) => {
            resolved.time = Time::Scan;
            resolved.inputs.retain(|input| input.name == "frames");
            resolved.outputs.retain(|output| output.sequence.is_some());
        }
        _ => return Err(NodeError::input("connect either `image` or `frames`")),
    }
    Ok(resolved)
}

fn at_rate(contract: &Contract, use_: &NodeUse<'_>) -> Result<Contract> {
    let rate = Rate::new(use_.params.int("rate")? as u32, 1);
    let mut resolved = contract.clone();
    for output in &mut resolved.outputs {
        output.sequence = Some(SequenceRate::Fixed(rate));
    }
    Ok(resolved)
}

/// The set.
pub fn registry() -> Registry {
    let (value, chunk) = (Arity::Value, Arity::Chunk);
    let rate = ParamKind::Int { min: 1, max: 240 };
    let types: Vec<(Contract, Resolve)> = vec![
        (
            Contract::new("image_decode", 1, Time::Value, Pool::Cpu, "reads a picture")
                .input("file", Ty::File, value, "the file")
                .output("image", Ty::Image, "the picture")
                .decodes(Ty::Image),
            as_is,
        ),
        (
            Contract::new("audio_decode", 1, Time::Value, Pool::Io, "reads sound")
                .input("file", Ty::File, value, "the file")
                .output("audio", Ty::Audio, "the sound")
                .decodes(Ty::Audio),
            as_is,
        ),
        (
            Contract::new("frames_decode", 1, Time::Value, Pool::Io, "reads pictures along time")
                .input("file", Ty::File, value, "a folder or a video")
                .sequence("frames", Ty::Frames, SequenceRate::Inherited, "the pictures")
                .param("rate", rate.clone(), ParamValue::Int(25), "frames a second")
                .decodes(Ty::Frames),
            at_rate,
        ),
        (
            Contract::new("align", 1, Time::Value, Pool::Model, "cuts the face out of a picture")
                .doc("The square is that of FFHQ.")
                .optional("image", Ty::Image, value, "a photo")
                .optional("frames", Ty::Frames, chunk, "or pictures along time")
                .output("image", Ty::Image, "the square")
                .output("landmarks", Ty::Landmarks, "landmarks in it")
                .sequence("frames", Ty::Frames, SequenceRate::Inherited, "the squares")
                .param(
                    "margin",
                    ParamKind::Float { min: 0.0, max: 1.0 },
                    ParamValue::Float(0.25),
                    "around the face, parts of its side",
                ),
            still_or_moving,
        ),
        (
            Contract::new("mel", 1, Time::Value, Pool::Cpu, "log mel spectrogram")
                .input("audio", Ty::Audio, value, "the sound")
                .sequence("mel", Ty::Mel, SequenceRate::Fixed(Rate::new(25, 1)), "windows, one a frame")
                .param("rate", rate, ParamValue::Int(25), "frames a second"),
            at_rate,
        ),
        (
            Contract::new("talk", 3, Time::Map, Pool::Model, "frames from mel windows and a face")
                .input("mel", Ty::Mel, chunk, "windows")
                .input("face", Ty::Image, value, "the face")
                .optional("driving", Ty::Frames, chunk, "pictures to follow")
                .sequence("frames", Ty::Frames, SequenceRate::Inherited, "the frames")
                .unstored()
                .param("window", ParamKind::Int { min: 1, max: 99 }, ParamValue::Int(7), "frames averaged")
                .param(
                    "mode",
                    ParamKind::Choice { options: vec!["fast".into(), "good".into()] },
                    ParamValue::Text("good".into()),
                    "how",
                )
                .param("mirror", ParamKind::Bool, ParamValue::Bool(false), "whether to mirror"),
            as_is,
        ),
        (
            Contract::new("mux", 1, Time::Reduce, Pool::Io, "frames and sound to MP4")
                .input("frames", Ty::Frames, chunk, "the frames")
                .input("audio", Ty::Audio, value, "the sound")
                .output("video", Ty::Video, "the film"),
            as_is,
        ),
        (
            Contract::new("custom", 1, Time::Value, Pool::Model, "runs a file").required_param(
                "model",
                ParamKind::File,
                "the file",
            ),
            as_is,
        ),
    ];
    Registry::new(
        types
            .into_iter()
            .map(|(contract, resolve)| Box::new(Checked { contract, resolve }) as Box<dyn NodeType>)
            .collect(),
    )
}

/// Checks a text under the name `test.yaml`.
pub fn check(text: &str) -> std::result::Result<Graph, Diagnostics> {
    check_with(text, &Settings::default())
}

/// Checks a text under the name `test.yaml` with settings.
pub fn check_with(text: &str, settings: &Settings<'_>) -> std::result::Result<Graph, Diagnostics> {
    check::check(Path::new("test.yaml"), text, &registry(), settings)
}

/// The messages for a text that must be wrong.
#[allow(dead_code, reason = "not every test file looks at messages")]
pub fn messages(text: &str) -> String {
    match check(text) {
        Ok(graph) => format!("no mistakes; warnings:\n{}", Diagnostics(graph.warnings)),
        Err(diagnostics) => diagnostics.to_string(),
    }
}
