//! `talkgraph completions SHELL` and `talkgraph man`: made from the same description of the command line as `--help`.

use std::{fs, path::PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Outcome, print};
use crate::error::{Diagnostic, Failure};

/// Flags of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Whose completions
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Flags of `man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// Prints a shell's completions.
pub fn completions(args: &CompletionsArgs) -> Outcome {
    let mut text = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "talkgraph", &mut text);
    print(text)
}

/// Prints the manual page of the program, or writes those of all commands.
pub fn man(args: &ManArgs) -> Outcome {
    let mut command = without_help(Cli::command());
    command.build();
    let Some(folder) = &args.to else { return print(page(command)?) };
    let fail = |error: std::io::Error| {
        let diagnostic = Diagnostic::error(format!("{}: manual pages cannot be written", folder.display()));
        Failure::store(diagnostic.caused_by(&error))
    };
    fs::create_dir_all(folder).map_err(fail)?;
    clap_mangen::generate_to(command, folder).map_err(fail)
}

/// The command without the `help` that each gets of its own: a page of it would say again what the others' pages say.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

fn page(command: Command) -> Result<Vec<u8>, Failure> {
    let mut text = vec![];
    clap_mangen::Man::new(command).render(&mut text).map_err(|error| {
        Failure::store(Diagnostic::error("the manual page cannot be made").caused_by(&error))
    })?;
    Ok(text)
}
