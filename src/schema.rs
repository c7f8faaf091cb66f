//! A JSON Schema (draft 2020-12) of graph files, made from the node types' contracts. Editors that speak it complete and
//! check graphs while they are written; `check` finds more (references, types along edges, loops).

use serde_json::{Map, Value, json};
use talkgraph_nodes::{
    artifact::ArtifactType,
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
        "target": {
            "description": "a parameter, `node.param`; in a part `part/node.param`, or `part.name` for one that the part has a name for",
            "type": "string",
            "pattern": r"^[^.\s]+\.[^.\s]+$",
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
        "input_type": input_type(&decoders),
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
            "params": {
                "description": "names for parameters of nodes: `--set NAME=VALUE`, and `params` where this graph is a part",
                "type": ["object", "null"],
                "additionalProperties": {
                    "anyOf": [{ "$ref": "#/$defs/target" }, { "type": "array", "items": { "$ref": "#/$defs/target" } }],
                },
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

/// What an input may be: what files are decoded to, and what another graph connects, of which this one is a part.
fn input_type(decoders: &[&Contract]) -> Value {
    let decoded = |ty: ArtifactType| decoders.iter().find(|contract| contract.decodes == Some(ty));
    let types = ArtifactType::ALL.iter().flat_map(|&ty| {
        let whose = decoded(ty).map_or("of a part".into(), |contract| format!("read by `{}`", contract.name));
        let along = format!("{}{ty}", spec::SEQUENCE);
        [
            json!({ "const": ty.name(), "description": format!("{}; {whose}", ty.doc()) }),
            json!({ "const": along, "description": format!("{}; along time, of a part", ty.doc()) }),
        ]
    });
    json!({ "anyOf": types.collect::<Vec<_>>() })
}

fn input(decoders: &[&Contract]) -> Value {
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
            { "$ref": "#/$defs/input_type" },
            {
                "type": "object",
                "properties": {
                    "type": { "$ref": "#/$defs/input_type" },
                    "params": { "description": "parameters of the type that reads it" },
                    "cache": { "$ref": "#/$defs/cache" },
                    "optional": { "description": "whether a graph that has this one as a part may leave it out", "type": "boolean", "default": false },
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
            "graph": { "description": "a graph file, relative to this one: its inputs and outputs are the node's ports", "type": "string" },
            "in": { "description": "where each input port comes from", "type": ["object", "null"] },
            "params": { "description": "parameters", "type": ["object", "null"] },
            "cache": { "$ref": "#/$defs/cache" },
        },
        "oneOf": [{ "required": ["type"] }, { "required": ["graph"] }],
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
