//! The operating system, behind few small doors. Knows nothing of toolchains.

pub mod ambient;
pub mod confine;
pub mod dirs;
pub mod fs;
pub mod lock;
pub mod process;
#[cfg(target_os = "linux")]
pub mod socket;
pub mod staging;
