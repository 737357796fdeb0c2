//! Prints the version of OpenSSL that was configured, and with which perl.

fn main() {
    print!("{}", include_str!(concat!(env!("OUT_DIR"), "/almanac.txt")));
}
