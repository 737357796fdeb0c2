//! The leak corpus: everything of a machine that gets into builds with plain cargo, and what
//! becomes of it with xprov. `docs/leaks.md` has the table; each row there is one here, which
//! `tests/suite/leaks.rs` checks. `LEAKS=var-cc,umask` tries only these rows.

mod calls;
mod corpus;
mod curious;
mod ear;
mod flags;
mod kernel;
mod network;
mod nosy;
mod places;
mod questions;
mod row;
mod surroundings;
