//! Data sets: folders of many recordings that become one tensor file for each split.
//!
//! A [`DataSet`] knows the folder of a published set, or of recordings of one's own: [`DataSet::list`]
//! returns a [`Listing`] of its recordings with their classes and splits, and remarks about what is missing
//! or surplus, before any recording is read. A [`Build`] then makes samples of all of them, on all
//! threads, and writes `frames` `[N, T, C, H, W]` with `labels`, `lengths`, `source` and `t_start`.
//!
//! What stands in the files depends on the [`SourceKind`] of the set: of texts with questions it is `story`,
//! `question` and `answer`.
//!
//! Finished recordings are kept in a folder beside the output (`OUT.parts`) until the output is complete.
//! A build that was interrupted, even by a power failure, continues there, and ends with the same bytes as
//! one that was not.

mod boxes;
mod build;
mod contents;
mod counts;
mod estimate;
mod event_samples;
mod files;
pub(crate) mod folder;
mod hashes;
mod journal;
mod kind;
mod listing;
mod make;
mod manifest;
mod merge;
mod output;
mod part;
mod plan;
mod prepare;
mod questions;
mod reader;
mod rules;
mod samples;
mod sets;
mod shards;
mod source;
mod store;
mod title;

pub use build::{Build, Built, ClassRow, Failure, OnError, Progress};
pub use contents::Contents;
pub use counts::EventCounts;
pub use estimate::Estimate;
pub use files::{Verified, tensor_files, verify};
pub use kind::{DATASETS, DataSet, ListOptions};
pub use listing::{BoxFile, Entry, Labels, Listing, SourceKind, Split, Stretch};
pub use merge::{Join, merge};
pub use prepare::Prepared;
pub use questions::{Asked, Questions};
pub use rules::{ClassFrom, SampleRule, SplitRule};
pub use shards::{PartOf, Shards};
