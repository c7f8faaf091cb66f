//! Geometry of the volume and of the picture: scattered displacements, polygons, regular grids.

pub mod deformation;
pub mod displacement;
pub(crate) mod enlarge;
pub(crate) mod fill;
pub(crate) mod guided;
pub mod lattice;
pub mod nearest;
pub mod polygon;
pub mod resample;
pub mod solid;
mod span;
mod tabulation;
pub mod vector;
