//! Prints the first line of a file that the crate's build script took out of the archive.

use std::sync::Arc;

fn main() {
    let config = Arc::new(utoipa_swagger_ui::Config::from("/api.json"));
    for name in std::env::args().skip(1) {
        match utoipa_swagger_ui::serve(&name, config.clone()) {
            Ok(Some(file)) => {
                let text = String::from_utf8_lossy(&file.bytes);
                println!("{name} {}: {}", file.bytes.len(), text.lines().next().unwrap_or_default());
            }
            other => println!("{name}: {}", other.is_ok()),
        }
    }
}
