//! The integration tests: one binary, a module for each subject.

mod architecture;
mod archives;
mod bad_input;
mod concurrency;
mod crash;
mod debian;
mod docs;
mod fetch;
mod hermetic;
mod inspect;
mod leaks;
mod relocate;
mod shim;
#[cfg(target_os = "linux")]
mod sandbox_build;
mod support;
mod tree_vectors;
mod verbs;
