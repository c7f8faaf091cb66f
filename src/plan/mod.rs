//! Plans: which nodes' results are known, which must run, and why.
//!
//! A plan is demand-driven: only what the wanted outputs need is looked at. The forward pass (`resolve`) computes keys
//! where all inputs are known and looks the actions up; the backward pass (`demand`) decides what really has to run. A
//! run goes on with the same board, so that it knows at every moment what a plan made then would know.

pub(crate) mod board;
mod build;
mod demand;
mod hold;
pub(crate) mod key;
pub(crate) mod lazy;
pub(crate) mod resolve;
mod summary;
pub(crate) mod unit;

pub use board::Why;
pub(crate) use build::input;
pub use summary::{NodePlan, Plan, Verdict};

use crate::{
    engine::{Engine, Request},
    failure::RunError,
    graph::Graph,
};
use board::Board;

/// Plans what `request` asks of `graph`, without running anything. Inputs that are not given are allowed: what depends
/// on them is unknown.
pub fn plan(graph: &Graph, engine: &Engine, request: &Request) -> Result<Plan, RunError> {
    let mut board = Board::build(graph, engine, request, true)?;
    board.settle()?;
    Ok(Plan::of(&board))
}
