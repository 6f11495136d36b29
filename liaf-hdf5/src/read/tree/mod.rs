//! B-trees, which find the members of groups and the chunks of datasets.

pub(crate) mod v1;
pub(crate) mod v2;
