//! A command that may mount file systems, in namespaces of its own: full and read-only disks for
//! real, also for root, and gone with the command.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::sandbox::{Outcome, Sandbox, XPROV};

/// Runs a shell script in the sandbox that may mount; `$XPROV` is the program. `None`, and a line
/// that says so, where the system gives no such namespaces.
pub fn run(sandbox: &Sandbox, script: &str) -> Option<Outcome> {
    let Some(unshare) = find("unshare").filter(works) else {
        skipped("this system lets nobody mount in a namespace (unshare -Urm)");
        return None;
    };
    let mut command = Command::new(unshare);
    sandbox.dress(&mut command);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("XPROV", XPROV);
    command.args(["-Urm", "/bin/sh", "-euc", script]);
    Some(sandbox.run(command))
}

/// Says that a test could not be done here, and why.
#[expect(clippy::print_stdout, reason = "a skipped test must not look like one that was done")]
pub fn skipped(reason: &str) {
    println!("skipped: {reason}");
}

fn works(unshare: &PathBuf) -> bool {
    let script = "mount -t tmpfs none /mnt && mount -o remount,ro /mnt";
    let mut command = Command::new(unshare);
    command.args(["-Urm", "/bin/sh", "-c", script]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn find(program: &str) -> Option<PathBuf> {
    let dirs = ["/usr/bin", "/bin", "/usr/sbin"];
    dirs.iter().map(|dir| PathBuf::from(dir).join(program)).find(|path| path.is_file())
}
