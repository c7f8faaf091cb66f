//! Models against the contracts of their roles.

use std::collections::BTreeMap;

use super::{
    Pack, Phase,
    roles::{self, TensorContract},
};
use crate::{
    error::{NodeError, Result},
    file::ModelFile,
    onnx::{Dim, Element, Port, Signature},
};

/// Sizes of symbols that a pack has fixed so far, with the place that fixed them.
struct Sizes(BTreeMap<String, (usize, String)>);

/// Every fault of the pack's models, read from the files without ONNX Runtime.
pub(super) fn faults(pack: &Pack) -> Vec<NodeError> {
    let mut sizes = Sizes(BTreeMap::new());
    let layout = pack.coefficients();
    sizes.fix("P", pack.resolution(), "resolution");
    sizes.fix("K", layout.size, "coefficients.size");
    sizes.fix("E", layout.expressions(), "coefficients.expression");
    if let Some(landmarks) = pack.landmarks() {
        sizes.fix("M", landmarks.len(), "landmarks");
    }
    if let Some(parsing) = pack.parsing() {
        sizes.fix("Q", parsing.size, "parsing.size");
    }
    let mut faults = vec![];
    for (name, model) in pack.roles().chain(pack.variants()) {
        if let Err(error) = check_role(name, model, &mut sizes) {
            faults.push(error);
        }
    }
    if let (Some((rays, _)), Some((side, place))) = (sizes.0.get("N"), sizes.0.get("R"))
        && *rays != side * side
    {
        faults.push(NodeError::model(format!(
            "{place}: R = {side} needs N = {} rays, found {rays}",
            side * side
        )));
    }
    if let Some((channels, place)) = sizes.0.get("C")
        && pack.unblended() >= *channels
    {
        faults.push(NodeError::model(format!(
            "unblended: expected less than the {channels} channels of {place}, found {}",
            pack.unblended()
        )));
    }
    for (optimisation, phases) in pack.optimisations() {
        for phase in phases {
            if let Err(error) = check_phase(phase) {
                faults.push(error.at(format_args!("optimisation `{optimisation}`")));
            }
        }
    }
    faults
}

fn check_role(name: &str, model: &ModelFile, sizes: &mut Sizes) -> Result<()> {
    let Some(contract) = roles::find(name) else { return Ok(()) };
    let signature = Signature::read(&model.path)?;
    let place =
        |kind: &str, tensor: &str| format!("role `{name}` ({}): {kind} `{tensor}`", model.path.display());
    for input in &signature.inputs {
        match contract.inputs.iter().find(|(tensor, _)| *tensor == input.name) {
            Some(tensor) => sizes.check(&place("input", &input.name), input, tensor)?,
            None if contract.open_inputs => {}
            None => {
                let known: Vec<_> = contract.inputs.iter().map(|(tensor, _)| *tensor).collect();
                let place = place("input", &input.name);
                return Err(NodeError::model(format!(
                    "{place} is not offered; the role has {}",
                    known.join(", ")
                )));
            }
        }
    }
    for tensor in contract.outputs {
        let place = place("output", tensor.0);
        let output = signature.output(tensor.0).ok_or_else(|| {
            let found: Vec<_> = signature.outputs.iter().map(|port| port.name.as_str()).collect();
            NodeError::model(format!("{place} is missing, found {}", found.join(", ")))
        })?;
        sizes.check(&place, output, tensor)?;
    }
    for tensor in contract.extras {
        if let Some(output) = signature.output(tensor.0) {
            sizes.check(&place("output", tensor.0), output, tensor)?;
        }
    }
    Ok(())
}

fn check_phase(phase: &Phase) -> Result<()> {
    require(&phase.init, &["params"])?;
    for step in [Some(&phase.step), phase.view_step.as_ref()].into_iter().flatten() {
        require(step, &["params_out", "m_out", "v_out", "loss"])?;
    }
    if let Some(stop) = &phase.stop {
        require(&phase.step, &[&stop.loss])?;
    }
    if let Some(settle) = &phase.settle {
        require(&phase.step, &[&settle.loss])?;
    }
    for model in [phase.view.as_ref(), Some(&phase.finish)].into_iter().flatten() {
        Signature::read(&model.path)?;
    }
    Ok(())
}

fn require(model: &ModelFile, outputs: &[&str]) -> Result<()> {
    let signature = Signature::read(&model.path)?;
    match outputs.iter().find(|output| signature.output(output).is_none()) {
        Some(missing) => {
            Err(NodeError::model(format!("{}: output `{missing}` is missing", model.path.display())))
        }
        None => Ok(()),
    }
}

impl Sizes {
    fn fix(&mut self, symbol: &str, size: usize, place: &str) {
        self.0.insert(symbol.to_owned(), (size, place.to_owned()));
    }

    fn check(&mut self, place: &str, port: &Port, (_, dims): &TensorContract) -> Result<()> {
        let (element, dims) =
            dims.strip_prefix("i64 ").map_or((Element::F32, *dims), |dims| (Element::I64, dims));
        let expected: Vec<_> = dims.split(',').collect();
        let wrong = || Err(NodeError::model(format!("{place}: expected {element} [{dims}], found {port}")));
        if port.element != element {
            return wrong();
        }
        let Some(found) = &port.dims else { return Ok(()) };
        if found.len() != expected.len() {
            return wrong();
        }
        for (expected, found) in expected.iter().zip(found) {
            let Dim::Fixed(found) = found else { continue };
            match (expected.parse::<usize>(), *expected) {
                (Ok(size), _) if size != *found => return wrong(),
                (Ok(_), _) | (Err(_), "n" | "*") => {}
                (Err(_), symbol) => match self.0.get(symbol) {
                    Some((size, fixed)) if size != found => {
                        return Err(NodeError::model(format!(
                            "{place}: expected {symbol} = {size} as in {fixed}, found {port}"
                        )));
                    }
                    Some(_) => {}
                    None => self.fix(symbol, *found, place),
                },
            }
        }
        Ok(())
    }
}
