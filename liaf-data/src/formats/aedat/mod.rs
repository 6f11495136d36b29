//! What the versions of AEDAT have in common.

mod text_header;

pub(super) use text_header::TextHeader;
