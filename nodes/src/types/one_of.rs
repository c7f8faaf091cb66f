//! For node types that take one of two inputs.

use crate::{
    body::NodeUse,
    contract::Contract,
    error::{NodeError, Result},
};

/// `contract` with the connected one of two optional inputs required and the other gone.
pub(crate) fn one_of(contract: &Contract, use_: &NodeUse<'_>, ports: [&str; 2]) -> Result<Contract> {
    let [a, b] = ports;
    let used = match ports.map(|port| use_.connected.contains(port)) {
        [true, false] => a,
        [false, true] => b,
        [true, true] => {
            return Err(NodeError::input(format!(
                "`{a}` and `{b}` are both connected, expected one of them"
            )));
        }
        [false, false] => {
            return Err(NodeError::input(format!(
                "neither `{a}` nor `{b}` is connected, expected one of them"
            )));
        }
    };
    let mut contract = contract.clone();
    contract.inputs.retain(|input| input.name == used || !ports.contains(&&*input.name));
    contract.inputs.iter_mut().filter(|input| input.name == used).for_each(|input| input.required = true);
    Ok(contract)
}
