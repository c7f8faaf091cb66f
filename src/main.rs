//! The `talkgraph` command line.
fn main() {}
