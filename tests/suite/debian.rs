//! Debian's archive as an upstream: whom to believe, which version, which packages.

mod archive;
mod choice;
mod closure;
mod trust;
