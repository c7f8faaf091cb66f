//! `talkgraph nodes [TYPE]` and `talkgraph schema`

use talkgraph_nodes::{contract::Contract, registry::Registry};

use super::{Outcome, print, print_json};
use crate::{
    docs,
    error::{Diagnostic, Failure},
    schema, suggest,
};

/// Flags of `nodes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Node type; all when left out
    #[arg(value_name = "TYPE")]
    ty: Option<String>,
    /// Contracts as JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// The whole reference as Markdown
    #[arg(long, conflicts_with = "ty")]
    markdown: bool,
}

/// Prints the node reference.
pub fn run(args: &Args) -> Outcome {
    let registry = Registry::builtin();
    let Some(name) = &args.ty else {
        if args.json {
            let contracts: Vec<&Contract> = registry.iter().map(|ty| ty.contract()).collect();
            return print_json(&contracts);
        }
        return print(if args.markdown { docs::markdown(&registry) } else { docs::list(&registry) });
    };
    let Some(ty) = registry.get(name) else {
        let names = registry.iter().map(|ty| ty.contract().name.as_ref());
        let hint = suggest::hint(name, names, "");
        return Err(Failure::usage(Diagnostic::error(format!("unknown node type `{name}`")).hint(hint)));
    };
    if args.json { print_json(ty.contract()) } else { print(docs::describe(ty.contract())) }
}

/// Prints the JSON Schema of graph files.
pub fn schema() -> Outcome {
    print_json(&schema::schema(&Registry::builtin()))
}
