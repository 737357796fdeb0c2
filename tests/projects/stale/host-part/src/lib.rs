//! What the host's C compiler had to say when this was built.

include!(concat!(env!("OUT_DIR"), "/said.rs"));

/// What a C compiler makes of a file, as one line.
pub fn preprocessed(compiler: &str, flags: &[&str], file: &str) -> String {
    let mut command = std::process::Command::new(compiler);
    let output = command.args(["-E", "-P"]).args(flags).arg(file).output().expect(compiler);
    let (said, errors) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    assert!(output.status.success(), "{compiler}: {}", errors.expect("text"));
    said.expect("text").trim().to_owned()
}
