//! Listeners for people: bars on a terminal, lines elsewhere.

mod bars;
mod lines;

pub use bars::Bars;
pub use lines::{Level, Lines};
