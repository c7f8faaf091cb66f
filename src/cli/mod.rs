//! The command line: one module a command. Data goes to standard output, talk to standard error.

pub mod args;
mod check;

use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::error::{Diagnostics, Failure};

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
    /// Find every mistake in graph files
    Check(check::Args),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Check(args) => check::run(&args),
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
