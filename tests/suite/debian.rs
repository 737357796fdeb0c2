//! Debian's archive as an upstream: whom to believe, which version, which packages.

pub mod archive;
mod choice;
mod closure;
mod trust;
