//! Where a run may write: what is replaced, written through or refused, and that nothing that is read ever changes.

mod formats;
mod place;
mod refused;
mod table;
mod through;
