//! The content-addressed store: immutable trees, and the index that finds them again
//! (`docs/store.md`). Never heard of a network.

mod index;
mod layout;
mod object;

pub use index::IndexKey;
pub use layout::Layout;
pub use object::{Object, Store, StoreError};
