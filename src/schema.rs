//! A JSON Schema (draft 2020-12) of graph files, made from the node types' contracts. Editors that speak it complete and
//! check graphs while they are written; `check` finds more (references, types along edges, loops).

use serde_json::{Map, Value, json};
use talkgraph_nodes::{
    body::NodeType,
    contract::{Contract, Param, ParamKind, Rate},
    registry::Registry,
};

use crate::{check::params::takes, spec};

/// The schema of graph files that use the types of `registry`.
pub fn schema(registry: &Registry) -> Value {
    let contracts: Vec<&Contract> = registry.iter().map(NodeType::contract).collect();
    let decoders: Vec<&Contract> =
        contracts.iter().copied().filter(|contract| contract.decodes.is_some()).collect();
    let mut defs = json!({
        "reference": {
            "description": "an output, `node.port`, or the name of a graph input",
            "type": "string",
            "pattern": r"^[^.\s]+(\.[^.\s]+)?$",
        },
        "cache": {
            "description": "how the outputs are stored",
            "default": "auto",
            "anyOf": [
                { "const": "auto", "description": "what the node type says" },
                { "const": "always", "description": "store them" },
                { "const": "never", "description": "do not store them: they are identified by what makes them" },
                { "const": "refresh", "description": "run again, then store" },
            ],
        },
        "rate": {
            "description": "frames a second; decimals of NTSC (23.976, 29.97, 59.94) are its exact fractions",
            "anyOf": [
                { "type": "number", "minimum": Rate::BOUNDS.0, "maximum": Rate::BOUNDS.1 },
                { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+|/[0-9]+)?$" },
            ],
        },
        "input": input(&decoders),
        "node": node(&contracts),
    });
    for contract in &contracts {
        defs[format!("type_{}", contract.name)] = use_of(contract);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "talkgraph graph",
        "description": "A talking-head pipeline: typed nodes, connected by references to their outputs.",
        "type": "object",
        "properties": {
            "talkgraph": { "const": spec::VERSION, "description": "version of the graph format" },
            "name": { "type": "string", "description": "name of the graph, for reports" },
            "fps": {
                "description": "frames a second, for every parameter `fps` that a node does not set itself",
                "$ref": "#/$defs/rate",
            },
            "inputs": {
                "description": "what the graph is given, `-i NAME=PATH`: a type for every name",
                "type": ["object", "null"],
                "additionalProperties": { "$ref": "#/$defs/input" },
            },
            "nodes": {
                "description": "the nodes by name; their order means nothing",
                "type": "object",
                "additionalProperties": { "$ref": "#/$defs/node" },
            },
            "outputs": {
                "description": "what the graph gives, `-o NAME=PATH`: only what these need is run",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": { "$ref": "#/$defs/reference" },
            },
        },
        "required": ["talkgraph", "nodes", "outputs"],
        "additionalProperties": false,
        "$defs": defs,
    })
}

fn input(decoders: &[&Contract]) -> Value {
    let types: Vec<Value> = decoders
        .iter()
        .filter_map(|contract| {
            let ty = contract.decodes?;
            Some(json!({ "const": ty.name(), "description": format!("{}; read by `{}`", ty.doc(), contract.name) }))
        })
        .collect();
    let uses: Vec<Value> = decoders
        .iter()
        .filter_map(|contract| {
            Some(json!({
                "if": { "properties": { "type": { "const": contract.decodes?.name() } }, "required": ["type"] },
                "then": { "properties": { "params": params(contract) } },
            }))
        })
        .collect();
    json!({
        "anyOf": [
            { "anyOf": types },
            {
                "type": "object",
                "properties": {
                    "type": { "description": "artifact type", "anyOf": types },
                    "params": { "description": "parameters of the type that reads it" },
                    "cache": { "$ref": "#/$defs/cache" },
                },
                "required": ["type"],
                "additionalProperties": false,
                "allOf": uses,
            },
        ],
    })
}

fn node(contracts: &[&Contract]) -> Value {
    let types =
        contracts.iter().map(|contract| json!({ "const": contract.name, "description": contract.summary }));
    let uses = contracts.iter().map(|contract| {
        json!({
            "if": { "properties": { "type": { "const": contract.name } }, "required": ["type"] },
            "then": { "$ref": format!("#/$defs/type_{}", contract.name) },
        })
    });
    json!({
        "type": "object",
        "properties": {
            "type": { "description": "node type", "anyOf": types.collect::<Vec<_>>() },
            "in": { "description": "where each input port comes from", "type": ["object", "null"] },
            "params": { "description": "parameters", "type": ["object", "null"] },
            "cache": { "$ref": "#/$defs/cache" },
        },
        "required": ["type"],
        "additionalProperties": false,
        "allOf": uses.collect::<Vec<_>>(),
    })
}

/// What a node of this type may say. The ports of a type without any in its general contract are not known here.
fn use_of(contract: &Contract) -> Value {
    let mut schema = json!({ "description": contract.summary, "properties": { "params": params(contract) } });
    let mut required = vec![];
    if !contract.inputs.is_empty() || !contract.outputs.is_empty() {
        let ports = contract.inputs.iter().map(|port| {
            let doc = format!("{} ({})", port.doc, port.ty);
            (port.name.to_string(), json!({ "$ref": "#/$defs/reference", "description": doc }))
        });
        let needed: Vec<&str> =
            contract.inputs.iter().filter(|port| port.required).map(|port| port.name.as_ref()).collect();
        if !needed.is_empty() {
            required.push("in");
        }
        schema["properties"]["in"] = json!({
            "properties": ports.collect::<Map<_, _>>(),
            "required": needed,
            "additionalProperties": false,
        });
    }
    if contract.params.iter().any(|param| param.default.is_none()) {
        required.push("params");
    }
    schema["required"] = json!(required);
    schema
}

fn params(contract: &Contract) -> Value {
    let properties: Map<_, _> =
        contract.params.iter().map(|one| (one.name.to_string(), param(one))).collect();
    // A pack may give a default where the contract has none, but packs are not known here: such parameters are asked for.
    let required = contract.params.iter().filter(|param| param.default.is_none());
    let required: Vec<&str> = required.map(|param| param.name.as_ref()).collect();
    json!({ "properties": properties, "required": required, "additionalProperties": false })
}

fn param(param: &Param) -> Value {
    let mut schema = match &param.kind {
        ParamKind::Bool => json!({ "type": "boolean" }),
        ParamKind::Int { min, max } => {
            let mut schema = json!({ "type": "integer" });
            if *min != i64::MIN {
                schema["minimum"] = json!(min);
            }
            if *max != i64::MAX {
                schema["maximum"] = json!(max);
            }
            schema
        }
        ParamKind::Float { min, max } => {
            let mut schema = json!({ "type": "number" });
            if min.is_finite() && *min != f64::MIN {
                schema["minimum"] = json!(min);
            }
            if max.is_finite() && *max != f64::MAX {
                schema["maximum"] = json!(max);
            }
            schema
        }
        ParamKind::Rate => json!({ "$ref": "#/$defs/rate" }),
        ParamKind::Choice { options } => json!({ "enum": options }),
        ParamKind::Text | ParamKind::File => json!({ "type": "string" }),
    };
    schema["description"] = format!("{} ({})", param.doc, takes(&param.kind)).into();
    if let Some(default) = &param.default {
        schema["default"] = json!(default);
    }
    schema
}
