//! What a variant provides for one target: the programs of every upstream under the same names.
//!
//! Each upstream has its own prefix (`aarch64-none-linux-gnu-`, `aarch64-buildroot-linux-gnu-`),
//! and builds ask for one: that of the target ([`RustTriple::tool_prefix`]). The upstream's own
//! names stay beside it.

use super::model::{ForTarget, Provides, Tool, ToolKind};
use crate::vocab::triple::RustTriple;

/// The compilers of a cross toolchain: the end of the name, what the shim has to know, and other
/// names of the host's own.
pub const COMPILERS: [(&str, ToolKind, &[&str]); 3] = [
    ("gcc", ToolKind::Cc, &["gcc", "cc"]),
    ("g++", ToolKind::Cxx, &["g++", "c++"]),
    ("cpp", ToolKind::Cc, &["cpp"]),
];

/// The other programs that builds ask for by the target's prefix.
pub const BINUTILS: [&str; 9] =
    ["ar", "as", "ld", "nm", "objcopy", "objdump", "ranlib", "readelf", "strip"];

impl Provides {
    /// This with what is said of `target` alone in its place, and `{prefix}` in the names of tools
    /// as that of `target`.
    #[must_use]
    pub fn for_target(&self, target: Option<&RustTriple>) -> Self {
        let mut provides = self.clone();
        let Some(target) = target else { return provides };
        let own = target.tool_prefix();
        let tools = std::mem::take(&mut provides.tools).into_iter();
        provides.tools = tools.map(|(name, tool)| (name.replace("{prefix}", &own), tool)).collect();
        let Some(of_target) = provides.target.remove(target) else { return provides };
        let ForTarget { prefix, args, sysroot, loader_root, .. } = of_target;
        let ForTarget { pkg_config, compiler_include, glibc, .. } = of_target;
        provides.sysroot = sysroot.or(provides.sysroot);
        provides.loader_root = loader_root.or(provides.loader_root);
        provides.compiler_include = compiler_include.or(provides.compiler_include);
        provides.glibc = glibc.or(provides.glibc);
        if !pkg_config.is_empty() {
            provides.pkg_config = pkg_config;
        }
        if let Some(prefix) = prefix {
            for (name, kind, aliases) in COMPILERS {
                let (program, args) = (format!("{prefix}{name}"), args.clone());
                let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
                let tool = Tool { program, refuse: None, args, kind, aliases };
                provides.tools.insert(format!("{own}-{name}"), tool);
            }
            for name in BINUTILS {
                provides.names.insert(format!("{own}-{name}"), format!("{prefix}{name}"));
            }
            provides.links.push(format!("{prefix}*"));
        }
        provides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provides_ar() -> Tool {
        let program = "zig".to_owned();
        Tool { program, refuse: None, args: Vec::new(), kind: ToolKind::Zig, aliases: Vec::new() }
    }

    #[test]
    fn every_upstream_has_the_targets_names() {
        let target: RustTriple = "armv7-unknown-linux-gnueabihf".parse().expect("a triple");
        let of_target = ForTarget {
            prefix: Some("bin/arm-none-linux-gnueabihf-".to_owned()),
            args: vec!["--sysroot={sysroot}".to_owned()],
            sysroot: Some("arm-none-linux-gnueabihf/libc".to_owned()),
            ..ForTarget::default()
        };
        let mut provides = Provides { glibc: Some("2.40".to_owned()), ..Provides::default() };
        assert_eq!(provides.for_target(Some(&target)), provides);
        let of_many = Provides {
            tools: [("{prefix}-ar".to_owned(), provides_ar())].into(),
            ..Provides::default()
        };
        let tools = of_many.for_target(Some(&target)).tools;
        assert!(tools.contains_key("arm-linux-gnueabihf-ar"), "{tools:?}");
        provides.target.insert(target.clone(), of_target);
        let found = provides.for_target(Some(&target));
        let gcc = &found.tools["arm-linux-gnueabihf-gcc"];
        assert_eq!(gcc.program, "bin/arm-none-linux-gnueabihf-gcc");
        assert_eq!((gcc.kind, gcc.args.len()), (ToolKind::Cc, 1));
        assert_eq!(found.tools["arm-linux-gnueabihf-g++"].kind, ToolKind::Cxx);
        assert_eq!(found.names["arm-linux-gnueabihf-ar"], "bin/arm-none-linux-gnueabihf-ar");
        assert_eq!(found.links, ["bin/arm-none-linux-gnueabihf-*"]);
        assert_eq!(found.sysroot.as_deref(), Some("arm-none-linux-gnueabihf/libc"));
        assert_eq!(found.glibc.as_deref(), Some("2.40"));
    }
}
