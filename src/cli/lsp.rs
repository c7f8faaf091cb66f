//! `talkgraph lsp`

use super::Outcome;
use crate::{
    error::{Diagnostic, Failure},
    lsp,
};

/// Flags of `lsp`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Over standard input and output: so it is without this flag, which editors give
    #[arg(long)]
    stdio: bool,
}

/// Serves an editor until it says goodbye.
pub fn run(_: &Args) -> Outcome {
    lsp::serve().map_err(|message| {
        Failure::store(Diagnostic::error(format!("the editor's messages cannot be read: {message}")))
    })
}
