//! `talkgraph config`: the settings in force, and where each comes from.

use std::{env, path::PathBuf};

use serde_json::json;
use talkgraph_nodes::precision::Precision;

use super::{Outcome, find, parts, print, print_json};
use crate::{
    config::{self, Config},
    size::human,
};

/// Flags of `config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Shows what a command without flags would use.
pub fn run(args: &Args) -> Outcome {
    let config = Config::load()?;
    let file = config::path().filter(|path| path.is_file());
    let from_file = file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    // The value as text, and where it comes from: variable, file, default.
    let setting = |variable: &str, written: Option<String>, default: Option<String>| match (
        env::var(variable).ok().filter(|value| !value.is_empty()),
        written,
    ) {
        (Some(value), _) => (Some(value), format!("${variable}")),
        (None, Some(value)) => (Some(value), from_file.clone()),
        (None, None) => (default, "default".into()),
    };
    let text = |path: &PathBuf| path.display().to_string();
    let rows = [
        (
            "pack",
            setting("TALKGRAPH_PACK", config.pack.as_ref().map(text), find::pack(None).as_ref().map(text)),
        ),
        ("device", setting("TALKGRAPH_DEVICE", config.device.clone(), Some("auto".into()))),
        (
            "precision",
            setting(
                "TALKGRAPH_PRECISION",
                config.precision.map(|precision| precision.to_string()),
                Some(Precision::default().to_string()),
            ),
        ),
        (
            "cache.folder",
            setting(
                "TALKGRAPH_CACHE",
                config.cache.folder.as_ref().map(text),
                parts::store_folder(None).ok().as_ref().map(text),
            ),
        ),
        ("cache.max_size", setting("TALKGRAPH_CACHE_SIZE", config.cache.max_size.map(human), None)),
    ];
    if args.json {
        let rows =
            rows.map(|(name, (value, from))| (name.to_owned(), json!({ "value": value, "from": from })));
        return print_json(&serde_json::Map::from_iter(rows));
    }
    let lines = rows.map(|(name, (value, from))| {
        format!("{name:14}  {}  ({from})\n", value.unwrap_or_else(|| "none".into()))
    });
    print(lines.concat())
}
