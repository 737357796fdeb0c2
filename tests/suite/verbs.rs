//! What verbs do when all is well, with a toolchain of scripts: what they print, their exit codes,
//! and what they leave alone.

mod components;
mod doctor;
mod every_pair;
mod host_tools;
mod listing;
mod lock;
mod notices;
mod packages;
mod passing;
mod pypi;
mod restore;
mod shell;
mod upstreams;
mod verify;
mod why;
