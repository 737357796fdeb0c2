//! The `xprov` program.

fn main() {}
