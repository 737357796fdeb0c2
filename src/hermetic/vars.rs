//! The catalogue of variables that a user's environment may have: what passes into a build without
//! asking, what only fetching sees, and what is never there. `docs/environment.md` shows it.

/// What becomes of a variable of the user's environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Passes into every step; changes no output, so it is not part of env-id.
    Passes,
    /// Only `cargo fetch` sees it.
    FetchOnly,
    /// No step sees it, and `xprov env` unsets it in the shell.
    Never,
}

/// A variable, or all that start with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The name; a final `*` stands for any ending.
    pub name: &'static str,
    /// What becomes of it.
    pub fate: Fate,
    /// Why.
    pub reason: &'static str,
}

const fn rule(name: &'static str, fate: Fate, reason: &'static str) -> Rule {
    Rule { name, fate, reason }
}

use Fate::{FetchOnly, Never, Passes};

/// Every rule. What no rule names is not passed, and not unset in a shell either.
pub const CATALOGUE: &[Rule] = &[
    rule("TERM", Passes, "how messages look"),
    rule("COLORTERM", Passes, "how messages look"),
    rule("NO_COLOR", Passes, "how messages look"),
    rule("CLICOLOR", Passes, "how messages look"),
    rule("CLICOLOR_FORCE", Passes, "how messages look"),
    rule("COLUMNS", Passes, "how messages look"),
    rule("CARGO_TERM_*", Passes, "how messages look"),
    rule("CARGO_BUILD_JOBS", Passes, "how many jobs run at once"),
    rule("RUST_BACKTRACE", Passes, "what a panic prints"),
    rule("RUST_LIB_BACKTRACE", Passes, "what a panic prints"),
    rule("RUST_LOG", Passes, "what a program that runs prints"),
    rule("RUST_TEST_*", Passes, "how tests run"),
    rule("CARGO_LOG", Passes, "what cargo says about itself"),
    rule("HTTP_PROXY", FetchOnly, "the way to registries"),
    rule("HTTPS_PROXY", FetchOnly, "the way to registries"),
    rule("ALL_PROXY", FetchOnly, "the way to registries"),
    rule("NO_PROXY", FetchOnly, "the way to registries"),
    rule("http_proxy", FetchOnly, "the way to registries"),
    rule("https_proxy", FetchOnly, "the way to registries"),
    rule("all_proxy", FetchOnly, "the way to registries"),
    rule("no_proxy", FetchOnly, "the way to registries"),
    rule("SSL_CERT_FILE", FetchOnly, "whom to trust on the way to registries"),
    rule("SSL_CERT_DIR", FetchOnly, "whom to trust on the way to registries"),
    rule("GIT_SSL_CAINFO", FetchOnly, "whom to trust on the way to registries"),
    rule("CARGO_HTTP_*", FetchOnly, "the way to registries"),
    rule("CARGO_NET_*", FetchOnly, "the way to registries"),
    rule("CARGO_REGISTRY_*", FetchOnly, "the registry and its credentials"),
    rule("CARGO_REGISTRIES_*", FetchOnly, "registries and their credentials"),
    rule("SSH_AUTH_SOCK", FetchOnly, "keys for git dependencies"),
    rule("GIT_SSH_COMMAND", FetchOnly, "how git dependencies are reached"),
    rule("HOME", FetchOnly, "git's and ssh's files; a build has an empty directory instead"),
    rule("PATH", FetchOnly, "git and ssh; a build has the environment's bin instead"),
    rule("RUSTFLAGS", Never, "would replace the project's own flags"),
    rule("CARGO_ENCODED_RUSTFLAGS", Never, "would replace the project's own flags"),
    rule("RUSTDOCFLAGS", Never, "would replace the project's own flags"),
    rule("CARGO_ENCODED_RUSTDOCFLAGS", Never, "would replace the project's own flags"),
    rule("RUSTC", Never, "another compiler"),
    rule("RUSTDOC", Never, "another compiler"),
    rule("RUSTC_WRAPPER", Never, "another compiler"),
    rule("RUSTC_WORKSPACE_WRAPPER", Never, "another compiler"),
    rule("RUSTC_BOOTSTRAP", Never, "another language; `env.set` is the door"),
    rule("RUSTUP_TOOLCHAIN", Never, "another toolchain"),
    rule("CARGO_BUILD_*", Never, "cargo's configuration under another name"),
    rule("CARGO_TARGET_*", Never, "cargo's configuration under another name"),
    rule("CARGO_PROFILE_*", Never, "cargo's configuration under another name"),
    rule("CARGO_UNSTABLE_*", Never, "cargo's configuration under another name"),
    rule("CARGO_INCREMENTAL", Never, "the profile decides"),
    rule("CC", Never, "would serve host and target alike"),
    rule("CXX", Never, "would serve host and target alike"),
    rule("AR", Never, "would serve host and target alike"),
    rule("LD", Never, "would serve host and target alike"),
    rule("RANLIB", Never, "would serve host and target alike"),
    rule("STRIP", Never, "would serve host and target alike"),
    rule("CC_*", Never, "the dashed spelling outranks the plan's"),
    rule("CXX_*", Never, "the dashed spelling outranks the plan's"),
    rule("AR_*", Never, "the dashed spelling outranks the plan's"),
    rule("RANLIB_*", Never, "the dashed spelling outranks the plan's"),
    rule("CFLAGS", Never, "comes last and overrides what crates ask for"),
    rule("CXXFLAGS", Never, "comes last and overrides what crates ask for"),
    rule("CPPFLAGS", Never, "comes last and overrides what crates ask for"),
    rule("LDFLAGS", Never, "comes last and overrides what crates ask for"),
    rule("CFLAGS_*", Never, "comes last and overrides what crates ask for"),
    rule("CXXFLAGS_*", Never, "comes last and overrides what crates ask for"),
    rule("HOST_CC", Never, "the build scripts' compilers"),
    rule("HOST_CXX", Never, "the build scripts' compilers"),
    rule("HOST_AR", Never, "the build scripts' compilers"),
    rule("HOST_RANLIB", Never, "the build scripts' compilers"),
    rule("HOST_CFLAGS", Never, "the build scripts' compilers"),
    rule("HOST_CXXFLAGS", Never, "the build scripts' compilers"),
    rule("HOST_PKG_CONFIG*", Never, "the build scripts' compilers"),
    rule("TARGET_CC", Never, "the target's compilers"),
    rule("TARGET_CXX", Never, "the target's compilers"),
    rule("TARGET_AR", Never, "the target's compilers"),
    rule("TARGET_RANLIB", Never, "the target's compilers"),
    rule("TARGET_CFLAGS", Never, "the target's compilers"),
    rule("TARGET_CXXFLAGS", Never, "the target's compilers"),
    rule("TARGET_PKG_CONFIG*", Never, "the target's compilers"),
    rule("CRATE_CC_NO_DEFAULTS", Never, "takes -fPIC and -O away"),
    rule("CPATH", Never, "headers from elsewhere"),
    rule("C_INCLUDE_PATH", Never, "headers from elsewhere"),
    rule("CPLUS_INCLUDE_PATH", Never, "headers from elsewhere"),
    rule("LIBRARY_PATH", Never, "libraries from elsewhere"),
    rule("LD_LIBRARY_PATH", Never, "libraries from elsewhere"),
    rule("LD_PRELOAD", Never, "code from elsewhere"),
    rule("DYLD_*", Never, "libraries from elsewhere"),
    rule("GCC_EXEC_PREFIX", Never, "a compiler's parts from elsewhere"),
    rule("COMPILER_PATH", Never, "a compiler's parts from elsewhere"),
    rule("SDKROOT", Never, "a sysroot from elsewhere"),
    rule("DEVELOPER_DIR", Never, "tools from elsewhere; `xcode-select` is the door"),
    rule("MACOSX_DEPLOYMENT_TARGET", Never, "`env.set` or `env.pass` is the door"),
    rule("PKG_CONFIG*", Never, "libraries of the machine"),
    rule("CMAKE", Never, "a program from elsewhere; `host-tools` is the door"),
    rule("CMAKE_*", Never, "a toolchain file from elsewhere"),
    rule("BINDGEN_EXTRA_CLANG_ARGS*", Never, "headers from elsewhere"),
    rule("LIBCLANG_PATH", Never, "a compiler from elsewhere; `env.set` is the door"),
    rule("OPENSSL_DIR", Never, "a library from elsewhere; `env.set` is the door"),
    rule("OPENSSL_LIB_DIR", Never, "a library from elsewhere; `env.set` is the door"),
    rule("OPENSSL_INCLUDE_DIR", Never, "a library from elsewhere; `env.set` is the door"),
    rule("PROTOC", Never, "a program from elsewhere; `host-tools` or `env.set` is the door"),
    rule("PROTOC_INCLUDE", Never, "files from elsewhere; `host-tools` or `env.set` is the door"),
    rule("PERL5*", Never, "modules from elsewhere"),
    rule("MAKEFLAGS", Never, "a job server that is not cargo's"),
    rule("MFLAGS", Never, "a job server that is not cargo's"),
];

