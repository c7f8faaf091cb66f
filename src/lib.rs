//! talkgraph: a declarative runner of talking-head pipelines. This crate is the graph engine and the command line; it
//! knows no node type by name.

pub mod graph;
