//! Listeners for people, bars on a terminal and lines elsewhere, and for programs.

mod bars;
mod json;
mod lines;

pub use bars::Bars;
pub use json::{JsonLines, message};
pub use lines::{Level, Lines};
