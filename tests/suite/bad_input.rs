//! Everything that a user or a machine can get wrong: the message, the exit code, and that nothing
//! is lost. What an error must not touch is compared before and after.

mod arguments;
mod artifacts;
mod debian;
mod documents;
mod drift;
mod lockfile;
mod machine;
mod paths;
mod programs;
mod targets;
