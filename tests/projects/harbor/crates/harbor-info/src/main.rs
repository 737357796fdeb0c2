//! Says what it was built for, or prints the CRC-32C of the files that it is given.
//!
//! `harbor-info FILE…` exits with status 1 when it cannot read one of them.

use std::process::ExitCode;

use harbor::Describe as _;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        print!("{}", report());
        return ExitCode::SUCCESS;
    }
    let mut code = ExitCode::SUCCESS;
    for file in files {
        match std::fs::read(&file) {
            Ok(bytes) => println!("{:08x}  {file}", harbor::crc32c(&bytes)),
            Err(error) => {
                eprintln!("harbor-info: {file}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn report() -> String {
    let harbor::CTarget { pointer_bits, big_endian } = harbor::c_target();
    let endian = if big_endian { "big" } else { "little" };
    [
        format!("harbor-info {}", env!("CARGO_PKG_VERSION")),
        format!("architecture   {}", std::env::consts::ARCH),
        format!("pointer width  {}", usize::BITS),
        format!("c compiler     {pointer_bits} bits, {endian} endian"),
        format!("c checksum     {:08x}", harbor::crc32c(b"123456789")),
        format!("derived        {}", harbor::sample(1)[0].describe()),
    ]
    .map(|line| line + "\n")
    .concat()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_report_is_the_expected_one() {
        let expected = std::fs::read_to_string("../../expected/harbor-info.txt")
            .expect("a file")
            .replace("{arch}", std::env::consts::ARCH)
            .replace("{pointer_width}", &usize::BITS.to_string());
        assert_eq!(super::report(), expected);
    }
}
