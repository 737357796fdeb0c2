//! The verbs. Each returns an outcome and prints nothing; what takes long is told to an observer.

mod binaries;
mod cargo;
mod closure;
mod composition;
mod configs;
mod context;
mod crates;
mod diagnosis;
mod drift;
mod environment;
mod error;
mod exec;
mod ground;
mod lock;
mod project;
mod realise;
mod recipes;
mod request;
mod resolve;
mod restore;
mod store;
mod toolset;
mod user;
mod verify;

pub use cargo::{CargoOutcome, cargo};
pub use context::{Context, LockMode};
pub use environment::Environment;
pub use error::{Error, Kind};
pub use exec::{env, exec};
pub use ground::Ground;
pub use lock::{LockOutcome, lock, update};
pub use recipes::{RecipeListing, list_recipes, show_recipe};
pub use restore::{RestoreOutcome, restore};
pub use store::{StoreListing, StoreSize, store_list, store_path, store_size};
pub use verify::{VerifyOutcome, VerifyRequest, verify};
