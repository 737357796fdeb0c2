//! The names of the rules that binaries are held to (`docs/verify.md`), for settings that choose
//! among them. What they mean is the business of `inspect`.

/// All names, in the order of the findings.
pub const NAMES: [&str; 19] = [
    "arch",
    "linkage",
    "interpreter",
    "needed",
    "glibc-ceiling",
    "libgcc-ceiling",
    "glibcxx-ceiling",
    "cxxabi-ceiling",
    "runpath",
    "undefined",
    "arm-attributes",
    "pie",
    "relro",
    "bind-now",
    "nx-stack",
    "wx-segments",
    "stack-protector",
    "fortify",
    "paths",
];
