//! xprov: pinned cross toolchains for Rust, a hermetic environment around cargo, and proof of the
//! result.
//!
//! # Layers
//!
//! Imports point down; siblings of a layer do not see each other, [`ops`] joins them. The exact
//! rules are the tables in `docs/architecture.md`, which a test compares with the source.
//!
//! | Layer | Modules |
//! |---|---|
//! | command line | [`cli`]: arguments in, outcomes and errors out; the only place that prints |
//! | verbs | [`ops`]: one verb a file; returns an outcome |
//! | work | [`fetch`]: URLs and a pin into verified bytes · [`upstream`]: packages into pins, at lock time · [`store`]: objects by tree hash · [`compose`]: objects into one relocated tree · [`hermetic`]: what a build may see · [`shim`]: the compiler wrapper · [`inspect`]: what a binary says of itself |
//! | formats | [`tree`]: canonical trees and their hash · [`archive`]: archives into directories · [`settings`] · [`recipe`] · [`lockfile`] |
//! | system | [`sys`]: what the process was started with, directories, files, file locks, staging |
//! | words | [`vocab`]: digests, names, paths, triples, URLs, events |
//!
//! # A build, from top to bottom
//!
//! [`cli`] parses the arguments and captures the surroundings ([`sys::ambient`]). [`ops`] finds
//! the project, reads its [`settings`] and its lock, and where the lock does not answer them lets
//! [`upstream`] pin what the chosen [`recipe`] asks for. What the lock pins and the [`store`] lacks
//! is [fetched](fetch) and [unpacked](archive) in one pass, and published under its tree hash.
//! [`compose`] joins the objects; [`hermetic`] plans variables, flags and cargo's configuration;
//! cargo runs, with [`shim`]s as its compilers; [`inspect`] judges what came out.
//!
//! # Files
//!
//! | Where | What | Written down in |
//! |---|---|---|
//! | `Cargo.toml` | settings, `[workspace.metadata.xprov]` | `docs/settings.md` |
//! | `toolchains.lock` beside it | the pins of all toolchains | `docs/lockfile.md` |
//! | `recipes/*.toml` beside it | the project's own recipes | `docs/recipe.md` |
//! | `target/xprov/` below it | build directories, one for each environment | [`hermetic`] |
//! | `$XPROV_HOME/v1/objects/` | immutable trees, by tree hash | `docs/store.md` |
//! | `$XPROV_HOME/v1/compositions/`, `envs/` | toolchains joined of objects; environments | `docs/store.md` |
//! | `$XPROV_HOME/v1/staging/`, `partial/` | what running and interrupted processes left | `docs/store.md` |
//! | `$XPROV_HOME/cargo/`, `home/` | the `CARGO_HOME` and the empty `HOME` of builds | `docs/store.md` |

pub mod archive;
pub mod cli;
pub mod compose;
pub mod fetch;
pub mod hermetic;
pub mod inspect;
pub mod lockfile;
pub mod ops;
pub mod recipe;
pub mod settings;
pub mod shim;
pub mod store;
pub mod sys;
pub mod tree;
pub mod upstream;
pub mod vocab;
