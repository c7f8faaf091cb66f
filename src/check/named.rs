//! Parameters that follow the name of the user's file: `-o video=me.webm` asks the node for WebM.

use talkgraph_nodes::{contract::ParamValue, registry::Registry};

use super::settings::Settings;
use crate::{
    outputs,
    spec::{GraphSpec, Names, Origin, Way},
};

/// Node, parameter and the value that a file's name gives it.
pub(super) struct ByName<'a> {
    pub node: &'a str,
    pub param: String,
    pub value: ParamValue,
}

/// What the names of the files that the graph's outputs go to say of parameters. Where two names disagree the first one
/// counts; whether all agree with what is made is checked with the files.
pub(super) fn by_name<'a>(
    spec: &'a GraphSpec,
    names: &Names<'a>,
    registry: &Registry,
    settings: &Settings<'_>,
) -> Vec<ByName<'a>> {
    let found = settings.outputs.iter().filter_map(|(name, path)| {
        let output = spec.outputs.iter().find(|output| output.name.value == *name)?;
        let Way::To { origin: Origin::Node(node), port, .. } = names.follow("", &output.from.value) else {
            return None;
        };
        let node = &spec.nodes[node];
        let contract = registry.get(&node.ty.value)?.contract();
        let named = contract.find_output(port?)?.named.as_ref()?;
        let value = outputs::value(named, path)?;
        Some(ByName { node: &node.id.value, param: named.param.to_string(), value })
    });
    found.collect()
}
