//! The `xprov` program, and under other names the tools of its environments.

use std::io::Write as _;
use std::process::ExitCode;

use xprov::cli;
use xprov::shim::{self, Entry};

fn main() -> ExitCode {
    // A shim's arguments may be no text.
    let arguments = || std::env::args().skip(1).collect();
    match shim::enter() {
        Entry::Program => cli::run(arguments()),
        Entry::Cargo { env_dir, target } => cli::run_cargo(arguments(), &env_dir, Some(&target)),
        Entry::Done(code) => ExitCode::from(code),
        Entry::Failed(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
