//! The operating system, behind few small doors. Knows nothing of toolchains.

pub mod ambient;
pub mod dirs;
pub mod fs;
pub mod lock;
pub mod process;
pub mod staging;
