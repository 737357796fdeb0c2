//! Compositions: objects joined by links into one directory, host programs relocated so that they
//! find each other there. Knows no network and no recipe.

pub mod link;
pub mod merge;
pub mod relocate;
pub mod relocation;
