//! The variables in which a plan tells the shims of a build what belongs to one checkout. No file
//! of an environment may say it, for checkouts share those.

/// Path prefixes that compilers replace: pairs `from=to` with [`SEPARATOR`] between them.
pub const PREFIX_MAP_VARIABLE: &str = "XPROV_PREFIX_MAP";

/// Separates the pairs: a character that no sane path has.
pub const SEPARATOR: char = '\u{1f}';

/// The ledger's path.
pub const LEDGER_VARIABLE: &str = "XPROV_LEDGER";
