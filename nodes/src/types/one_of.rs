//! For node types that take one of two inputs.

use crate::{
    body::NodeUse,
    contract::Contract,
    error::{NodeError, Result},
};

/// The connected one of two ports; both or neither is an error.
pub(crate) fn which<'a>(use_: &NodeUse<'_>, [a, b]: [&'a str; 2]) -> Result<&'a str> {
    match [a, b].map(|port| use_.connected.contains(port)) {
        [true, false] => Ok(a),
        [false, true] => Ok(b),
        [true, true] => {
            Err(NodeError::input(format!("`{a}` and `{b}` are both connected, expected one of them")))
        }
        [false, false] => {
            Err(NodeError::input(format!("neither `{a}` nor `{b}` is connected, expected one of them")))
        }
    }
}

/// `contract` with the connected one of two optional inputs required and the other gone.
pub(crate) fn one_of(contract: &Contract, use_: &NodeUse<'_>, ports: [&str; 2]) -> Result<Contract> {
    let used = which(use_, ports)?;
    let mut contract = contract.clone();
    contract.inputs.retain(|input| input.name == used || !ports.contains(&&*input.name));
    contract.inputs.iter_mut().filter(|input| input.name == used).for_each(|input| input.required = true);
    Ok(contract)
}
