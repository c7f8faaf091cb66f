//! The program from outside: what it decodes, what becomes of damaged files, and what it cannot do.

mod damage;
mod heif;
mod made;
mod pictures;
mod process;
mod video;
