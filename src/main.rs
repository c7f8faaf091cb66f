//! The `talkgraph` command line.

fn main() -> std::process::ExitCode {
    talkgraph::cli::main()
}
