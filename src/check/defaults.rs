//! A pack's defaults against the contracts of node types.

use std::path::Path;

use talkgraph_nodes::{pack::Pack, registry::Registry};

use super::params::{convert, plain};
use crate::{error::Diagnostic, suggest};

/// Defaults of `pack` that no node type takes: unknown types and parameters, values that do not fit.
pub fn defaults(pack: &Pack, registry: &Registry) -> Vec<Diagnostic> {
    let file = pack.folder().join("pack.yaml");
    let place = |key: &str| format!("{}: defaults.{key}", file.display());
    let mut faults = vec![];
    for (name, params) in pack.defaults() {
        let Some(ty) = registry.get(name) else {
            let names = registry.iter().map(|ty| ty.contract().name.as_ref());
            let hint = suggest::hint(name, names, "`talkgraph nodes` lists them");
            faults.push(Diagnostic::error(format!("{}: unknown node type", place(name))).hint(hint));
            continue;
        };
        for (param, value) in params {
            let place = place(&format!("{name}.{param}"));
            let Some(known) = ty.contract().find_param(param) else {
                let names = ty.contract().params.iter().map(|param| param.name.as_ref());
                let none = format!("`{name}` has no parameters");
                let hint = suggest::hint(param, names, &none);
                faults.push(Diagnostic::error(format!("{place}: unknown parameter")).hint(hint));
                continue;
            };
            if let Err((message, hint)) = convert(&known.kind, &plain(value), Path::new("")) {
                faults.push(Diagnostic { hint, ..Diagnostic::error(format!("{place}: {message}")) });
            }
        }
    }
    faults
}
