//! The tests of the library from outside, as one program. Those that measure memory, wait for a long time,
//! or change a file under a reader are programs of their own.
#![allow(missing_docs, reason = "a test program")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../src/tensor/judge.rs"]
mod judge;

mod aedat_oracle;
mod bundled;
mod cameras;
mod cases;
mod columns;
mod dataset;
mod dataset_babi;
mod dataset_bad;
mod dataset_boxes;
mod dataset_counts;
mod dataset_judged;
mod dataset_labels;
mod dataset_scenes;
mod evt3;
mod examples;
mod filters_judges;
mod first_lines;
mod frames_judges;
mod frames_plain;
mod fuzz_finds;
mod join;
mod measurements;
mod mutations;
mod old;
mod options;
mod packed;
mod reader;
mod recognised;
mod representations;
mod ros;
mod salvage;
mod seek;
mod simulate;
mod slice;
mod streams;
mod tensor_common;
mod tensor_faults;
mod tensor_files;
mod tensor_hostile;
mod tensor_named;
mod tensor_named_faults;
mod tensor_named_h5;
mod text;
mod truth;
mod write;
