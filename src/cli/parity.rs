//! `talkgraph parity --pack PACK --golden DIR`

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use serde_json::json;
use talkgraph_nodes::{
    error::{ErrorKind, NodeError},
    file::fingerprint,
    home::Home,
    models::Models,
    pack::Pack,
    runtime::{DeviceChoice, Runtime},
};

use super::{
    Outcome,
    args::{PackArg, PrecisionArg},
    find, print, print_json,
};
use crate::{
    config::Config,
    error::{Diagnostic, Diagnostics, Failure, Status},
    parity::{self, Golden, Row},
};

/// Flags of `parity`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which pack.
    #[command(flatten)]
    pack: PackArg,
    /// Folder of recorded numbers: parity.yaml and the safetensors files that it names
    #[arg(long, value_name = "DIR")]
    golden: PathBuf,
    /// Only this case
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// Device of the models: auto, cpu, cuda:N
    #[arg(long, value_name = "DEVICE", env = "TALKGRAPH_DEVICE")]
    device: Option<String>,
    /// In which precision.
    #[command(flatten)]
    precision: PrecisionArg,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.pack.fill(config);
        self.precision.fill(config);
        self.device = self.device.take().or_else(|| config.device.clone());
    }
}

/// Compares the networks of a pack with recorded numbers. A case that fails is status 1, what cannot be compared 2.
pub fn run(args: &Args) -> Outcome {
    let golden = Golden::read(&args.golden, &args.case).map_err(Failure::usage)?;
    let models = models(args)?;
    let faults = golden.cases.iter().flat_map(|case| case.faults(&models));
    let faults: Vec<_> = faults.map(|fault| Diagnostic::from_node("", &fault)).collect();
    if !faults.is_empty() {
        return Err(Failure::usage(Diagnostics(faults)));
    }
    let (mut rows, mut wrong) = (vec![], vec![]);
    for case in &golden.cases {
        match parity::run(case, &models) {
            Ok(found) => rows.extend(found),
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                return Err(Failure::new(Status::Interrupted, Diagnostics(vec![])));
            }
            Err(error) => wrong.push(Diagnostic::from_node("", &error)),
        }
    }
    if args.json {
        print_json(&as_json(&models, &rows)?)?
    } else {
        print(as_text(&rows))?
    }
    if !wrong.is_empty() {
        return Err(Failure::usage(Diagnostics(wrong)));
    }
    match rows.iter().filter(|row| !row.passed).count() {
        0 => Ok(()),
        failed => {
            let message = format!("parity: {failed} of {} comparisons failed", rows.len());
            Err(Failure::new(Status::Node, Diagnostic::error(message)))
        }
    }
}

fn models(args: &Args) -> Result<Models, Failure> {
    let told = |error: NodeError| Failure::usage(Diagnostic::from_node("", &error));
    let choice: DeviceChoice = args.device.as_deref().unwrap_or("auto").parse().map_err(told)?;
    let Some(folder) = find::pack(args.pack.pack.as_deref()) else {
        let diagnostic = Diagnostic::error("no pack is bundled here").hint("name a pack folder with --pack");
        return Err(Failure::usage(diagnostic));
    };
    let home = Home::find();
    let pack = Pack::open(&folder, &home, &fingerprint);
    let pack = pack.and_then(|pack| pack.in_precision(args.precision.chosen())).map_err(told)?;
    let runtime = Runtime::new(home, choice).map_err(told)?;
    Ok(Models::new(Arc::new(pack), Arc::new(runtime)))
}

fn as_text(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let header = ["case", "output", "largest", "mean", "PSNR", "allowed", "verdict"].map(String::from);
    let lines = rows.iter().map(|row| {
        let errors = row.errors;
        let psnr =
            if errors.psnr.is_finite() { format!("{:.1} dB", errors.psnr) } else { ratio(errors.psnr) };
        let verdict = if row.passed { "passed" } else { "FAILED" };
        [
            row.case.clone(),
            row.output.clone(),
            format!("{:.2e}", errors.largest),
            format!("{:.2e}", errors.mean),
            psnr,
            row.limit.to_string(),
            verdict.into(),
        ]
    });
    let lines: Vec<[String; 7]> = [header].into_iter().chain(lines).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<_> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

/// A ratio that is no number of dB.
fn ratio(psnr: f64) -> String {
    if psnr > 0.0 { "equal".into() } else { "none".into() }
}

fn as_json(models: &Models, rows: &[Row]) -> Result<serde_json::Value, Failure> {
    let pack = models.pack().map_err(|error| Failure::usage(Diagnostic::from_node("", &error)))?;
    Ok(json!({
        "pack": { "name": pack.name(), "version": pack.version(), "folder": pack.folder() },
        "passed": rows.iter().all(|row| row.passed),
        "rows": rows,
    }))
}
