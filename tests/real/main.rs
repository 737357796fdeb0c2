//! The real-toolchain tests: compilers out of the Debian archive that this machine's own apt
//! configuration names, real projects, and binaries that run.
//!
//! The first run downloads about 600 MB and takes some minutes. Everything is kept below the target
//! directory (`tmp/real`), where the next run finds it; deleting that folder is safe at any time.

mod components;
mod dogfood;
mod equal_bytes;
mod harbor;
mod hardening_check;
mod host_tools;
mod hostile;
mod inputs;
mod isa;
mod lance;
mod leaks;
mod loopback;
mod mach_o;
mod machine;
mod musl;
mod musl_std;
mod projects;
mod published;
mod rust_dist;
mod shell;
mod stale;
mod sysroot_packages;
mod tools;
mod unwind;
mod upstream;
mod verified;
mod zero_configuration;
mod zig;
