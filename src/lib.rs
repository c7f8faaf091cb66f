//! talkgraph: a declarative runner of talking-head pipelines. This crate is the graph engine and the command line; it
//! knows no node type by name.

pub mod batch;
pub mod check;
pub mod cli;
pub mod config;
pub mod docs;
pub mod dot;
pub mod engine;
pub mod error;
pub mod events;
pub mod failure;
pub mod graph;
pub mod lsp;
pub mod outputs;
pub mod parity;
pub mod place;
pub mod plan;
pub mod progress;
pub mod run;
pub mod schema;
pub mod size;
pub mod spec;
pub mod suggest;
pub mod trace;
