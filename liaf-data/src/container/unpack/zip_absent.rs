//! Replaces the members of zip archives in a build without them. Such archives are refused.

use crate::container::zip::Entry;
use crate::error::Result;
use crate::feature;
use crate::io::{ByteSource, Unpack, Wrapper};
use crate::limits::Limits;

pub(crate) struct Member;

impl Member {
    pub fn new(_source: &mut ByteSource, _entry: &Entry, _limits: &Limits) -> Result<Self> {
        feature::ZIP.needed_to("read zip archives").map(|()| Self)
    }
}

pub(crate) fn first_member(
    _source: &mut ByteSource,
    _limits: &Limits,
) -> Result<Option<(String, Member)>> {
    feature::ZIP.needed_to("read zip archives").map(|()| None)
}

impl Wrapper for Member {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn unpack(&self, _source: ByteSource) -> Result<Box<dyn Unpack>> {
        Err(feature::ZIP.missing("read zip archives"))
    }
}
