//! A face's expression as a recording that capture apps' readers open.

mod body;
#[cfg(test)]
mod tests;

use crate::{
    arkit::Angles,
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Text, Time},
    error::{NodeError, Result},
    models::Models,
    params::Params,
    types::one_of::one_of,
};

const DOC: &str = "\
An expression along time as ARKit's 52 face units: `csv` as Live Link Face writes it (timecode from 00:00:00:00.000 on, count 61, units, angles of head and eyes), for Unreal's importer \
and others; `json` as a list of what MediaPipe's face landmarker gives for each picture, with `timestampMs`, `_neutral`, all units, and the head's rotation as matrices where there is a pose. \
Give `motion`, of `track` for example, which has the head's rotation in it, or `expression`, and `pose` if the head is to turn.

Units are what `arkit_decode` makes the same coefficients of: each goes to its plainest units (`wide` to both `mouthStretch`, `brow` to `browInnerUp` and both `browOuterUp`), below 0 to their \
opposites (`eyeWide`, `mouthFrown`, `browDown`), and `press` to `mouthClose` as far as the jaw is open, to `mouthPress` beyond. What lies outside [0,1] is cut, and so is what has no unit (note \
`cut`: frames where that was so). A timecode counts the sequence's own frames; at rates that timecodes do not know, sixtieths of a second. Angles have the signs that `arkit_decode` says; those of the eyes are their units \
times 0.6 (sideways) and 0.45 radians, approximately.";

/// The node type `write_arkit`.
pub(crate) struct WriteArkit(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> WriteArkit {
    let choice = |options: &[&'static str]| ParamKind::Choice {
        options: options.iter().map(|&option| Text::from(option)).collect(),
    };
    WriteArkit(
        Contract::new("write_arkit", 1, Time::Value, Pool::Io, "writes an expression as face units of ARKit")
            .doc(DOC)
            .optional(
                "motion",
                ArtifactType::Motion,
                Arity::Sequence,
                "what a face does, of `track`; or connect `expression`",
            )
            .optional(
                "expression",
                ArtifactType::Expression,
                Arity::Sequence,
                "an expression along time; or connect `motion`",
            )
            .optional(
                "pose",
                ArtifactType::Pose,
                Arity::Sequence,
                "poses, as many as `expression` has frames",
            )
            .output("file", ArtifactType::File, "the file")
            .named("format", &[("csv", "csv"), ("json", "json")], None)
            .param("format", choice(&["csv", "json"]), ParamValue::Text("csv".into()), "file format")
            .param(
                "angles",
                choice(&Angles::NAMES),
                ParamValue::Text(Angles::NAMES[0].into()),
                "what a CSV's angles are measured in; half turns: 1 is 180 degrees",
            ),
    )
}

impl NodeType for WriteArkit {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let mut contract = one_of(&self.0, use_, ["motion", "expression"])?;
        if contract.find_input("motion").is_some() {
            if use_.connected.contains("pose") {
                return Err(NodeError::input("`motion` and `pose` are both connected, expected one of them")
                    .hint("a motion has the head's rotation in it"));
            }
            contract.inputs.retain(|input| input.name != "pose");
        }
        Ok(contract)
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(vec!["pack.expression".into()])
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Write {
            format: params.text("format")?.to_owned(),
            angles: params.text("angles")?.parse()?,
        })))
    }
}
