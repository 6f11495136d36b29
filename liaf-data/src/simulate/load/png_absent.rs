//! PNG without the feature `png`.

use super::super::picture::Picture;
use crate::error::Result;
use crate::feature;
use crate::limits::Limits;

pub(super) fn picture(_bytes: &[u8], _limits: &Limits) -> Result<Picture> {
    Err(feature::PNG.missing("read PNG images"))
}
