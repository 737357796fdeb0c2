//! The integration tests: one binary, a module for each subject.

mod architecture;
mod archives;
mod bad_input;
mod binutils;
mod concurrency;
mod crash;
mod debian;
mod docs;
mod dogfood;
mod fetch;
mod hermetic;
mod inputs;
mod inspect;
mod leaks;
mod mac;
mod relocate;
mod rust_dist;
#[cfg(target_os = "linux")]
mod sandbox_build;
mod shim;
mod support;
mod targets;
mod tree_vectors;
mod verbs;
mod verify_rules;
