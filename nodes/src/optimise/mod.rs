//! Optimisations run as step graphs: schedules, random inputs, loss curves.

pub mod curve;
pub mod noise;
pub mod schedule;
