//! Geometry of the volume and of the picture: scattered displacements, polygons, regular grids.

pub mod deformation;
pub mod displacement;
pub mod lattice;
pub mod polygon;
pub mod resample;
pub mod solid;
mod span;
