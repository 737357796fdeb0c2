//! The command line: arguments in, outcomes and errors out. The only place that prints.

mod annotations;
mod args;
mod configuration;
mod dispatch;
mod doctor;
mod output;
mod progress;
mod recipes;
mod report;
mod split;
mod style;
mod summary;
mod why;

pub use dispatch::{run, run_cargo};
