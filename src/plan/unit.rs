//! How the board's nodes and units of work are called.

/// Index of a node on the board, in topological order.
pub type NodeIx = usize;

/// A unit of work: node and chunk.
pub type UnitRef = (NodeIx, usize);
