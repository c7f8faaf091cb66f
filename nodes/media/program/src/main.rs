//! `talkgraph-media`: started by talkgraph with a socket as standard input, and by nobody else.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {
            talkgraph_media::keep_memory_of_frames();
            talkgraph_media_program::run()
        }
        Some("--version") => {
            println!("{}", talkgraph_media_program::version());
            ExitCode::SUCCESS
        }
        Some(_) => {
            eprintln!("error: talkgraph starts this program itself; expected no argument, or --version");
            ExitCode::from(2)
        }
    }
}
