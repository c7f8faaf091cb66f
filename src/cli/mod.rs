//! The command line: one module a command. Data goes to standard output, talk to standard error.

pub mod args;
mod batch;
mod cache;
mod check;
mod colour;
mod config;
mod doctor;
mod dot;
pub mod find;
mod lsp;
mod manual;
mod new;
mod nodes;
mod pack;
mod parity;
pub mod parts;
mod plan;
mod run;

use std::{
    env,
    io::{ErrorKind, Write, stdout},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use serde::Serialize;

use crate::{
    config::Config,
    error::{Diagnostic, Diagnostics, Failure},
    progress::message,
};
use colour::Colour;

/// Runs talking-head pipelines written as YAML graphs, and never computes the same thing twice.
#[derive(Debug, Parser)]
#[command(name = "talkgraph", version, after_help = STATUS, after_long_help = MORE, arg_required_else_help = true)]
struct Cli {
    /// Colour messages
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        global = true,
        hide_possible_values = true
    )]
    color: Colour,
    #[command(subcommand)]
    command: Command,
}

const STATUS: &str =
    "Exit status: 0 done, 1 a node failed, 2 usage or graph, 3 store or I/O, 130 interrupted.";

/// What `--help` says beside flags.
const MORE: &str = "\
Exit status:
  0    done
  1    a node failed
  2    the command line, the settings or the graph is wrong
  3    the store, or reading or writing a file, failed
  130  interrupted

Variables, each after its flag and before the settings file:
  TALKGRAPH_PACK        model pack, as --pack
  TALKGRAPH_DEVICE      device of the models, as --device
  TALKGRAPH_CACHE       folder of the cache, as --cache
  TALKGRAPH_CACHE_SIZE  most that the cache keeps after a run, like 20GB
  TALKGRAPH_CONFIG      settings file, in place of ~/.config/talkgraph/config.toml
  TALKGRAPH_SHARE       folder of packs and graphs, in place of the installed one
  TALKGRAPH_HOME        folder that set-up filled: ONNX Runtime and face networks
  TALKGRAPH_MEDIA       the program that reads and writes media, in place of the installed one
  TALKGRAPH_MEDIA_MEMORY    most memory of that program in MiB, 0: not bounded [default: 4096]
  TALKGRAPH_MEDIA_PATIENCE  seconds without progress after which it is stopped [default: 8]
  TALKGRAPH_ISA         instructions of the fused operators, to compare: avx512, avx2, portable, plain
  ORT_DYLIB_PATH        ONNX Runtime's library where none is installed
  NO_COLOR, CLICOLOR, CLICOLOR_FORCE  whether `--color auto` colours

docs/cli.md describes the settings file and what `--progress json` writes.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a graph
    Run(run::Args),
    /// Run a graph for every row of a table; what rows share runs once
    Batch(batch::Args),
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
    /// Compare a pack's networks with recorded numbers
    Parity(parity::Args),
    /// A JSON Schema of graph files, for editors
    Schema,
    /// A language server for graph files, over standard input and output: docs/editor.md
    Lsp(lsp::Args),
    /// Write a commented graph to start from
    New(new::Args),
    /// Show the settings in force, and where each comes from
    Config(config::Args),
    /// Print completions for a shell
    Completions(manual::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(manual::ManArgs),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let choice = Colour::asked(env::args_os()).settle();
    let matches = Cli::command().color(choice).get_matches();
    let result = match Cli::from_arg_matches(&matches) {
        Ok(cli) => carry_out(cli.command),
        Err(error) => error.exit(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure.diagnostics);
            ExitCode::from(failure.status as u8)
        }
    }
}

fn carry_out(command: Command) -> Outcome {
    match command {
        Command::Run(mut args) => {
            let config = Config::load()?;
            args.fill(&config);
            run::run(&args)
        }
        Command::Batch(mut args) => {
            args.fill(&Config::load()?);
            batch::run(&args)
        }
        Command::Plan(mut args) => {
            args.graph.fill(&Config::load()?);
            plan::run(&args)
        }
        Command::Cache(mut args) => {
            args.cache.fill(&Config::load()?);
            cache::run(&args)
        }
        Command::Doctor(mut args) => {
            let config = Config::load()?;
            args.pack.fill(&config);
            args.cache.fill(&config);
            doctor::run(&args)
        }
        Command::Check(args) => check::run(&args),
        Command::Dot(mut args) => {
            args.graph.fill(&Config::load()?);
            dot::run(&args)
        }
        Command::Nodes(args) => nodes::run(&args),
        Command::Pack(mut args) => {
            args.fill(&Config::load()?);
            pack::run(&args)
        }
        Command::Parity(mut args) => {
            args.fill(&Config::load()?);
            parity::run(&args)
        }
        Command::Schema => nodes::schema(),
        Command::Lsp(args) => lsp::run(&args),
        Command::New(args) => new::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    }
}

/// Whether standard error carries events as JSON, and nothing else.
static JSON: AtomicBool = AtomicBool::new(false);

/// From now on whatever is told is a line of JSON.
pub fn tell_as_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Writes diagnostics to standard error.
pub fn tell(diagnostics: &Diagnostics) {
    for diagnostic in &diagnostics.0 {
        if JSON.load(Ordering::Relaxed) {
            eprintln!("{}", message(diagnostic));
        } else {
            eprintln!("{}", diagnostic.render(colour::colour()));
        }
    }
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
