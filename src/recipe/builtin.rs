//! The recipe collection that is compiled into the program.

use crate::vocab::digest::{Blake3, KeyHasher};

/// Name and text of each recipe in `recipes/`.
pub(super) const RECIPES: &[(&str, &str)] = &[
    ("apple-clang", include_str!("../../recipes/apple-clang.toml")),
    ("arm-gnu", include_str!("../../recipes/arm-gnu.toml")),
    ("bootlin", include_str!("../../recipes/bootlin.toml")),
    ("cmake", include_str!("../../recipes/cmake.toml")),
    ("cmake-release", include_str!("../../recipes/cmake-release.toml")),
    ("gcc-aarch64-linux-gnu", include_str!("../../recipes/gcc-aarch64-linux-gnu.toml")),
    ("gcc-aarch64-linux-musl", include_str!("../../recipes/gcc-aarch64-linux-musl.toml")),
    ("gcc-arm-linux-gnueabihf", include_str!("../../recipes/gcc-arm-linux-gnueabihf.toml")),
    ("gcc-arm-linux-musleabihf", include_str!("../../recipes/gcc-arm-linux-musleabihf.toml")),
    ("gcc-x86_64-linux-gnu", include_str!("../../recipes/gcc-x86_64-linux-gnu.toml")),
    ("gcc-x86_64-linux-musl", include_str!("../../recipes/gcc-x86_64-linux-musl.toml")),
    ("lld", include_str!("../../recipes/lld.toml")),
    ("macos-cross", include_str!("../../recipes/macos-cross.toml")),
    ("macos-tools", include_str!("../../recipes/macos-tools.toml")),
    ("musl-cc", include_str!("../../recipes/musl-cc.toml")),
    ("musl-cross", include_str!("../../recipes/musl-cross.toml")),
    ("ninja", include_str!("../../recipes/ninja.toml")),
    ("ninja-release", include_str!("../../recipes/ninja-release.toml")),
    ("perl", include_str!("../../recipes/perl.toml")),
    ("posix-tools", include_str!("../../recipes/posix-tools.toml")),
    ("protoc", include_str!("../../recipes/protoc.toml")),
    ("protoc-release", include_str!("../../recipes/protoc-release.toml")),
    ("qemu-user", include_str!("../../recipes/qemu-user.toml")),
    ("rust-debian", include_str!("../../recipes/rust-debian.toml")),
    ("rust-dist", include_str!("../../recipes/rust-dist.toml")),
    ("rust-release", include_str!("../../recipes/rust-release.toml")),
    ("rust-system", include_str!("../../recipes/rust-system.toml")),
    ("zig", include_str!("../../recipes/zig.toml")),
    ("zig-release", include_str!("../../recipes/zig-release.toml")),
];

/// The digest of the collection: tells it from that of another xprov.
pub fn builtin_digest() -> Blake3 {
    let mut digest = KeyHasher::new("recipes/1");
    for (name, text) in RECIPES {
        digest.part(name).part(text);
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_file_is_compiled_in() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");
        let mut files: Vec<String> = std::fs::read_dir(dir)
            .expect("the recipes directory")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        files.sort();
        let names: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, files);
    }
}
