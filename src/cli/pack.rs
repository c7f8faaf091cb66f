//! `talkgraph pack show|verify`

use std::{fmt::Write as _, path::PathBuf};

use serde_json::json;
use talkgraph_nodes::{
    file::{ModelFile, fingerprint},
    home::Home,
    pack::Pack,
    registry::Registry,
};

use super::{Outcome, find, print, print_json};
use crate::{
    check,
    config::Config,
    error::{Diagnostic, Diagnostics, Failure},
};

/// Flags of `pack`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// What a pack is made of
    Show {
        #[command(flatten)]
        folder: Folder,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Hash every file, and compare its tensors with the contract of its role and its defaults with those of node types
    Verify {
        #[command(flatten)]
        folder: Folder,
    },
}

#[derive(Debug, clap::Args)]
struct Folder {
    /// Pack: a folder, or the name of an installed one; the bundled one when left out
    #[arg(value_name = "PACK", env = "TALKGRAPH_PACK")]
    pack: Option<PathBuf>,
}

impl Args {
    /// The settings of the user's file where neither argument nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        let (Action::Show { folder, .. } | Action::Verify { folder }) = &mut self.action;
        folder.pack = folder.pack.take().or_else(|| config.pack.clone());
    }
}

/// Shows or verifies a pack.
pub fn run(args: &Args) -> Outcome {
    match &args.action {
        Action::Show { folder, json } => {
            let pack = open(folder)?;
            if *json { print_json(&as_json(&pack)) } else { print(as_text(&pack)) }
        }
        Action::Verify { folder } => {
            let pack = open(folder)?;
            let mut faults = check::defaults(&pack, &Registry::builtin());
            faults.extend(pack.check().iter().map(|fault| Diagnostic::from_node("", fault)));
            if !faults.is_empty() {
                return Err(Failure::usage(Diagnostics(faults)));
            }
            let files = pack.models().count();
            print(format!("{} version {}: {files} models, all sound\n", pack.name(), pack.version()))
        }
    }
}

fn open(folder: &Folder) -> Result<Pack, Failure> {
    let Some(folder) = find::pack(folder.pack.as_deref()) else {
        let diagnostic = Diagnostic::error("no pack is bundled here").hint("name the folder of a pack");
        return Err(Failure::usage(diagnostic));
    };
    Pack::open(&folder, &Home::find(), &fingerprint)
        .map_err(|error| Failure::usage(Diagnostic::from_node("", &error)))
}

fn bytes(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn as_text(pack: &Pack) -> String {
    let layout = pack.coefficients();
    let mut text = format!(
        "{} version {}\nfolder: {}\nlicence: {}\nresolution: {} pixels\ncoefficients: {}, of which expression {} ({})\n\nroles\n",
        pack.name(),
        pack.version(),
        pack.folder().display(),
        pack.licence(),
        pack.resolution(),
        layout.size,
        layout.expressions(),
        pack.expression().join(", "),
    );
    let width = pack.roles().map(|(role, _)| role.len()).max().unwrap_or(0);
    for (role, file) in pack.roles() {
        let kib = bytes(&file.path).div_ceil(1024);
        _ = writeln!(text, "  {role:width$}  {kib:>7} KiB  {}  {}", file.digest.short(), file.path.display());
    }
    let halves: Vec<_> = pack.variants().map(|(role, _)| role).collect();
    if !halves.is_empty() {
        _ = writeln!(text, "\nin half precision too: {}", halves.join(", "));
    }
    for (name, phases) in pack.optimisations() {
        _ = writeln!(text, "\n{name}");
        for phase in phases {
            _ = writeln!(
                text,
                "  {}: {} steps, learning rate {}",
                phase.name, phase.steps, phase.learning_rate
            );
        }
    }
    text
}

fn as_json(pack: &Pack) -> serde_json::Value {
    let entry =
        |file: &ModelFile| json!({ "path": file.path, "bytes": bytes(&file.path), "blake3": file.digest });
    let roles: serde_json::Map<_, _> =
        pack.roles().map(|(role, file)| (role.to_owned(), entry(file))).collect();
    let halves: serde_json::Map<_, _> =
        pack.variants().map(|(role, file)| (role.to_owned(), entry(file))).collect();
    let optimisations: serde_json::Map<_, _> = pack
        .optimisations()
        .iter()
        .map(|(name, phases)| {
            let phases: Vec<_> =
                phases.iter().map(|phase| json!({ "name": phase.name, "steps": phase.steps })).collect();
            (name.clone(), phases.into())
        })
        .collect();
    json!({
        "name": pack.name(),
        "version": pack.version(),
        "licence": pack.licence(),
        "folder": pack.folder(),
        "resolution": pack.resolution(),
        "coefficients": pack.coefficients(),
        "expression": pack.expression(),
        "defaults": pack.defaults(),
        "roles": roles,
        "half": halves,
        "optimisations": optimisations,
    })
}
