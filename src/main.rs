//! The `xprov` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    xprov::cli::run(std::env::args().skip(1).collect())
}
