//! The engine on small counting node types: plans, runs, reuse, failure, damage.

mod bench;
mod failure;
mod keys;
mod memory;
mod order;
mod reuse;
mod damage;
mod sharing;
mod types;
