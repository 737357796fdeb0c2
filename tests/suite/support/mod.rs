//! What tests share.

pub mod archive_fixture;
pub mod executable;
pub mod namespace;
pub mod project;
pub mod redact;
pub mod sandbox;
pub mod schema;
pub mod server;
