//! Commands that start confined on a Mac: below `sandbox-exec`, with a generated profile.

use std::io;
use std::path::Path;
use std::process::Command;

use super::{Rules, profile};
use crate::sys::fs::real_path;

/// What confines, made once for any number of processes.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    profile: Option<String>,
}

impl Confinement {
    /// Refuses what the rules do not name.
    pub fn new(rules: &Rules) -> io::Result<Self> {
        Ok(Self { profile: cfg!(target_os = "macos").then(|| profile(rules, &real_path)) })
    }

    /// Refuses nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// A command that is confined when it starts, or when it replaces this process.
    pub fn command(&self, program: &Path) -> Command {
        let Some(profile) = &self.profile else { return Command::new(program) };
        let mut command = Command::new("/usr/bin/sandbox-exec");
        command.arg("-p").arg(profile).arg(program);
        command
    }

    /// The same: no process of a Mac ends with its parent.
    pub fn child(&self, program: &Path) -> Command {
        self.command(program)
    }
}
