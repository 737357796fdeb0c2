//! The command line: arguments in, outcomes and errors out. The only place that prints.

mod args;
mod dispatch;
mod output;
mod progress;
mod report;
mod style;

pub use dispatch::run;
