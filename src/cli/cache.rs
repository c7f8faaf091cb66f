//! `talkgraph cache stats|ls|show|verify|gc`

use std::{fmt::Write as _, time::SystemTime};

use serde_json::json;
use talkgraph_cache::{ActionRecord, Store};

use super::{
    Outcome,
    args::CacheArg,
    parts::{open_store, store_failure},
    print, print_json,
};
use crate::{
    error::{Diagnostic, Failure},
    size::{self, human},
};

/// Flags of `cache`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    pub cache: CacheArg,
    /// As JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// How full it is, by node type
    Stats,
    /// Recorded actions, the newest first
    Ls {
        /// Only of this node type
        #[arg(long = "type", value_name = "TYPE")]
        ty: Option<String>,
    },
    /// One action: its key, its outputs, its notes
    Show {
        /// The action's digest, or how it begins
        digest: String,
    },
    /// Compare every blob with its digest
    Verify,
    /// Make room: what is cheapest to compute again goes first
    Gc {
        /// Most that may stay, like 2GiB or 500M
        #[arg(long, value_name = "SIZE", value_parser = size::parse)]
        max_size: u64,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
}

/// Looks at the store, or makes room in it.
pub fn run(args: &Args) -> Outcome {
    let store = open_store(args.cache.cache.as_deref())?;
    match &args.action {
        Action::Stats => stats(&store, args.json),
        Action::Ls { ty } => list(&store, ty.as_deref(), args.json),
        Action::Show { digest } => show(&store, digest, args.json),
        Action::Verify => verify(&store, args.json),
        Action::Gc { max_size, dry_run } => collect(&store, *max_size, *dry_run, args.json),
    }
}

fn stats(store: &Store, as_json: bool) -> Outcome {
    let stats = store.stats().map_err(|error| store_failure(&error))?;
    if as_json {
        let row = |(name, (actions, bytes, seconds)): (&String, &(usize, u64, f64))| {
            (name.clone(), json!({ "actions": actions, "bytes": bytes, "seconds": seconds }))
        };
        let types: serde_json::Map<_, _> = stats.types.iter().map(row).collect();
        return print_json(&json!({
            "folder": store.root(),
            "actions": stats.actions,
            "blobs": stats.blobs,
            "bytes": stats.bytes,
            "seconds": stats.seconds,
            "types": types,
        }));
    }
    let mut text = format!(
        "{}\n{} in {} blobs; {} actions that took {:.1} s\n",
        store.root().display(),
        human(stats.bytes),
        stats.blobs,
        stats.actions,
        stats.seconds
    );
    for (name, (actions, bytes, seconds)) in &stats.types {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:14} {actions:6} actions  {:>10}  {seconds:9.1} s", human(*bytes));
    }
    print(text)
}

fn list(store: &Store, ty: Option<&str>, as_json: bool) -> Outcome {
    let mut records = store.actions().map_err(|error| store_failure(&error))?;
    records.retain(|record| ty.is_none_or(|ty| record.node_type == ty));
    records.sort_by(|a, b| b.created.cmp(&a.created).then(a.key.cmp(&b.key)));
    if as_json {
        return print_json(&records);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let mut text = String::new();
    for record in &records {
        let _ = writeln!(
            text,
            "{}  {:14} {:>10}  {:8.2} s  {} ago",
            record.key.short(),
            record.node_type,
            human(record.bytes()),
            record.seconds,
            ago(now.saturating_sub(record.created))
        );
    }
    print(text)
}

fn show(store: &Store, start: &str, as_json: bool) -> Outcome {
    let record = find(store, start)?;
    if as_json {
        return print_json(&record);
    }
    let mut text = format!("action {}\n{}", record.key, record.manifest);
    for (port, output) in &record.outputs {
        let _ = writeln!(text, "\noutput {port}: {} in {} blobs", human(output.bytes), output.blobs.len());
        for digest in &output.blobs {
            let _ = writeln!(text, "  {}", store.path(digest).display());
        }
    }
    let _ = writeln!(text, "\ntook {:.2} s\nnotes {}", record.seconds, record.notes);
    print(text)
}

fn find(store: &Store, start: &str) -> Result<ActionRecord, Failure> {
    if let Ok(digest) = start.parse()
        && let Some(record) = store.action(&digest).map_err(|error| store_failure(&error))?
    {
        return Ok(record);
    }
    let records = store.actions().map_err(|error| store_failure(&error))?;
    let mut found = records.into_iter().filter(|record| record.key.to_string().starts_with(start));
    let wrong = |message: String| Failure::usage(Diagnostic::error(message).hint("see `talkgraph cache ls`"));
    match (found.next(), found.next()) {
        (Some(record), None) => Ok(record),
        (None, _) => Err(wrong(format!("action `{start}`: not in the cache"))),
        (Some(_), Some(_)) => Err(wrong(format!("action `{start}`: several actions begin like this"))),
    }
}

fn verify(store: &Store, as_json: bool) -> Outcome {
    let found = store.verify().map_err(|error| store_failure(&error))?;
    if as_json {
        print_json(&json!({
            "blobs": found.blobs,
            "bytes": found.bytes,
            "corrupt": found.corrupt,
            "forgotten": found.forgotten,
        }))?;
    } else {
        print(format!("{} blobs are sound ({})\n", found.blobs, human(found.bytes)))?;
    }
    if found.corrupt.is_empty() && found.forgotten.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} blobs were damaged and moved aside; {} actions lost a blob and were forgotten",
        found.corrupt.len(),
        found.forgotten.len()
    );
    Err(Failure::store(Diagnostic::error(message).hint("they run again when they are needed")))
}

fn collect(store: &Store, most: u64, dry_run: bool, as_json: bool) -> Outcome {
    let done = store.collect(most, dry_run).map_err(|error| store_failure(&error))?;
    if as_json {
        return print_json(&json!({
            "actions": done.actions,
            "blobs": done.blobs,
            "bytes": done.bytes,
            "left": done.left,
            "dry_run": dry_run,
        }));
    }
    print(format!(
        "{} {} actions and {} blobs ({}); {} left\n",
        if dry_run { "would remove" } else { "removed" },
        done.actions.len(),
        done.blobs,
        human(done.bytes),
        human(done.left)
    ))
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}
