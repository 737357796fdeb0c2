//! Prints one line.

fn main() {
    println!("{}", line());
}

fn line() -> String {
    format!("tiny on {}", std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_says_where_it_runs() {
        assert!(super::line().starts_with("tiny on "));
    }
}
