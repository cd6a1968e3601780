//! Pictures that sagas made: what is known of each, next to the files themselves.

pub mod store;