/// What becomes of the variable; `None` where no rule names it, which means: not passed.
pub fn fate(name: &str) -> Option<Fate> {
    rule_for(name).map(|rule| rule.fate)
}

/// The rule for the variable. An exact name outranks a prefix (`CARGO_BUILD_JOBS` before
/// `CARGO_BUILD_*`).
pub fn rule_for(name: &str) -> Option<&'static Rule> {
    let exact = CATALOGUE.iter().find(|rule| rule.name == name);
    let prefix = || {
        CATALOGUE
            .iter()
            .find(|rule| rule.name.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix)))
    };
    exact.or_else(prefix)
}

/// What passes into every step, as names and prefixes: cargo sees it, and what it compiles and
/// runs does not.
pub fn passing() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().filter(|rule| rule.fate == Passes).map(|rule| rule.name)
}

/// The variables of `ambient` with this fate.
pub fn select(
    ambient: &[(String, String)],
    wanted: Fate,
) -> impl Iterator<Item = &(String, String)> {
    ambient.iter().filter(move |(name, _)| fate(name) == Some(wanted))
}

/// The environment of `cargo fetch`: the user's way to the network, their tokens, and xprov's
/// `CARGO_HOME`. Nothing is compiled in it.
pub fn for_fetch(
    ambient: &[(String, String)],
    cargo_home: &str,
    rustc: &str,
    credentials: &[(String, String)],
) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> =
        select(ambient, Passes).chain(select(ambient, FetchOnly)).cloned().collect();
    // What the environment says outranks files, as in cargo.
    for (name, value) in credentials {
        if !variables.iter().any(|(have, _)| have == name) {
            variables.push((name.clone(), value.clone()));
        }
    }
    variables.push(("CARGO_HOME".to_owned(), cargo_home.to_owned()));
    variables.push(("RUSTC".to_owned(), rustc.to_owned()));
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_outranks_a_prefix() {
        assert_eq!(fate("CARGO_BUILD_JOBS"), Some(Passes));
        assert_eq!(fate("CARGO_BUILD_RUSTFLAGS"), Some(Never));
        assert_eq!(fate("CC_aarch64-unknown-linux-gnu"), Some(Never));
        assert_eq!(fate("EDITOR"), None);
    }

    #[test]
    fn no_name_has_two_rules() {
        let mut names: Vec<&str> = CATALOGUE.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
    }
}
