//! What verbs do when all is well, with a toolchain of scripts: what they print, their exit codes,
//! and what they leave alone.

mod doctor;
mod components;
mod listing;
mod lock;
mod notices;
mod passing;
mod restore;
mod why;
mod shell;
