//! The command line: one module a command. Data goes to standard output, talk to standard error.

pub mod args;
mod cache;
mod check;
mod doctor;
mod dot;
mod nodes;
mod pack;
pub mod parts;
mod plan;
mod run;

use std::{
    io::{ErrorKind, IsTerminal, Write, stderr, stdout},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use serde::Serialize;

use crate::error::{Diagnostic, Diagnostics, Failure};

/// Runs talking-head pipelines written as YAML graphs, and never computes the same thing twice.
#[derive(Debug, Parser)]
#[command(name = "talkgraph", version, after_help = EXIT_STATUS, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str =
    "Exit status: 0 done, 1 a node failed, 2 usage or graph, 3 store or I/O, 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a graph
    Run(run::Args),
    /// Say what a run would do, and why
    Plan(plan::Args),
    /// Look at the cache, or make room in it
    Cache(cache::Args),
    /// Look for everything that a run needs
    Doctor(doctor::Args),
    /// Find every mistake in graph files
    Check(check::Args),
    /// Draw a graph
    Dot(dot::Args),
    /// The node reference
    Nodes(nodes::Args),
    /// Look at a model pack
    Pack(pack::Args),
    /// A JSON Schema of graph files, for editors
    Schema,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Cache(args) => cache::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Dot(args) => dot::run(&args),
        Command::Nodes(args) => nodes::run(&args),
        Command::Pack(args) => pack::run(&args),
        Command::Schema => nodes::schema(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure.diagnostics);
            ExitCode::from(failure.status as u8)
        }
    }
}

/// Writes diagnostics to standard error.
pub fn tell(diagnostics: &Diagnostics) {
    let colour = colour();
    for diagnostic in &diagnostics.0 {
        eprintln!("{}", diagnostic.render(colour));
    }
}

/// Whether standard error takes colours.
pub fn colour() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// What a command gives back.
pub type Outcome = Result<(), Failure>;

/// Writes data to standard output. A reader that goes away early (`| head`) is no failure.
pub fn print(data: impl AsRef<[u8]>) -> Outcome {
    let mut out = stdout().lock();
    match out.write_all(data.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::store(Diagnostic::error("standard output: cannot write").caused_by(&error)))
        }
        _ => Ok(()),
    }
}

/// Writes data to standard output as indented JSON.
pub fn print_json(data: &impl Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(data)
        .map_err(|error| Failure::store(Diagnostic::error("cannot write JSON").caused_by(&error)))?;
    print(text + "\n")
}
