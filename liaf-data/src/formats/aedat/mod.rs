//! AEDAT, the formats of iniVation's cameras: versions 1 to 4.

mod text_header;
pub mod v1;
pub mod v2;
pub mod v3;
pub mod v4;

pub(crate) use text_header::TextHeader;
