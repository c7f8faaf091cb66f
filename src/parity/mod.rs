//! Networks of a pack held to recorded numbers: what `talkgraph parity` computes.

mod file;
mod measure;
#[cfg(test)]
mod tests;

use serde::Serialize;
use talkgraph_nodes::{error::NodeError, models::Models, tensor::Tensors};

pub use file::{Case, Golden};
pub use measure::{Errors, Limit};

/// One output of a case, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The case.
    pub case: String,
    /// The role whose network ran.
    pub role: String,
    /// The role's output.
    pub output: String,
    /// How far the network is off.
    #[serde(flatten)]
    pub errors: Errors,
    /// What is allowed.
    pub limit: Limit,
    /// Whether it stays within that.
    pub passed: bool,
}

/// Runs one case and compares its outputs.
///
/// # Errors
/// Where a tensor does not fit, or the network fails.
pub fn run(case: &Case, models: &Models) -> Result<Vec<Row>, NodeError> {
    let place = |error: NodeError| error.at(format_args!("case `{}`", case.name()));
    let mut offered = case.inputs().map_err(place)?;
    for role in case.first() {
        let given = models.run(role, &offered).map_err(place)?;
        offered.0.extend(given.0);
    }
    let found = models.run(case.role(), &offered).map_err(place)?;
    let rows = case.outputs().map(|(output, expected)| {
        let errors = compare(case, &found, output, &expected?)?;
        Ok(Row {
            case: case.name().to_owned(),
            role: case.role().to_owned(),
            output: output.to_owned(),
            passed: case.limit().allows(&errors),
            errors,
            limit: case.limit(),
        })
    });
    rows.collect::<Result<_, _>>().map_err(place)
}

/// The errors of what was `found` at `output` against what is expected there.
fn compare(
    case: &Case,
    found: &Tensors,
    output: &str,
    expected: &file::Expected,
) -> Result<Errors, NodeError> {
    let place = |error: NodeError| error.at(format_args!("output `{output}` of role `{}`", case.role()));
    let found = expected.part(found.get(output).map_err(place)?).map_err(place)?;
    Errors::between(&found, &expected.tensor).map_err(place)
}
