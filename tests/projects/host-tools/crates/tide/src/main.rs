//! Prints how wide a pointer is, as cmake and the compiler found it, and who made the library.

extern "C" {
    fn tide_measured() -> i32;
    fn tide_compiled() -> i32;
}

fn main() {
    // SAFETY: both take nothing and only return a number.
    let (measured, compiled) = unsafe { (tide_measured(), tide_compiled()) };
    println!("{measured} {compiled}");
    print!("{}", include_str!(concat!(env!("OUT_DIR"), "/made-by.txt")));
}
