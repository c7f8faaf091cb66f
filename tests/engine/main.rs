//! The engine on small counting node types: plans, runs, reuse, failure, damage.

mod bench;
mod damage;
mod failure;
mod keys;
mod memory;
mod order;
mod replaced;
mod reuse;
mod rows;
mod sharing;
mod storm;
mod types;
