//! `talkgraph plan GRAPH`

use std::fmt::Write as _;

use super::{Outcome, args::GraphArgs, parts::Parts, print, print_json, run::failure};
use crate::plan::{self, NodePlan, Plan, Verdict};

/// Flags of `plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub graph: GraphArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Says what a run would do, and why.
pub fn run(args: &Args) -> Outcome {
    show(&args.graph, args.json)
}

/// Shows the plan of what `args` ask for.
///
/// # Errors
/// As a run's, before any work.
pub fn show(args: &GraphArgs, json: bool) -> Outcome {
    let parts = Parts::open(args)?;
    let graph = parts.graph(args)?;
    let plan = plan::plan(&graph, &parts.engine(), &args.request()?).map_err(|error| failure(&error))?;
    if json { print_json(&plan) } else { print(as_text(&plan)) }
}

pub(super) fn as_text(plan: &Plan) -> String {
    let width =
        |text: fn(&NodePlan) -> &str| plan.nodes.iter().map(|node| text(node).len()).max().unwrap_or(0);
    let (ids, types) = (width(|node| &node.id), width(|node| &node.ty));
    let mut text = String::new();
    for node in &plan.nodes {
        let word = match node.verdict {
            Verdict::Cached => "cached",
            Verdict::Partial => "partial",
            Verdict::Run => "run",
            Verdict::Unknown => "unknown",
        };
        let line = format!("{:ids$}  {:types$}  {word:7}  {}", node.id, node.ty, reasons(node));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn reasons(node: &NodePlan) -> String {
    let mut reasons = vec![];
    if node.cached + node.run + node.unknown > 1 || node.verdict == Verdict::Partial {
        let counts = [(node.cached, "cached"), (node.run, "to run"), (node.unknown, "unknown")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        reasons.push(format!(
            "chunks: {}{}",
            counts.join(", "),
            if node.open { ", perhaps more" } else { "" }
        ));
    }
    reasons.extend(node.why.keys().map(|why| (*why).to_owned()));
    if !node.waits_for.is_empty() {
        let waits: Vec<_> = node.waits_for.iter().map(|name| format!("`{name}`")).collect();
        let itself = node.waits_for.len() == 1 && node.waits_for[0] == node.id;
        reasons.push(if itself {
            "input not given".into()
        } else {
            format!("depends on {}", waits.join(", "))
        });
    }
    reasons.extend(node.fps.iter().map(|fps| format!("{fps} frames a second")));
    reasons.join("; ")
}
